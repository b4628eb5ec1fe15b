// @ts-check
// One image in full: its facts, and what can be done with it.

import { ApiError } from './api.js'
import { need, onClick, setText } from './dom.js'
import { blobUrl, formatSize, formatTime, imageUrl, largerUrl } from './format.js'
import { makePicture } from './gallery.js'
import { confirm } from './notice.js'
import { createShare } from './share.js'
import { createStory } from './story.js'

/** @import { ListedImage } from './api.js' */

const PICTURE_BYTES_MAX = 20_000_000
const FILE_URL = 'file-sync/api/file-sync/file/'

/**
 * What an answer to verify means for one image.
 * @param {Record<string, any>} answer
 * @returns {import('./language.js').Key}
 */
export function verdictOf(answer) {
  if (answer.status === 'accepted') return 'verify.background'
  const isDamaged = answer.corrupted_files?.length > 0
  const isMissing = answer.missing_files?.length > 0
  if ((isDamaged || isMissing) && answer.repaired_files?.length > 0) return 'verify.repaired'
  if (isDamaged) return 'verify.damaged'
  if (isMissing) return 'verify.missing'
  if (answer.blocked_files?.length > 0) return 'verify.blocked'
  return answer.valid_files > 0 ? 'verify.whole' : 'verify.nothing'
}

/**
 * @param {{ api: import('./api.js').Api, language: import('./language.js').Language,
 *   notice: import('./notice.js').Notice, onChange: () => void, canShare: () => boolean,
 *   onBlock: (path: string, done: () => void) => void }} parts
 *   `onChange` runs when an image was changed; `canShare`: whether the node looks at links that end
 */
