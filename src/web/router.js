// @ts-check
// Which view is shown: the part of the address after "#/", so that views have addresses of their
// own and the browser's back button works.

import { need, onClick } from './dom.js'

export const VIEWS = /** @type {const} */ (['images', 'mesh', 'activity', 'safety', 'settings'])

/** @typedef {typeof VIEWS[number]} View */
/** @typedef {ReturnType<typeof createRouter>} Router */

/**
 * The view that an address names; images for any other.
 * @param {string} hash "#/mesh"
 * @returns {View}
 */
export function viewOf(hash) {
  return VIEWS.find((view) => hash === `#/${view}` || hash.startsWith(`#/${view}/`)) ?? 'images'
}

/**
 * @param {{ onShow: (view: View) => void }} parts `onShow` runs for each view as it comes into
 *   sight
 */
export function createRouter({ onShow }) {
  let view = viewOf(location.hash)

  /** @param {boolean} isFirst nothing takes the focus while the page is loading */
  function show(isFirst) {
    view = viewOf(location.hash)
    document.body.dataset.view = view
    for (const name of VIEWS) need(name).hidden = name !== view
    for (const link of need('views').querySelectorAll('a')) {
      const isHere = link.getAttribute('href') === `#/${view}`
      link.ariaCurrent = isHere ? 'page' : null
    }
    if (!isFirst) {
      scrollTo(0, 0)
      need(view).focus({ preventScroll: true })
    }
    onShow(view)
  }

  window.addEventListener('hashchange', () => show(false))
  onClick('skip', () => need(view).focus())
  need('skip').addEventListener('click', (event) => event.preventDefault())
  return {
    get view() {
      return view
    },
    start: () => show(true)
  }
}
