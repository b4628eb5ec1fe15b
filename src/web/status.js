// @ts-check
// The node's state while someone looks: asked when an event says that it has changed, else now and
// then; every few seconds where no events come.

import { ApiError } from './api.js'
import { make, need, setText } from './dom.js'
import { byName, formatDuration, formatLatency, formatSize, shortenId } from './format.js'
import { sayCause, sayServerError } from './reasons.js'

/** @import { Language } from './language.js' */

const POLL_MS = 3000
const POLL_LIVE_MS = 30_000
/** Events come in bursts. */
const SOON_MS = 500
const ANSWER_MS_MAX = 5000
const STATES = /** @type {const} */ (['healthy', 'degraded', 'read_only', 'critical'])

/**
 * The word that sums a status up.
 * @param {Record<string, any> | undefined} status
 * @param {boolean} isReachable
 */
export function stateOf(status, isReachable) {
  if (!isReachable) return 'unreachable'
  if (status === undefined) return 'waiting'
  return STATES.find((state) => state === status.status) ?? 'off'
}

/** @typedef {ReturnType<typeof createStatus>} Status */

/**
 * @param {{ api: import('./api.js').Api, language: Language, onChange: () => void,
 *   onStatus: () => void }} parts `onChange` runs when the images are no longer the same,
 *   `onStatus` after every answer
 */
export function createStatus({ api, language, onChange, onStatus }) {
  /** @type {Record<string, any> | undefined} */
  let status
  /** @type {ApiError | undefined} */
  let failure
  let isAsking = false
  let timer = 0
  let isLive = false
  let isSoon = false

  async function poll() {
    if (isAsking) {
      isSoon = true
      return
    }
    isAsking = true
    isSoon = false
    clearTimeout(timer)
    try {
      const next = await api.call('GET', 'api/storage-status', { timeoutMs: ANSWER_MS_MAX })
      const isChanged = failure !== undefined || marksOf(next) !== marksOf(status ?? next)
      status = { ...next, servers: next.servers?.toSorted(byName) }
      failure = undefined
      if (isChanged) onChange()
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      failure = error
    } finally {
      isAsking = false
      const rest = isLive && failure === undefined ? POLL_LIVE_MS : POLL_MS
      plan(isSoon ? SOON_MS : rest) // what changed while it was asked is not in the answer
    }
    render()
    onStatus()
  }

  /** @param {number} ms */
  function plan(ms) {
    clearTimeout(timer)
    if (!document.hidden) timer = window.setTimeout(poll, ms)
  }

  function render() {
    const state = stateOf(status, failure === undefined)
    need('pill').dataset.state = state
    setText('pill', language.say(`status.${state}`))
    document.body.classList.toggle('stale', failure !== undefined)
    need('unreachable').hidden = failure === undefined
    const isSilent = failure?.status === 0
    setText('unreachable', isSilent ? language.say('unreachable') : (failure?.message ?? ''))
    if (status !== undefined) renderStatus(status, language)
  }

  document.addEventListener('visibilitychange', () => {
    if (!document.hidden) poll()
  })
  language.onChange(render)
  return {
    poll,
    render,
    /** Something has changed. */
    soon() {
      if (isSoon) return
      isSoon = true
      if (!isAsking) plan(SOON_MS)
    },
    /** @param {boolean} next whether changes are told as they happen */
    setLive(next) {
      if (isLive === next) return
      isLive = next
      if (!isAsking) plan(isLive ? POLL_LIVE_MS : POLL_MS)
    },
    /** The last answer. */
    get now() {
      return status
    },
    /**
     * What people call a server.
     * @param {string} peerId
     */
    nameOf(peerId) {
      const { node, servers = [] } = status ?? {}
      const known = [node, ...servers].find((one) => one?.peer_id === peerId)
      return known?.name ?? shortenId(peerId)
    }
  }
}

/** @param {Record<string, any>} status */
function marksOf({ total_files, total_size, deleted_files }) {
  return [total_files, total_size, deleted_files].join()
}

/**
 * @param {Record<string, any>} status
 * @param {Language} language
 */
