// @ts-check
// Takedown: bytes that no server of the mesh gives any more, with the reason.

import { ApiError } from './api.js'
import { make, need, onClick, setText } from './dom.js'
import { formatAgo, shortenId } from './format.js'

/** @import { Language } from './language.js' */

/**
 * @param {{ api: import('./api.js').Api, language: Language,
 *   notice: import('./notice.js').Notice, onChange: () => void }} parts
 */
export function createBlocks({ api, language, notice, onChange }) {
  const { say } = language
  const dialog = need('block', HTMLDialogElement)
  const reason = need('block-reason', HTMLInputElement)
  /** @type {Record<string, any>[]} */
  let blocks = []
  let path = ''
  let onDone = () => {}

  async function show() {
    try {
      blocks = (await api.call('GET', 'api/blocks')).blocks
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      blocks = []
    }
    render()
  }

  function render() {
    need('blocks-card').hidden = blocks.length === 0
    need('blocks').replaceChildren(...blocks.map(line))
  }

  /** @param {Record<string, any>} block */
  function line({ sha256, reason, node, blocked_at, paths }) {
    const name = paths[0] ?? shortenId(sha256)
    const time = formatAgo(blocked_at, language.name)
    const facts = `${reason} · ${say('block.by', { name: node, time })}`
    const what = make(
      'span',
      { className: 'what' },
      make('b', { textContent: name, title: sha256 }),
      make('span', { className: 'quiet', textContent: facts })
    )
    const undo = make('button', { type: 'button', className: 'plain' }, say('block.undo'))
    undo.ariaLabel = `${say('block.undo')} ${name}`
    undo.onclick = () => act('DELETE', `api/blocks/${sha256}`)
    return make('li', {}, what, make('span', { className: 'actions' }, undo))
  }

  /**
   * Whether it was done.
   * @param {'POST' | 'DELETE'} method
   * @param {string} url
   * @param {unknown} [body]
   */
  async function act(method, url, body) {
    try {
      notice.tell((await api.call(method, url, { body })).message)
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      if (dialog.open) setText('block-text', error.message)
      else notice.tell(error.message)
      return false
    }
    await show()
    onChange()
    return true
  }

  need('block-form').addEventListener('submit', async (event) => {
    event.preventDefault()
    const text = reason.value.trim()
    if (text === '' || !(await act('POST', 'api/blocks', { path, reason: text }))) return
    dialog.close()
    onDone()
  })
  onClick('block-close', () => dialog.close())
  language.onChange(render)
  return {
    show,
    /**
     * Asks why, and blocks the image of this path.
     * @param {string} next
     * @param {() => void} done runs once it is blocked
     */
    ask(next, done) {
      path = next
      onDone = done
      reason.value = ''
      setText('block-text', '')
      dialog.showModal()
      reason.focus()
    }
  }
}
