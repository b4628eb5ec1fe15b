// @ts-check
// Images that wait for a person: each is restored or discarded.

import { ApiError } from './api.js'
import { make, need, onClick, setText } from './dom.js'
import { formatSize, formatTime } from './format.js'
import { confirm, onAction } from './notice.js'
import { sayTaskError } from './reasons.js'

/** @import { Language } from './language.js' */

const SHOWN_MAX = 200
const TASK_MS = 1000

/**
 * @param {{ api: import('./api.js').Api, language: Language,
 *   status: import('./status.js').Status, onChange: () => void }} parts
 */
export function createReview({ api, language, status, onChange }) {
  const { say } = language
  /** @type {Record<string, any>[]} */
  let files = []
  /** @type {number | undefined} */
  let total
  let asked = -1

  /** Asks again where the number of them has changed. */
  async function render() {
    const { review_files: count = 0 } = status.now ?? {}
    if (need('safety').hidden || status.now === undefined || count === asked) return
    await load(count)
  }

  /** @param {number} count */
  async function load(count) {
    asked = count
    try {
      const answer =
        count === 0
          ? { files: [], total: 0 }
          : await api.call('GET', `api/review?limit=${SHOWN_MAX}`)
      files = answer.files
      total = answer.total
      paint()
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      setText('review-about', api.whyNot(error))
    }
  }

  function paint() {
    const servers = [...new Set(files.map(({ refused_by }) => refused_by))].join(', ')
    const some = () => say('review.some', { count: total ?? files.length, servers })
    const cut =
      files.length < (total ?? 0) ? ` ${say('review.shown', { count: files.length })}` : ''
    setText('review-about', files.length === 0 ? say('review.none') : some() + cut)
    need('review-list').hidden = files.length === 0
    need('review-actions').hidden = files.length === 0
    need('review-list').replaceChildren(...files.map(line))
  }

  /** @param {Record<string, any>} file */
  function line(file) {
    const { path, size, since } = file
    const box = make('input', { type: 'checkbox', value: path })
    const facts = `${formatSize(size)} · ${formatTime(since, language.name)}`
    return make(
      'li',
      {},
      make(
        'label',
        {},
        box,
        make('span', { className: 'name', textContent: path, title: path }),
        make('span', { className: 'quiet', textContent: facts })
      )
    )
  }

  /** @returns {HTMLInputElement[]} */
  const boxes = () => [...need('review-list').querySelectorAll('input')]

  /** @param {'restore' | 'discard'} action */
  async function decide(action) {
    const paths = boxes().flatMap(({ checked, value }) => (checked ? [value] : []))
    const isAll = paths.length === files.length
    const count = isAll ? (total ?? paths.length) : paths.length
    if (count === 0) return
    if (action === 'discard') {
      const title = say('review.discard.title', { count })
      const text = say('review.discard.text')
      if (!(await confirm({ title, text, yes: say('review.discard') }))) return
    }
    setText('review-text', say('review.working', { count }))
    try {
      const body = isAll ? { action, all: true } : { action, paths }
      const answer = await api.call('POST', 'api/review', { body })
      setText('review-text', answer.task_id ? await ended(answer.task_id) : answer.message)
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      setText('review-text', error.message)
    }
    asked = -1
    await status.poll()
    onChange()
  }

  /**
   * What a task says at its end.
   * @param {string} id
   * @returns {Promise<string>}
   */
  async function ended(id) {
    for (;;) {
      const task = await api.call('GET', `file-sync/api/file-sync/tasks/${id}`)
      if (task.status !== 'running') return sayTaskError(task, language) ?? ''
      setText('review-text', say('tasks.of', { done: task.processed, total: task.total }))
      await new Promise((resolve) => setTimeout(resolve, TASK_MS))
    }
  }

  onClick('review-all', () => {
    for (const box of boxes()) box.checked = true
  })
  onAction('review-restore', () => decide('restore'))
  onAction('review-discard', () => decide('discard'))
  language.onChange(paint)
  return { render }
}
