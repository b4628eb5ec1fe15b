// @ts-check
// One image in full: its facts, and what can be done with it.

import { ApiError } from './api.js'
import { need, onClick, setText } from './dom.js'
import { formatSize, formatTime, imageUrl } from './format.js'
import { makePicture } from './gallery.js'

/** @import { ListedImage } from './api.js' */

const PICTURE_BYTES_MAX = 20_000_000

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
  return answer.valid_files > 0 ? 'verify.whole' : 'verify.nothing'
}

/**
 * @param {{ api: import('./api.js').Api, language: import('./language.js').Language,
 *   onChange: () => void }} parts `onChange` runs when an image was deleted or brought back
 */
export function createDetail({ api, language, onChange }) {
  const { say } = language
  const dialog = need('detail', HTMLDialogElement)
  /** @type {ListedImage | undefined} */
  let image
  let deletedPath = ''

  /** @param {ListedImage} next */
  function open(next) {
    image = next
    const { path, size, width, height } = next
    const picture = makePicture(next, { bytesMax: PICTURE_BYTES_MAX, alt: path }, language)
    need('detail-picture').replaceChildren(picture)
    need('detail-open', HTMLAnchorElement).href = imageUrl(path)
    setText('detail-name', next.filename)
    setText('fact-path', path)
    const words = formatSize(size)
    setText('fact-size', size < 1000 ? words : say('fact.bytes', { size: words, bytes: size }))
    setText('fact-dimensions', width && height ? `${width} × ${height}` : '–')
    setText('fact-type', next.mime_type)
    setText('fact-added', formatTime(next.created_at, language.name))
    setText('fact-sha256', next.sha256)
    setText('fact-cid', next.cid)
    setText('fact-md5', next.hash)
    confirm(false)
    dialog.showModal()
  }

  /** @param {boolean} isAsked */
  function confirm(isAsked) {
    tell(isAsked ? say('detail.sure') : '')
    need('detail-actions').hidden = isAsked
    need('detail-confirm').hidden = !isAsked
    need(isAsked ? 'detail-keep' : 'detail-delete').focus()
  }

  async function remove() {
    const path = image?.path ?? ''
    confirm(false)
    const answer = await attempt('DELETE', imageUrl(path))
    if (!answer) return
    const until = answer.recoverable_until
    const date = until ? formatTime(until, language.name) : ''
    const words = date && ` ${say('detail.until', { date })}`
    deletedPath = path
    dialog.close()
    notice(say('detail.deleted', { path }) + words)
    need('notice-undo').focus()
    onChange()
  }

  async function restore() {
    const path = deletedPath
    try {
      await api.call('POST', 'api/restore', { body: { path } })
      notice(say('detail.restored', { path }), false)
      need('notice-close').focus()
      onChange()
    } catch (error) {
      notice(error instanceof Error ? error.message : String(error))
    }
  }

  async function verify() {
    tell(say('verify.checking'))
    const paths = [image?.path]
    const answer = await attempt('POST', 'file-sync/api/file-sync/verify', { paths })
    if (!answer || paths[0] !== image?.path) return
    const verdict = verdictOf(answer)
    const isBad = verdict === 'verify.damaged' || verdict === 'verify.missing'
    tell(say(verdict, { task: answer.task_id ?? '' }), isBad)
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

  /**
   * @param {string} text empty: no notice
   * @param {boolean} [hasUndo]
   */
  function notice(text, hasUndo = true) {
    setText('notice-text', text)
    setText('announcer', text)
    need('notice').hidden = text === ''
    need('notice-undo').hidden = !hasUndo
  }

  onClick('detail-verify', verify)
  onClick('detail-delete', () => confirm(true))
  onClick('detail-yes', remove)
  onClick('detail-keep', () => confirm(false))
  onClick('detail-close', () => dialog.close())
  dialog.addEventListener('click', ({ target }) => {
    if (target === dialog) dialog.close() // the backdrop
  })
  onClick('notice-undo', restore)
  onClick('notice-close', () => {
    notice('')
    need('images').focus({ preventScroll: true })
  })
  return { open }
}
