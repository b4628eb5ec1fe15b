// @ts-check
// Who changed what on this node: the latest lines of its audit, asked for while they are looked at.

import { ApiError } from './api.js'
import { make, need, setText } from './dom.js'
import { formatAgo, formatTime } from './format.js'

/** @import { Language } from './language.js' */

const LINES = 100
const REFRESH_MS = 5000

/**
 * What a line is about, in a few words: an image, a server or a key by its name, else how many.
 * @param {Record<string, any>} [about]
 */
export function subjectOf({ path, file_path, from, to, name, address, reason, ...about } = {}) {
  const many = [about.paths, about.hashes, about.image_ids, about.folders].find(Array.isArray)
  const moved = from && to ? `${from} → ${to}` : undefined
  const listed = many?.length === 1 ? String(many[0]) : many && `${many[0]} … (${many.length})`
  const subject =
    path ?? file_path ?? moved ?? name ?? address ?? listed ?? about.sha256 ?? about.id
  return [subject, about.action, reason].filter(Boolean).join(' · ')
}

/**
 * @param {{ api: import('./api.js').Api, language: Language }} parts
 */
export function createAudit({ api, language }) {
  const box = need('audit-box', HTMLDetailsElement)
  let timer = 0

  async function show() {
    clearTimeout(timer)
    if (!box.open || need('activity').hidden || document.hidden) return
    try {
      const { lines } = await api.call('GET', `api/audit?limit=${LINES}`)
      need('audit-none').hidden = lines.length > 0
      setText('audit-none', language.say('audit.none'))
      if (!need('audit').matches(':hover')) need('audit').replaceChildren(...lines.map(line))
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      setText('audit-none', api.whyNot(error))
      need('audit-none').hidden = false
    }
    timer = window.setTimeout(show, REFRESH_MS)
  }

  /** @param {Record<string, any>} one */
  function line({ at, action, by, from, status, about }) {
    const time = make('time', { textContent: formatAgo(at, language.name) })
    time.title = formatTime(at, language.name)
    const subject = subjectOf(about)
    const who = [by, from, status >= 400 ? String(status) : ''].filter(Boolean).join(' · ')
    const name = make('span', { className: 'name', textContent: subject })
    name.title = JSON.stringify(about ?? {})
    const facts = make('span', { className: 'quiet about', textContent: who })
    const key = /** @type {'did.add'} */ (`did.${action}`)
    const did = language.has(key) ? language.say(key) : action
    return make('li', {}, time, make('b', { textContent: did }), name, facts)
  }

  box.addEventListener('toggle', show)
  document.addEventListener('visibilitychange', show)
  language.onChange(show)
  return { show }
}
