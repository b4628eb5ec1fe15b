// @ts-check
// The mesh: a picture of it, a table that says the same, and who leaves it.

import { ApiError } from './api.js'
import { make, need, setText } from './dom.js'
import { formatAgo, formatDuration, formatLatency, shortenId } from './format.js'
import { behindOf, drawMesh } from './mesh-picture.js'
import { confirm, onAction } from './notice.js'
import { sayServerError } from './reasons.js'

/** @import { Language } from './language.js' */

/** Clocks that differ by more are told. */
const CLOCK_MS = 2000

/**
 * @param {{ api: import('./api.js').Api, language: Language,
 *   notice: import('./notice.js').Notice, status: import('./status.js').Status }} parts
 */
export function createMesh({ api, language, notice, status }) {
  const { say } = language
  /** @type {string | undefined} why the servers can't be seen from here */
  let failure

  /** Whether other servers may be seen from here only the list of them tells. */
  async function show() {
    failure = undefined
    try {
      await api.call('GET', 'api/peers')
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      failure = api.whyNot(error)
    }
    render()
  }

  function render() {
    const { node, servers = [], distributed_storage: isShared } = status.now ?? {}
    if (need('mesh').hidden || node === undefined) return
    const connected = servers.filter((/** @type {any} */ one) => one.connected_at !== null)
    const isAlone = servers.length === 0
    setText(
      'mesh-count',
      isAlone ? '' : say('mesh.count', { online: connected.length, all: servers.length })
    )
    need('mesh-alone').hidden = !isAlone
    need('mesh-card').hidden = isAlone
    need('mesh-picture').hidden = isAlone
    const off = isShared === false ? say('mesh.off') : say('mesh.alone')
    setText('mesh-alone-text', failure ?? off)
    if (isAlone) return
    // a table that is made anew under the hand of who uses it loses the focus
    const rows = need('mesh-rows')
    if (!rows.matches(':focus-within')) rows.replaceChildren(...servers.map(row))
    drawPicture()
  }

  function drawPicture() {
    const { node, servers = [], sync_queue_size, pending_bytes, status: state } = status.now ?? {}
    if (node === undefined || servers.length === 0 || need('mesh').hidden) return
    const lacks = { missing_files: sync_queue_size ?? 0, missing_bytes: pending_bytes ?? 0 }
    drawMesh({ node, servers, behind: behindOf(lacks, say), state: `self-${state}` }, language)
  }

  /** @param {Record<string, any>} server */
  function row(server) {
    const { name, peer_id, host, port } = server
    const address = host ? `${host}${port ? `:${port}` : ''}` : ''
    const head = make(
      'th',
      { scope: 'row' },
      make('b', { textContent: name }),
      make('span', { className: 'quiet', textContent: address, title: address }),
      make('code', { className: 'quiet', textContent: shortenId(peer_id), title: peer_id })
    )
    const state = make('td', {}, make('span', { className: 'state' }, stateOf(server)))
    state.dataset.state = server.status
    const offset = Math.abs(server.clock_offset_ms ?? 0)
    if (offset > CLOCK_MS) {
      const textContent = say('mesh.clock', { seconds: Math.round(offset / 1000) })
      state.append(make('span', { className: 'quiet warn', textContent }))
    }
    const why = sayServerError(server, language)
    if (why) state.append(make('span', { className: 'quiet', textContent: why }))
    const button = make('button', { type: 'button', className: 'plain danger' }, say('mesh.remove'))
    button.ariaLabel = `${say('mesh.remove')} ${name}`
    button.onclick = () => remove(server)
    const { connected_at } = server
    const cells = [
      cell(say('mesh.behind'), wordsBehind(server)),
      cell(say('mesh.latency'), wordsOfLatency(server)),
      cell(say('mesh.seen'), wordsOfSeen(server), connected_at ? wordsOfTime(connected_at) : '')
    ]
    state.dataset.label = say('mesh.state')
    return make('tr', {}, head, state, ...cells, make('td', { className: 'act' }, button))
  }

  /** @param {Record<string, any>} server */
  function stateOf({ status: state, disk_state }) {
    const words = [say(/** @type {'servers.online'} */ (`servers.${state}`))]
    if (disk_state === 'full') words.push(say('servers.full'))
    return words.join(' · ')
  }

  /** @param {Record<string, any>} server */
  function wordsBehind(server) {
    const behind = behindOf(server, say)
    if (behind === '') return server.last_sync === null ? '–' : say('mesh.nothing')
    const { eta_seconds: eta } = server
    if (!(eta > 0)) return behind
    return `${behind} · ${say('mesh.eta', { time: formatDuration(eta, language.name) })}`
  }

  /** @param {Record<string, any>} server */
  function wordsOfLatency({ latency_ms, connected_at }) {
    const isKnown = connected_at !== null && latency_ms !== null
    return isKnown ? formatLatency(latency_ms, language.name) : '–'
  }

  /** @param {Record<string, any>} server */
  function wordsOfSeen({ connected_at, last_seen }) {
    if (connected_at !== null) return say('mesh.now')
    return last_seen === null ? say('mesh.never') : formatAgo(last_seen, language.name)
  }

  /** @param {string} since */
  function wordsOfTime(since) {
    const seconds = Math.max(1, (Date.now() - Date.parse(since)) / 1000)
    return say('mesh.for', { time: formatDuration(seconds, language.name) })
  }

  /** @param {Record<string, any>} server */
  async function remove({ name, peer_id }) {
    const isSure = await confirm({
      title: say('mesh.remove.title', { name }),
      text: say('mesh.remove.text'),
      yes: say('mesh.remove')
    })
    if (!isSure) return
    need('mesh').focus({ preventScroll: true }) // its row goes
    await change('DELETE', `api/peers/${encodeURIComponent(peer_id)}`)
  }

  /**
   * @param {'POST' | 'DELETE'} method
   * @param {string} url
   */
  async function change(method, url) {
    try {
      notice.tell((await api.call(method, url)).message)
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      notice.tell(error.message)
    }
    await status.poll()
  }

  onAction('mesh-sync', async () => {
    notice.tell(say('mesh.syncing'))
    await change('POST', 'api/force-file-sync')
  })
  new ResizeObserver(drawPicture).observe(need('mesh-picture'))
  language.onChange(render)
  return { show, render }
}

/**
 * @param {string} label what the column says, for windows too narrow for columns
 * @param {string} text
 * @param {string} [note]
 */
function cell(label, text, note = '') {
  const node = make('td', {}, make('span', { textContent: text }))
  if (note !== '') node.append(make('span', { className: 'quiet', textContent: note }))
  node.dataset.label = label
  return node
}
