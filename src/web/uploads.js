// @ts-check
// Files on their way to the node: dropped, pasted or picked, three at a time, one row each.

import { make, need, onClick, setText } from './dom.js'
import { formatSize, imageUrl } from './format.js'

const AT_A_TIME = 3
/** More rows than anyone reads make the page slow: the oldest go, the counts stay. */
const ROWS_MAX = 200

/** @typedef {{ name: string, file: File | undefined }} Picked `file`: undefined for a folder */

/**
 * @param {{ api: import('./api.js').Api, language: import('./language.js').Language,
 *   onDone: () => void }} parts `onDone` runs when the last of a group has its answer
 */
export function createUploads({ api, language, onDone }) {
  const { say } = language
  const list = need('uploads')
  /** @type {Picked[]} */
  const waiting = []
  const counts = { stored: 0, duplicate: 0, failed: 0 }
  let sending = 0

  /** @param {Picked[]} picked */
  function take(picked) {
    for (const one of picked) waiting.push(one)
    fill()
  }

  function fill() {
    while (sending < AT_A_TIME && waiting.length > 0) {
      const next = waiting.shift()
      if (next) send(next)
    }
    render()
  }

  /** @param {Picked} picked */
  async function send({ name, file }) {
    const { item, button, progress, note } = newRow(name)
    sending++
    act('upload.cancel', () => {})
    try {
      if (file === undefined) throw new Error(say('upload.folder'))
      const size = formatSize(file.size)
      const { answer, cancel } = api.upload(file, (share) => {
        progress.value = share
        const percent = share.toLocaleString(language.name, { style: 'percent' })
        setText(note, share < 1 ? say('upload.sending', { percent, size }) : say('upload.storing'))
      })
      act('upload.cancel', cancel)
      const { file_path, duplicate, duplicate_of } = await answer
      const path = (duplicate && duplicate_of) || file_path
      const state = duplicate ? 'duplicate' : 'stored'
      settle(state, `${say(`upload.${state}`)} `, make('a', { href: imageUrl(path) }, path))
      button.hidden = true
    } catch (error) {
      settle('failed', error instanceof Error ? error.message : String(error))
      button.hidden = file === undefined
      act('retry', () => {
        counts.failed--
        item.remove()
        need('choose').focus({ preventScroll: true })
        take([{ name, file }])
      })
    }
    sending--
    fill()
    if (sending > 0) return
    setText('announcer', need('upload-summary').textContent ?? '')
    onDone()

    /**
     * @param {keyof typeof counts} state
     * @param {(string | Node)[]} words
     */
    function settle(state, ...words) {
      counts[state]++
      item.dataset.state = state
      progress.value = 1
      note.replaceChildren(...words)
    }

    /**
     * @param {'upload.cancel' | 'retry'} key
     * @param {() => void} listener
     */
    function act(key, listener) {
      setText(button, say(key))
      button.ariaLabel = `${say(key)}: ${name}`
      button.onclick = listener
    }
  }

  /** @param {string} name */
  function newRow(name) {
    const title = make('span', { className: 'name', textContent: name, title: name })
    const button = make('button', { type: 'button', className: 'plain' })
    const progress = make('progress', { max: 1, value: 0, ariaLabel: name })
    const note = make('span', { className: 'note' })
    const item = make('li', {}, title, button, progress, note)
    item.dataset.state = 'sending'
    list.prepend(item) // what happens now stays in sight
    if (list.childElementCount > ROWS_MAX)
      [...list.children].findLast((row) => !row.matches('[data-state=sending]'))?.remove()
    return { item, button, progress, note }
  }

  function render() {
    const left = waiting.length + sending
    const { stored, duplicate, failed } = counts
    const said = Object.entries({ left, stored, duplicate, failed })
      .filter(([, count]) => count > 0)
      .map(([name, count]) =>
        say(/** @type {'upload.sum.left'} */ (`upload.sum.${name}`), { count })
      )
    setText('upload-summary', said.join(' · '))
    setText('upload-clear', say(waiting.length > 0 ? 'add.stop' : 'add.clear'))
    need('upload-clear').hidden = waiting.length === 0 && sending > 0
    need('upload-bar').hidden = said.length === 0
  }

  onClick('upload-clear', () => {
    if (waiting.length === 0) {
      Object.assign(counts, { stored: 0, duplicate: 0, failed: 0 })
      list.replaceChildren()
      need('choose').focus()
    }
    waiting.length = 0
    render()
  })
  window.addEventListener('beforeunload', (event) => {
    if (sending > 0) event.preventDefault()
  })
  language.onChange(render)
  listen(take)
}

/**
 * Takes files from the picker, from a drop anywhere, and from the clipboard.
 * @param {(picked: Picked[]) => void} take
 */
function listen(take) {
  const picker = need('files', HTMLInputElement)
  const all = (/** @type {FileList | undefined | null} */ files) =>
    take([...(files ?? [])].map((file) => ({ name: file.name, file })))
  onClick('choose', () => picker.click())
  picker.addEventListener('change', () => {
    all(picker.files)
    picker.value = ''
  })
  document.addEventListener('paste', ({ clipboardData }) => all(clipboardData?.files))
  const mark = (/** @type {boolean} */ on) => document.body.classList.toggle('dropping', on)
  document.addEventListener('dragover', (event) => {
    if (!event.dataTransfer?.types.includes('Files')) return
    event.preventDefault()
    mark(true)
  })
  document.addEventListener('dragleave', ({ relatedTarget }) => {
    if (relatedTarget === null) mark(false)
  })
  document.addEventListener('drop', (event) => {
    mark(false)
    if (!event.dataTransfer?.files.length) return
    event.preventDefault()
    const items = [...event.dataTransfer.items].filter(({ kind }) => kind === 'file')
    take(
      items.flatMap((item) => {
        const file = item.getAsFile()
        if (file === null) return []
        return item.webkitGetAsEntry()?.isDirectory
          ? { name: file.name, file: undefined }
          : { name: file.name, file }
      })
    )
  })
}
