// @ts-check
// What this page may do from here: says a refusal in words, and keeps the key a person pastes.

import { need, onClick, setText } from './dom.js'

/** @import { Denial } from './api.js' */

const STORED = 'tumesh.key'

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
 *   store: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'> }} parts
 */
export function createAccess({ language, store, onChange }) {
  const { say } = language
  const input = need('access-key', HTMLInputElement)
  const key = () => store.getItem(STORED)
  /** @type {Denial | undefined} */
  let denial

  function render() {
    const hasKey = key() !== null
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

  need('access-form').addEventListener('submit', (event) => {
    event.preventDefault()
    const next = input.value.trim()
    const fits = /^[\x21-\x7e]+$/.test(next) // nothing else can stand in a header
    setText('access-kept', say(fits ? 'access.kept' : 'access.bad'))
    if (!fits) return
    store.setItem(STORED, next)
    changed()
  })
  onClick('access-forget', () => {
    store.removeItem(STORED)
    changed()
  })
  language.onChange(render)
  render()

  return {
    key,
    /** @param {Denial} next */
    deny(next) {
      // not being let in to read says more than not being let in to write
      if (denial?.method !== 'GET' || next.method === 'GET') denial = next
      render()
    }
  }
}
