// @ts-check
// What happens on the node, as it happens: follows /api/events, and begins again where it broke
// off.

import { ApiError } from './api.js'

const AGAIN_MS = 2000
const AGAIN_MS_MAX = 30_000

/**
 * @typedef {{ kind: string, facts: Record<string, any> }} NodeEvent
 * @typedef {'waiting' | 'on' | 'off'} Live
 * @typedef {ReturnType<typeof createEvents>} Events
 */

/**
 * Reads server-sent events (WHATWG HTML, section 9.2) from text that comes in pieces.
 * @param {(event: { id: string, kind: string, data: string }) => void} onEvent also for a bare id
 */
export function eventReader(onEvent) {
  let rest = ''
  /** @param {string} text */
  return (text) => {
    const blocks = (rest + text).split('\n\n')
    rest = blocks.pop() ?? ''
    for (const block of blocks) {
      const event = { id: '', kind: 'message', data: '' }
      for (const line of block.split('\n')) {
        const [, name, value = ''] = /^(\w+): ?(.*)$/.exec(line) ?? []
        if (name === 'id') event.id = value
        else if (name === 'event') event.kind = value
        else if (name === 'data') event.data += value
      }
      if (event.id !== '' || event.data !== '') onEvent(event)
    }
  }
}

/**
 * @param {{ api: import('./api.js').Api, onEvent: (event: NodeEvent) => void,
 *   onLive: (live: Live) => void }} parts
 */
export function createEvents({ api, onEvent, onLive }) {
  let last = ''
  let waitMs = AGAIN_MS
  let timer = 0
  /** @type {AbortController | undefined} */
  let following

  async function follow() {
    clearTimeout(timer)
    following?.abort()
    const mine = new AbortController()
    following = mine
    const read = eventReader(({ id, kind, data }) => {
      if (id !== '') last = id
      if (data !== '') onEvent({ kind, facts: JSON.parse(data) })
    })
    let isRefused = false
    try {
      const query = last === '' ? '' : `?last_event_id=${encodeURIComponent(last)}`
      await api.follow(`api/events${query}`, mine.signal, (text) => {
        waitMs = AGAIN_MS
        onLive('on')
        read(text)
      })
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      isRefused = error.status === 401 || error.status === 403
    }
    if (following !== mine) return
    onLive('off')
    // another key begins anew
    if (isRefused || document.hidden) return
    timer = window.setTimeout(follow, waitMs)
    waitMs = Math.min(2 * waitMs, AGAIN_MS_MAX)
  }

  function stop() {
    clearTimeout(timer)
    following?.abort()
    following = undefined
    onLive('off')
  }

  // each page that watches is a connection of the few that a browser opens
  document.addEventListener('visibilitychange', () => (document.hidden ? stop() : follow()))
  return {
    begin: follow,
    /** All that the node still remembers, and what comes. */
    fromStart() {
      last = '0'
      return follow()
    }
  }
}
