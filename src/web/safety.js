// @ts-check
// Whether the images are safe: brakes that wait for a person, the reading again of what is stored,
// the room on the disk, and whether this server may be switched off.

import { ApiError } from './api.js'
import { make, need, setText } from './dom.js'
import { formatAgo, formatSize, formatTime } from './format.js'
import { confirm, onAction } from './notice.js'
import { sayCause, sayTaskError } from './reasons.js'

/** @import { Language } from './language.js' */

const TASK_MS = 1000
const FAULTS_SHOWN_MAX = 50
const STOPPED_SHOWN = 10

/**
 * @param {{ api: import('./api.js').Api, language: Language,
 *   notice: import('./notice.js').Notice, status: import('./status.js').Status }} parts
 */
export function createSafety({ api, language, notice, status }) {
  const { say } = language
  /** @type {Record<string, any>[]} */
  let brakes = []
  /** @type {string | undefined} the reasons for which they were asked last */
  let askedBrakes

  function show() {
    askedBrakes = undefined
    render()
    resume('verify', followVerify)
    resume('drain', followDrain)
  }

  function render() {
    const { now } = status
    if (now === undefined || need('safety').hidden) return
    renderScrub(now.integrity)
    renderDisk(now, language)
    setText('safety-sum', sumOf(now))
    // what stopped the node is among the reasons
    const reasons = now.status_reasons?.join() ?? ''
    if (reasons !== askedBrakes) askBrakes(reasons)
  }

  /** @param {Record<string, any>} now */
  function sumOf({ status: state, review_files: count }) {
    if (brakes.length > 0) return say('safety.brakes')
    if (count > 0) return say('safety.review', { count })
    return say(state === 'healthy' ? 'safety.good' : 'safety.trouble')
  }

  /** @param {Record<string, any>} integrity */
  function renderScrub({ last_scan_at, next_scan_at, ...counts }) {
    const { name } = language
    setText('scrub-last', last_scan_at ? formatAgo(last_scan_at, name) : say('scrub.never'))
    need('scrub-last').title = last_scan_at ? formatTime(last_scan_at, name) : ''
    setText('scrub-next', next_scan_at ? formatTime(next_scan_at, name) : say('scrub.off'))
    const show = (/** @type {string} */ id, /** @type {number} */ count, isBad = false) => {
      setText(id, count.toLocaleString(name))
      need(id).classList.toggle('trouble', isBad && count > 0)
    }
    show('scrub-scanned', counts.scanned_files)
    show('scrub-found', counts.corrupted_files, counts.unrepairable_files > 0)
    show('scrub-repaired', counts.repaired_files)
    show('scrub-lost', counts.unrepairable_files, true)
  }

  /** @param {string} reasons */
  async function askBrakes(reasons) {
    askedBrakes = reasons
    try {
      brakes = (await api.call('GET', 'api/brakes')).brakes
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      brakes = []
    }
    need('brakes').replaceChildren(...brakes.map(brakeCard))
    for (const { kind, token } of brakes) if (kind === 'changes') void showStopped(token)
    render()
  }

  /** @param {Record<string, any>} brake */
  function brakeCard({ kind, token, since, count, of, reason }) {
    const title = say(/** @type {'brake.loss'} */ (`brake.${kind}`))
    const date = formatTime(since, language.name)
    const cause = { code: `brake_${kind}`, text: reason, details: { count, of } }
    const yes = make('button', { type: 'button', className: 'danger' }, say('brake.confirm'))
    yes.onclick = () =>
      release(token, 'confirm', {
        title: say('brake.confirm.title'),
        text: say(/** @type {'brake.confirm.loss'} */ (`brake.confirm.${kind}`)),
        yes: say('brake.confirm')
      })
    const actions = make('div', { className: 'actions' }, yes)
    if (kind === 'changes') {
      const undo = make('button', { type: 'button' }, say('brake.undo'))
      undo.onclick = () =>
        release(token, 'undo', {
          title: say('brake.undo.title'),
          text: say('brake.undo.text'),
          yes: say('brake.undo')
        })
      actions.prepend(undo)
    }
    return make(
      'li',
      { className: 'card' },
      make('h3', { textContent: title }),
      make('p', { textContent: say('brake.count', { count, of, date }) }),
      make('p', { className: 'quiet', textContent: sayCause(cause, language) }),
      make('ul', { id: `stopped-${token}`, className: 'faults', tabIndex: 0, hidden: true }),
      actions
    )
  }

  /**
   * What an undo would take back, for those who may do that.
   * @param {string} token
   */
  async function showStopped(token) {
    const list = document.getElementById(`stopped-${token}`)
    try {
      const answer = await api.call('GET', `api/brakes/${token}?limit=${STOPPED_SHOWN}`)
      list?.replaceChildren(...stoppedLines(answer, language))
      if (list) list.hidden = false
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
    }
  }

  /**
   * @param {string} token
   * @param {'confirm' | 'undo'} action
   * @param {{ title: string, text: string, yes: string }} words
   */
  async function release(token, action, words) {
    if (!(await confirm(words))) return
    try {
      notice.tell((await api.call('POST', 'api/brakes', { body: { token, action } })).message)
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      notice.tell(error.message)
    }
    askedBrakes = undefined
    await status.poll()
  }

  /**
   * Goes on showing a task that runs since before the view was opened.
   * @param {string} kind
   * @param {(id: string) => Promise<void>} follow
   */
  async function resume(kind, follow) {
    try {
      const { tasks } = await api.call('GET', 'file-sync/api/file-sync/tasks')
      const isRunning = (/** @type {any} */ one) => one.kind === kind && one.status === 'running'
      const task = tasks.find(isRunning)
      if (task !== undefined) await follow(task.task_id)
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
    }
  }

  /**
   * The task once it has ended, or undefined when the view is left before.
   * @param {string} id
   * @param {string} bar id of its progress bar
   * @param {(task: Record<string, any>) => void} onStep
   */
  async function followTask(id, bar, onStep) {
    const progress = need(bar, HTMLProgressElement)
    progress.hidden = false
    try {
      for (;;) {
        const task = await api.call('GET', `file-sync/api/file-sync/tasks/${id}`)
        if (task.total > 0) Object.assign(progress, { max: task.total, value: task.processed })
        else progress.removeAttribute('value')
        if (task.status !== 'running') return task
        onStep(task)
        await new Promise((resolve) => setTimeout(resolve, TASK_MS))
        if (need('safety').hidden) return undefined
      }
    } finally {
      progress.hidden = true
    }
  }

  async function verifyAll() {
    setText('verify-text', say('scrub.starting'))
    need('verify-list').hidden = true
    try {
      const url = 'file-sync/api/file-sync/verify'
      const { task_id } = await api.call('POST', url, { body: {}, inBackground: true })
      await followVerify(task_id)
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      setText('verify-text', error.message)
    }
  }

  /** @param {string} id */
  async function followVerify(id) {
    const task = await followTask(id, 'verify-bar', ({ processed, total }) => {
      setText('verify-text', say('scrub.running', { done: processed, total }))
    })
    if (task === undefined) return
    const { result } = task
    const detail = sayTaskError(task, language) ?? task.status
    setText('verify-text', result?.message ?? say('scrub.failed', { detail }))
    const damaged = (result?.corrupted_files ?? []).map(
      (/** @type {any} */ { path, action }) => `${path}: ${action}`
    )
    const lost = (result?.unrepairable_files ?? []).filter(
      (/** @type {string} */ path) =>
        !damaged.some((/** @type {string} */ one) => one.startsWith(`${path}: `))
    )
    showFaults('verify-list', [...damaged, ...lost])
    await status.poll()
  }

  async function checkDrain() {
    setText('drain-text', say('drain.checking'))
    await drain('GET')
  }

  /** @param {'GET' | 'POST'} method */
  async function drain(method) {
    try {
      const answer = await api.call(method, 'api/drain')
      showDrain(answer)
      if (answer.task_id) await followDrain(answer.task_id)
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      setText('drain-text', error.message)
    }
  }

  /** @param {Record<string, any>} answer */
  function showDrain({ message, only_here_files: count, only_here_bytes, ...answer }) {
    const size = formatSize(only_here_bytes)
    const left = count > 0 ? ` ${say('drain.left', { count, size })}` : ''
    setText('drain-text', answer.safe_to_switch_off ? message : `${message}${left && `\n${left}`}`)
    need('drain-text').classList.toggle('good', answer.safe_to_switch_off)
    need('drain-start').hidden = count === 0 || answer.servers.length === 0
    showFaults('drain-list', answer.only_here_paths)
  }

  /** @param {string} id */
  async function followDrain(id) {
    need('drain-start').hidden = true
    const task = await followTask(id, 'drain-bar', () => {})
    if (task === undefined) return
    showDrain(await api.call('GET', 'api/drain'))
  }

  onAction('verify-all', verifyAll)
  onAction('drain-check', checkDrain)
  onAction('drain-start', () => drain('POST'))
  language.onChange(() => {
    askedBrakes = undefined
    render()
  })
  return { show, render }
}

