// @ts-check
// What happens: events as they come, what is coming in, tasks in the background, and the log.

import { ApiError } from './api.js'
import { make, need, setText } from './dom.js'
import { formatClock, formatDuration, formatShare, formatSize, formatTime } from './format.js'
import { sayServerError } from './reasons.js'

/** @import { NodeEvent } from './events.js' */
/** @import { Language } from './language.js' */

const EVENTS_MAX = 200
const POLL_MS = 1500
const POLL_QUIET_MS = 5000
const LOG_CHARACTERS_MAX = 100_000
const PAINT_MS = 200
/** Those that are told as lines; how far the node is shows elsewhere. */
const TOLD = ['entry', 'deleted', 'received', 'repaired', 'damaged', 'peer', 'missed']
const TASKS = ['sync', 'verify', 'drain', 'review', 'undo', 'find', 'adopt', 'delete']

/**
 * @param {{ api: import('./api.js').Api, language: Language,
 *   status: import('./status.js').Status, onOpen: (path: string) => void,
 *   onFirst: () => void }} parts `onFirst` runs when the view is shown for the first time
 */
export function createActivity({ api, language, status, onOpen, onFirst }) {
  const { say } = language
  const list = need('events')
  /** @type {NodeEvent[]} the latest first */
  let events = []
  let isShown = false
  let painting = 0
  let timer = 0
  /** @type {AbortController | undefined} */
  let log

  function show() {
    if (!isShown) {
      isShown = true
      events = []
      onFirst()
    }
    poll()
    followLog()
    paint()
  }

  /** @param {NodeEvent} event */
  function add(event) {
    if (!TOLD.includes(event.kind)) return
    events = [event, ...events].slice(0, EVENTS_MAX)
    // they come in bursts
    if (painting === 0) painting = window.setTimeout(paint, PAINT_MS)
  }

  function paint() {
    painting = 0
    if (need('activity').hidden) return
    need('events-none').hidden = events.length > 0 || need('live').dataset.state !== 'on'
    if (list.matches(':hover, :focus-within') && list.childElementCount > 0) {
      painting = window.setTimeout(paint, 5 * PAINT_MS) // nothing moves under the hand
      return
    }
    list.replaceChildren(...events.map(line))
  }

  /** @param {NodeEvent} event */
  function line({ kind, facts }) {
    const { at, path, name, more, count } = facts
    const time = make('time', { textContent: at ? formatClock(at, language.name) : '' })
    if (at) time.title = formatTime(at, language.name)
    const label = say(/** @type {'event.entry'} */ (`event.${kind}`))
    const item = make('li', {}, time, make('b', { textContent: label }))
    item.dataset.kind = kind
    if (path) {
      const link = make('button', { type: 'button', className: 'link name', textContent: path })
      link.title = path
      link.onclick = () => onOpen(path)
      item.append(link)
    } else if (name) item.append(make('span', { className: 'name', textContent: name }))
    const about = aboutOf(kind, facts)
    if (more ?? count) item.append(say('event.more', { count: more ?? count }))
    if (about !== '') item.append(make('span', { className: 'quiet about', textContent: about }))
    return item
  }

  /**
   * @param {string} kind
   * @param {Record<string, any>} facts
   */
  function aboutOf(kind, { status: state, size, from, writer, reason, ...server }) {
    if (kind === 'peer') {
      const known = state === 'removed' ? 'event.removed' : `servers.${state}`
      const words = say(/** @type {'servers.online'} */ (known))
      const why = sayServerError(server, language)
      return why ? `${words}: ${why}` : words
    }
    const source = from ?? undefined
    const parts = [
      size > 0 ? formatSize(size) : '',
      source ? say('event.from', { name: status.nameOf(source) }) : '',
      !source && writer ? say('event.by', { name: status.nameOf(writer) }) : '',
      reason ?? ''
    ]
    return parts.filter(Boolean).join(' · ')
  }

  async function poll() {
    clearTimeout(timer)
    if (need('activity').hidden || document.hidden) return
    let isBusy = false
    try {
      const [state, { tasks }] = await Promise.all([
        api.call('GET', 'file-sync/api/file-sync/status'),
        api.call('GET', 'file-sync/api/file-sync/tasks')
      ])
      renderTransfers(state)
      const running = tasks.filter((/** @type {any} */ task) => task.status === 'running')
      renderTasks(running)
      isBusy = state.sync_queue_size > 0 || running.length > 0
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      setText('transfers-none', api.whyNot(error))
    }
    timer = window.setTimeout(poll, isBusy ? POLL_MS : POLL_QUIET_MS)
  }

  /** @param {Record<string, any>} state */
  function renderTransfers({ active_transfers, progress, sync_queue_size, ...state }) {
    need('transfers').replaceChildren(...active_transfers.map(transfer))
    const waiting = sync_queue_size - active_transfers.length
    const none = waiting > 0 ? say('transfers.waiting', { count: waiting }) : say('transfers.none')
    setText('transfers-none', waiting > 0 || active_transfers.length === 0 ? none : '')
    const isWhole = progress.done_files >= progress.total_files
    need('progress-whole').hidden = isWhole
    need('progress-bar', HTMLProgressElement).value = progress.percent
    const left = progress.eta_seconds
    const whole = say('transfers.whole', {
      percent: formatShare(progress.percent / 100, language.name)
    })
    const time = left > 0 ? formatDuration(left, language.name) : ''
    setText('progress-text', time ? `${whole} · ${say('mesh.eta', { time })}` : whole)
    const sums = [
      [say('traffic.received'), formatSize(state.bytes_received)],
      [say('traffic.sent'), formatSize(state.bytes_sent)]
    ]
    need('traffic').replaceChildren(
      ...sums.map(([term = '', value = '']) =>
        make('div', {}, make('dt', { textContent: term }), make('dd', { textContent: value }))
      )
    )
  }

  /** @param {Record<string, any>} one */
  function transfer({ path, sha256, from, bytes_done, size, rate }) {
    const name = path || sha256
    const words = say('transfers.from', {
      ...{ done: formatSize(bytes_done), size: formatSize(size), name: from },
      rate: formatSize(rate)
    })
    return make(
      'li',
      {},
      make('span', { className: 'name', textContent: name, title: name }),
      make('progress', { max: Math.max(size, 1), value: bytes_done, ariaLabel: name }),
      make('span', { className: 'quiet', textContent: words })
    )
  }

  /** @param {Record<string, any>[]} running */
  function renderTasks(running) {
    need('tasks-none').hidden = running.length > 0
    const lines = running.map(({ kind, processed, total }) => {
      const known = TASKS.includes(kind)
      const name = known ? say(/** @type {'task.sync'} */ (`task.${kind}`)) : kind
      const bar = make('progress', { ariaLabel: name })
      if (total > 0) Object.assign(bar, { max: total, value: processed })
      const count = total > 0 ? say('tasks.of', { done: processed, total }) : ''
      const note = make('span', { className: 'quiet', textContent: count })
      return make('li', {}, make('span', { textContent: name }), bar, note)
    })
    need('tasks').replaceChildren(...lines)
  }

  /** Only while it is open: it is a connection of its own. */
  async function followLog() {
    const isWanted =
      need('log-box').matches('[open]') && !need('activity').hidden && !document.hidden
    if (!isWanted) {
      log?.abort()
      log = undefined
      return
    }
    if (log !== undefined) return
    const mine = new AbortController()
    log = mine
    const place = need('log', HTMLTextAreaElement)
    place.value = ''
    try {
      await api.follow('stream-logs', mine.signal, (text) => {
        const isAtEnd = place.scrollTop + place.clientHeight >= place.scrollHeight - 8
        const all = place.value + text.replace(/^\n+$/, '')
        place.value = all.slice(-LOG_CHARACTERS_MAX)
        if (isAtEnd) place.scrollTop = place.scrollHeight
      })
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      if (log === mine) place.value = error.message
    }
    if (log === mine) log = undefined
  }

  need('log-box').addEventListener('toggle', followLog)
  document.addEventListener('visibilitychange', () => {
    poll()
    followLog()
  })
  setText('log-command', `curl -N ${new URL('stream-logs', document.baseURI)}`)
  language.onChange(() => {
    paint()
    poll()
  })
  return {
    show,
    add,
    hide: followLog,
    /** @param {import('./events.js').Live} live */
    setLive(live) {
      need('live').dataset.state = live
      setText('live', say(/** @type {'live.on'} */ (`live.${live}`)))
      if (painting === 0) painting = window.setTimeout(paint, PAINT_MS)
    }
  }
}
