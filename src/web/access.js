// @ts-check
// What this page may do from here: says a refusal in words, and logs in with the key a person
// pastes. The node keeps it behind a cookie that no script can read; here only that there is one.

import { need, onClick, setText } from './dom.js'

/** @import { Denial } from './api.js' */

const STORED = 'tumesh.login'

/**
 * @param {Denial} denial
 * @param {boolean} hasKey
 * @param {string} hostname where the page was opened
 * @returns {import('./language.js').Key}
 */
export function wordsOfDenial({ status, method }, hasKey, hostname) {
  if (hasKey) return status === 401 ? 'access.unknown' : 'access.scope'
  if (/^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname)) return 'access.local'
  return method === 'GET' ? 'access.read' : 'access.write'
}

/**
 * @param {{ language: import('./language.js').Language, onChange: () => void,
 *   send: (path: string, body: unknown) => Promise<Response | undefined>,
 *   store: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'> }} parts
 */
export function createAccess({ language, store, send, onChange }) {
  const { say } = language
  const input = need('access-key', HTMLInputElement)
  const isIn = () => store.getItem(STORED) !== null
  /** @type {Denial | undefined} */
  let denial

  function render() {
    const hasKey = isIn()
    need('access').hidden = !hasKey && denial === undefined
    need('access').dataset.state = denial ? 'denied' : 'open'
    need('access-forget').hidden = !hasKey
    setText('access-title', say(denial ? 'access.title' : 'access.using'))
    const local = `http://127.0.0.1:${location.port || '8000'}`
    const words = denial && wordsOfDenial(denial, hasKey, location.hostname)
    setText('access-text', words ? say(words, { local }) : '')
    setText('access-detail', denial ? say('access.says', { detail: denial.detail }) : '')
  }

  function changed() {
    input.value = ''
    denial = undefined
    render()
    onChange()
  }

  need('access-form').addEventListener('submit', async (event) => {
    event.preventDefault()
    const next = input.value.trim()
    const fits = /^[\x21-\x7e]+$/.test(next) // nothing else can stand in a header
    setText('access-kept', say(fits ? 'access.kept' : 'access.bad'))
    if (!fits) return
    const answer = await send('api/login', { key: next })
    if (!answer?.ok) {
      setText('access-kept', say(answer ? 'access.unknown' : 'noAnswer'))
      return
    }
    store.setItem(STORED, 'yes')
    changed()
  })
  onClick('access-forget', async () => {
    await send('api/logout', {})
    store.removeItem(STORED)
    changed()
  })
  language.onChange(render)
  render()

  return {
    /** @param {Denial} next */
    deny(next) {
      // not being let in to read says more than not being let in to write
      if (denial?.method !== 'GET' || next.method === 'GET') denial = next
      render()
    }
  }
}