/**
 * @param {Record<string, any>} stopped
 * @param {Language} language
 */
function stoppedLines({ images, missing, uncounted, blocks, changes }, { say, name }) {
  const lines = changes.map((/** @type {any} */ { what, path, sha256, at, held, reason }) => {
    const why = [held ? say('stopped.held') : '', reason ?? ''].filter(Boolean).join(': ')
    const verb = say(/** @type {'stopped.deleted'} */ (`stopped.${what}`))
    return [verb, path ?? sha256, formatTime(at, name), why].filter(Boolean).join(' · ')
  })
  const count = images + blocks - changes.length
  if (count > 0) lines.push(say(uncounted ? 'stopped.more_least' : 'stopped.more', { count }))
  if (missing > 0) lines.push(say('stopped.missing', { count: missing }))
  return lines.map((/** @type {string} */ textContent) => make('li', { textContent }))
}

/**
 * @param {string} id
 * @param {string[]} lines
 */
function showFaults(id, lines) {
  need(id).hidden = lines.length === 0
  const shown = lines.slice(0, FAULTS_SHOWN_MAX)
  if (lines.length > shown.length) shown.push('…')
  need(id).replaceChildren(...shown.map((textContent) => make('li', { textContent })))
}

/**
 * The ladder of the disk: what the node does as it fills, and on which step it stands.
 * @param {Record<string, any>} status
 * @param {Language} language
 */