export function createDetail({ api, language, notice, onChange, onBlock, canShare }) {
  const { say } = language
  const dialog = need('detail', HTMLDialogElement)
  const target = need('rename-to', HTMLInputElement)
  const story = createStory({ language, onOpen: openPath, onRestore: restoreVersion })
  const share = createShare({ api, language, onClose: () => ask('none') })
  /** @type {ListedImage | undefined} */
  let image

  /**
   * @param {ListedImage} next
   * @param {Record<string, any>} [described] all that the node says of it
   */
  function open(next, described) {
    image = next
    show(next, described?.deleted === true)
    ask('none')
    tell(described?.deleted ? say('detail.gone') : '', described?.deleted === true)
    story.show(described)
    if (!dialog.open) dialog.showModal()
    dialog.querySelector('.detail-side')?.scrollTo(0, 0)
    if (described === undefined) learn(next.path)
  }

  /**
   * Opens what has this path now, or had it.
   * @param {string} path
   */
  async function openPath(path) {
    try {
      const described = await api.call('GET', FILE_URL + encodePath(path))
      open(/** @type {ListedImage} */ (described), described)
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      if (dialog.open) tell(error.message, true)
      else notice.tell(error.message)
    }
  }

  /** @param {string} path */
  async function learn(path) {
    try {
      const described = await api.call('GET', FILE_URL + encodePath(path))
      if (image?.path === path) story.show(described)
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      if (image?.path === path) story.fail(api.whyNot(error))
    }
  }

  /**
   * @param {ListedImage} next
   * @param {boolean} isDeleted
   */
  function show(next, isDeleted) {
    const { path, size, width, height, sha256 } = next
    const whole = size > PICTURE_BYTES_MAX ? [] : [blobUrl(sha256)]
    const urls = isDeleted ? [] : [...whole, largerUrl(sha256)]
    const options = { urls, bytesMax: PICTURE_BYTES_MAX, alt: path }
    need('detail-picture').replaceChildren(makePicture(next, options, language))
    need('detail-open', HTMLAnchorElement).href = imageUrl(path)
    setText('detail-name', next.filename)
    setText('fact-path', path)
    setText('fact-size', wordsOfSize(size))
    setText('fact-dimensions', width && height ? `${width} × ${height}` : '–')
    setText('fact-type', next.mime_type ?? '–')
    setText('fact-added', formatTime(next.created_at, language.name))
    for (const [name, text] of [
      ['fact-sha256', sha256],
      ['fact-cid', next.cid],
      ['fact-md5', next.hash]
    ]) {
      setText(name, text ?? '–')
      need(name).title = text ?? ''
    }
    dialog.classList.toggle('deleted', isDeleted)
    need('detail-share').hidden = isDeleted || !canShare()
  }

  /** @param {number | null} size */
  function wordsOfSize(size) {
    if (size === null) return '–'
    const words = formatSize(size)
    return size < 1000 ? words : say('fact.bytes', { size: words, bytes: size })
  }

  /** @param {'none' | 'delete' | 'rename' | 'share'} what */
  function ask(what) {
    share.forget()
    tell(what === 'delete' ? say('detail.sure') : '')
    need('detail-actions').hidden = what !== 'none'
    need('detail-confirm').hidden = what !== 'delete'
    need('rename-form').hidden = what !== 'rename'
    need('share-form').hidden = what !== 'share'
    if (what === 'share') return share.open(image?.path ?? '')
    if (what === 'rename') {
      target.value = image?.path ?? ''
      target.focus()
      target.setSelectionRange(target.value.lastIndexOf('/') + 1, target.value.lastIndexOf('.'))
    } else if (dialog.open) need(what === 'delete' ? 'detail-keep' : 'detail-delete').focus()
  }

  async function remove() {
    const path = image?.path ?? ''
    ask('none')
    const answer = await attempt('DELETE', imageUrl(path))
    if (!answer) return
    const until = answer.recoverable_until
    const date = until ? formatTime(until, language.name) : ''
    const words = date && ` ${say('detail.until', { date })}`
    dialog.close()
    notice.tell(say('detail.deleted', { path }) + words, () => undo(path))
    need('notice-undo').focus()
    onChange()
  }

  async function purge() {
    const { path = '', filename = '' } = image ?? {}
    const title = say('detail.purge.title', { name: filename })
    const isSure = await confirm({
      ...{ title, text: say('detail.purge.text'), yes: say('detail.purge') }
    })
    if (!isSure) return
    ask('none')
    const answer = await attempt('DELETE', `${imageUrl(path)}?purge=true`)
    if (!answer) return
    dialog.close()
    notice.tell(answer.message)
    onChange()
  }

  /** @param {string} path */
  async function undo(path) {
    try {
      await api.call('POST', 'api/restore', { body: { path } })
      notice.tell(say('detail.restored', { path }))
      need('notice-close').focus()
      onChange()
    } catch (error) {
      notice.tell(error instanceof Error ? error.message : String(error), () => undo(path))
    }
  }

  /** @param {string} sha256 */
  async function restoreVersion(sha256) {
    const path = image?.path ?? ''
    const answer = await attempt('POST', 'api/restore', { path, sha256 })
    if (!answer) return
    onChange()
    await openPath(path)
    tell(answer.message)
  }

  /** @param {'move' | 'copy'} how */
  async function relocate(how) {
    const to = target.value.trim()
    if (to === '' || to === image?.path) return ask('none')
    const answer = await attempt('POST', `api/${how}`, { from: image?.path, to })
    if (!answer) return
    onChange()
    await openPath(how === 'move' ? answer.path : (image?.path ?? to))
    tell(answer.message)
  }

  async function verify() {
    tell(say('verify.checking'))
    const paths = [image?.path]
    const answer = await attempt('POST', 'file-sync/api/file-sync/verify', { paths })
    if (!answer || paths[0] !== image?.path) return
    const verdict = verdictOf(answer)
    const isBad = verdict === 'verify.damaged' || verdict === 'verify.missing'
    tell(say(verdict, { task: answer.task_id ?? '' }), isBad)
    learn(paths[0] ?? '')
  }

  /**
   * The answer; undefined after its failure was said, or while another is awaited.
   * @param {'POST' | 'DELETE'} method
   * @param {string} url
   * @param {unknown} [body]
   */
  async function attempt(method, url, body) {
    if (dialog.ariaBusy === 'true') return undefined
    try {
      dialog.ariaBusy = 'true'
      return await api.call(method, url, { body })
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      tell(error.message, true)
      return undefined
    } finally {
      dialog.ariaBusy = 'false'
    }
  }

  /**
   * @param {string} text
   * @param {boolean} [isBad]
   */
  function tell(text, isBad = false) {
    setText('detail-result', text)
    need('detail-result').classList.toggle('trouble', isBad)
  }

  onClick('detail-verify', verify)
  onClick('detail-delete', () => ask('delete'))
  onClick('detail-yes', remove)
  onClick('detail-purge', purge)
  onClick('detail-block', () => onBlock(image?.path ?? '', () => dialog.close()))
  onClick('detail-keep', () => ask('none'))
  onClick('detail-rename', () => ask('rename'))
  onClick('detail-share', () => ask('share'))
  need('rename-form').addEventListener('submit', (event) => {
    event.preventDefault()
    relocate('move')
  })
  onClick('rename-copy', () => relocate('copy'))
  onClick('rename-cancel', () => ask('none'))
  onClick('detail-close', () => dialog.close())
  dialog.addEventListener('close', share.forget)
  dialog.addEventListener('click', ({ target }) => {
    if (target === dialog) dialog.close() // the backdrop
  })
  return { open, openPath }
}

/** @param {string} path */
function encodePath(path) {
  return path.split('/').map(encodeURIComponent).join('/')
}
