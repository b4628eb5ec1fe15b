// @ts-check
// A link to one image that ends: an address that the node signs, for those who have no key.

import { ApiError } from './api.js'
import { need, onClick, setText } from './dom.js'
import { formatTime } from './format.js'

/**
 * @param {{ api: import('./api.js').Api, language: import('./language.js').Language,
 *   onClose: () => void }} parts `onClose` runs when the person is done with it
 */
export function createShare({ api, language, onClose }) {
  const { say } = language
  const valid = need('share-valid', HTMLSelectElement)
  let path = ''

  /** @param {string} next path of the image */
  function open(next) {
    path = next
    forget()
    valid.focus()
  }

  /** Who looks at the page later shall not find it. */
  function forget() {
    need('share-made').hidden = true
    setText('share-line', '')
    tell('')
  }

  async function make() {
    const asked = path
    try {
      const body = { path, expires_in: Number(valid.value) }
      const { url, expires_at } = await api.call('POST', 'api/sign', { body })
      if (asked !== path) return
      setText('share-line', new URL(url, location.href).href)
      need('share-made').hidden = false
      tell(say('share.until', { date: formatTime(expires_at, language.name) }))
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      if (asked === path) tell(error.message, true)
    }
  }

  /**
   * @param {string} text
   * @param {boolean} [isBad]
   */
  function tell(text, isBad = false) {
    setText('share-text', text)
    need('share-text').classList.toggle('trouble', isBad)
  }

  need('share-form').addEventListener('submit', (event) => {
    event.preventDefault()
    make()
  })
  onClick('share-close', onClose)
  return { open, forget }
}