function renderDisk({ disk, local_size = 0, quarantined_files }, { name: locale, say }) {
  const share = (/** @type {number} */ bytes) => `${Math.min(100, (100 * bytes) / disk.total)}%`
  need('meter-ours').style.width = share(local_size)
  need('meter-other').style.width = share(Math.max(0, disk.used - local_size))
  need('meter-low').style.right = share(2 * disk.reserved)
  need('meter-full').style.right = share(disk.reserved)
  const [ours, free, total] = [local_size, disk.free, disk.total].map(formatSize)
  setText(
    'meter-text',
    say('disk.text', { ours: ours ?? '', free: free ?? '', total: total ?? '' })
  )
  const { inodes_reserved: files } = disk
  const count = (/** @type {number} */ value) => value.toLocaleString(locale)
  const steps = /** @type {const} */ ([
    ['ok', 'disk.from', 2],
    ['low', 'disk.under', 2],
    ['full', 'disk.under', 1]
  ])
  const rows = steps.map(([state, bound, times]) => {
    const limit = (/** @type {string} */ amount) => say(bound, { amount })
    const row = make(
      'tr',
      {},
      make('th', { scope: 'row', textContent: say(`disk.${state}`) }),
      make('td', { textContent: limit(formatSize(times * disk.reserved)) }),
      make('td', { textContent: limit(count(times * files)) })
    )
    row.dataset.state = state
    if (disk.state === state) row.ariaCurrent = 'step'
    return row
  })
  const isCounted = disk.inodes_total !== null
  const now = make(
    'tr',
    { className: 'now' },
    make('th', { scope: 'row', textContent: say('disk.now') }),
    make('td', { textContent: free ?? '' }),
    make('td', { textContent: isCounted ? count(disk.inodes_free) : say('disk.any') })
  )
  need('ladder').replaceChildren(...rows, now)
  const quarantine = quarantined_files > 0
  setText('ladder-text', quarantine ? say('disk.keep', { files: quarantined_files }) : '')
}
