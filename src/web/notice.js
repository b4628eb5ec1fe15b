// @ts-check
// What was done, said at the foot of the window, with a way back where there is one; and the
// question before what can't be undone.

import { need, onClick, setText } from './dom.js'

/** @typedef {ReturnType<typeof createNotice>} Notice */

/** @param {{ view: () => string }} parts the id of the view in sight */
export function createNotice({ view }) {
  /** @type {(() => void) | undefined} */
  let back

  /**
   * @param {string} text empty: no notice
   * @param {() => void} [undo]
   */
  function tell(text, undo) {
    back = undo
    setText('notice-text', text)
    setText('announcer', text)
    need('notice').hidden = text === ''
    need('notice-undo').hidden = undo === undefined
  }

  onClick('notice-undo', () => back?.())
  onClick('notice-close', () => {
    tell('')
    need(view()).focus({ preventScroll: true })
  })
  return { tell }
}

/**
 * Asks before something that can't be undone.
 * @param {{ title: string, text: string, yes: string }} words
 * @returns {Promise<boolean>}
 */
export function confirm({ title, text, yes }) {
  const dialog = need('confirm', HTMLDialogElement)
  setText('confirm-title', title)
  setText('confirm-text', text)
  setText('confirm-yes', yes)
  dialog.returnValue = ''
  dialog.showModal()
  need('confirm-no').focus()
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => resolve(dialog.returnValue === 'yes'), { once: true })
  })
}

/**
 * Runs one thing at a time of a button, which is busy meanwhile.
 * @param {string} id of the button
 * @param {() => Promise<void>} task
 */
export function onAction(id, task) {
  const button = need(id, HTMLButtonElement)
  button.addEventListener('click', async () => {
    if (button.ariaDisabled === 'true') return
    button.ariaDisabled = 'true'
    await task().finally(() => {
      button.ariaDisabled = 'false'
    })
  })
}
