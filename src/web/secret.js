// @ts-check
// The secret of the mesh: which servers have it, and a new one in its place. It is never shown.

import { ApiError } from './api.js'
import { make, need, onClick, setText } from './dom.js'
import { byName, formatTime } from './format.js'
import { onAction } from './notice.js'

/** @typedef {{ origin: 'none' | 'file' | 'mesh', decided_at: string | null,
 *   former_until: string | null, message: string,
 *   servers: { id: string, name: string, has_it: boolean }[] }} SecretState */

/**
 * @param {{ api: import('./api.js').Api, language: import('./language.js').Language,
 *   notice: import('./notice.js').Notice, status: import('./status.js').Status }} parts
 */
export function createSecret({ api, language, notice, status }) {
  const { say } = language
  const dialog = need('rotate', HTMLDialogElement)
  /** @type {SecretState | undefined} */
  let state
  let failure = ''

  async function show() {
    try {
      state = await api.call('GET', 'api/secret')
      failure = ''
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      state = undefined
      failure = api.whyNot(error)
    }
    render()
  }

  function render() {
    const { origin, decided_at: decided, former_until: until, servers = [] } = state ?? {}
    const since = decided ? say('secret.since', { date: formatTime(decided, language.name) }) : ''
    const isAlone = origin === 'mesh' && servers.length === 0
    const about = origin && say(isAlone ? 'secret.alone' : `secret.${origin}`)
    setText('secret-about', about ? since + about : failure)
    need('secret-rotate').hidden = origin !== 'mesh'
    need('secret-former').hidden = !until
    const date = until ? formatTime(until, language.name) : ''
    setText('secret-former', date && say('secret.former', { date }))
    need('secret-servers').replaceChildren(...[...servers].sort(byName).map(line))
    renderAway()
  }

  /** @param {SecretState['servers'][number]} server */
  function line({ name, has_it: hasIt }) {
    const words = say(hasIt ? 'secret.has' : 'secret.lacks')
    const what = make('span', { className: 'what' }, make('b', { textContent: name }))
    const item = make('li', {}, what, make('span', { className: 'state', textContent: words }))
    item.dataset.state = hasIt ? 'online' : 'offline'
    return item
  }

  /** Who will have to hurry. */
  function renderAway() {
    const connected = (status.now?.servers ?? []).filter(
      (/** @type {any} */ one) => one.connected_at !== null
    )
    const here = new Set(connected.map((/** @type {any} */ one) => one.peer_id))
    const away = (state?.servers ?? []).filter(({ id }) => !here.has(id)).map(({ name }) => name)
    need('rotate-away').hidden = away.length === 0
    setText('rotate-away', away.length > 0 ? say('rotate.away', { names: away.join(', ') }) : '')
  }

  async function rotate() {
    setText('rotate-text', '')
    const window = Number(need('rotate-window', HTMLSelectElement).value)
    try {
      state = await api.call('POST', 'api/secret', { body: { window } })
      dialog.close()
      notice.tell(state?.message ?? '')
      render()
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      setText('rotate-text', error.message)
    }
  }

  onClick('secret-rotate', () => {
    setText('rotate-text', '')
    renderAway()
    dialog.showModal()
    need('rotate-no').focus()
  })
  for (const id of ['rotate-close', 'rotate-no']) onClick(id, () => dialog.close())
  need('rotate-form').addEventListener('submit', (event) => event.preventDefault())
  onAction('rotate-yes', rotate)
  language.onChange(render)
  return { show, renderAway }
}