function renderStatus(status, language) {
  const { name: locale, say } = language
  const { node = {}, disk, distributed_storage: isShared, message, status_causes = [] } = status
  const uptime = node.uptime_seconds
  setText('node-name', node.name ?? '')
  setText('version', node.version ?? '–')
  setText('uptime', uptime === undefined ? '–' : formatDuration(uptime, locale))
  setText('peer', shortenId(node.peer_id ?? '–'))
  need('peer').title = node.peer_id ?? ''

  const off = { code: 'off', text: say('status.off') }
  /** @type {Parameters<typeof sayCause>[0][]} */
  const reasons = [...(isShared === false && message ? [off] : []), ...status_causes]
  need('reasons').hidden = reasons.length === 0
  need('reasons').replaceChildren(...reasons.map((cause) => reasonLine(cause, language)))
  for (const place of document.querySelectorAll('[data-count]')) {
    const name = place.getAttribute('data-count') ?? ''
    const value = status[name] ?? '–'
    const isSize = name === 'total_size' && value !== '–'
    setText(place, isSize ? formatSize(value) : value.toLocaleString(locale))
    const isTrouble = /^(missing|corrupted)/.test(name) && value > 0
    place.classList.toggle('trouble', isTrouble)
  }
  renderServers(status.servers ?? [], language)
  setText('brief', briefOf(status, say))
  if (!(disk?.total > 0)) return
  const ours = status.local_size ?? 0
  /** @param {number} bytes a little is still seen */
  const share = (bytes) =>
    bytes > 0 ? `max(2px, ${Math.min(100, (100 * bytes) / disk.total)}%)` : '0'
  need('disk-ours').style.width = share(ours)
  need('disk-other').style.width = share(disk.used - ours)
  const [free, total] = [formatSize(disk.free), formatSize(disk.total)]
  setText('disk-text', say('disk.text', { ours: formatSize(ours), free, total }))
  need('disk-text').classList.toggle('trouble', disk.state === 'low' || disk.state === 'full')
}

/**
 * A reason that a person must decide about leads to where that is done.
 * @param {Parameters<typeof sayCause>[0]} cause
 * @param {Language} language
 */
function reasonLine(cause, language) {
  const { say } = language
  const line = make('li', { textContent: sayCause(cause, language) })
  if (/^(brake_|review$)/.test(cause.code))
    line.append(make('a', { href: '#/safety', textContent: say('node.decide') }))
  return line
}

/**
 * The node in one line, for windows without room for its card.
 * @param {Record<string, any>} status
 * @param {Language['say']} say
 */
export function briefOf({ total_files, servers = [], disk }, say) {
  const connected = servers.filter((/** @type {any} */ one) => one.connected_at !== null).length
  const parts = [say('brief.images', { count: total_files ?? 0 })]
  if (servers.length > 0)
    parts.push(say('brief.servers', { online: connected, all: servers.length }))
  if (disk?.total > 0) parts.push(say('brief.free', { free: formatSize(disk.free) }))
  return parts.join(' · ')
}

/**
 * Where there are none, or they are not for this caller, nothing is shown.
 * @param {Record<string, any>[]} servers
 * @param {Language} language
 */
function renderServers(servers, language) {
  const { name: locale, say } = language
  need('servers-card').hidden = servers.length === 0
  const lines = servers.map((server) => {
    const state = make('span', {
      className: 'quiet',
      textContent: wordsOfServer(server, locale, say)
    })
    const line = make('li', {}, make('b', { textContent: server.name }), state)
    line.dataset.state = server.status
    line.title = sayServerError(server, language) || server.peer_id
    return line
  })
  need('servers').replaceChildren(...lines)
}

/**
 * "Up to date · 0.4 ms", "Catching up · 12 to fetch".
 * @param {Record<string, any>} server
 * @param {string} locale
 * @param {Language['say']} say
 */
export function wordsOfServer({ status, missing_files, latency_ms, disk_state }, locale, say) {
  const count =
    missing_files > 0 ? say('servers.lacks', { count: missing_files.toLocaleString(locale) }) : ''
  const latency = latency_ms === null ? '' : formatLatency(latency_ms, locale)
  const disk = disk_state === 'full' ? say('servers.full') : ''
  return [say(/** @type {'servers.online'} */ (`servers.${status}`)), disk, count, latency]
    .filter(Boolean)
    .join(' · ')
}
