// @ts-check
// That this server will be off for a while, told to the others so that nobody worries.

import { ApiError } from './api.js'
import { need, setText } from './dom.js'
import { formatTime } from './format.js'
import { onAction } from './notice.js'

/**
 * @param {{ api: import('./api.js').Api, language: import('./language.js').Language }} parts
 */
export function createAway({ api, language }) {
  const { say } = language
  const hours = need('away-for', HTMLSelectElement)
  /** @type {string | null} */
  let until = null
  let failure = ''

  function render() {
    const date = until === null ? '' : formatTime(until, language.name)
    setText('away-text', failure || (date && say('away.until', { date })))
    need('away-text').classList.toggle('good', failure === '' && until !== null)
    need('away-back').hidden = until === null
  }

  /**
   * @param {'GET' | 'POST' | 'DELETE'} method
   * @param {unknown} [body]
   */
  async function ask(method, body) {
    try {
      until = (await api.call(method, 'api/away', { body })).away_until
      failure = ''
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      failure = method === 'GET' ? '' : error.message
    }
    render()
  }

  need('away-form').addEventListener('submit', (event) => event.preventDefault())
  onAction('away-say', () => ask('POST', { for: hours.value }))
  onAction('away-back', async () => {
    await ask('DELETE')
    need('away-say').focus()
  })
  language.onChange(render)
  return { show: () => ask('GET') }
}
