// @ts-check
// What one image has behind it: all its names, where its copies are, and what happened to it.

import { make, need, setText } from './dom.js'
import { byName, formatAgo, formatTime, shortenId } from './format.js'
import { sayCopy } from './reasons.js'

/** @import { Language } from './language.js' */

/** Kinds of events that name a version which can be brought back. */
const VERSIONS = ['added', 'replaced', 'restored', 'adopted']

/**
 * @param {{ language: Language, onOpen: (path: string) => void,
 *   onRestore: (sha256: string) => void }} parts
 */
export function createStory({ language, onOpen, onRestore }) {
  const { say } = language

  /** @param {Record<string, any> | undefined} described undefined: it is still asked for */
  function show(described) {
    const { paths = [], path, servers = [], history = [], complete = true } = described ?? {}
    const others = paths.filter((/** @type {string} */ one) => one !== path)
    need('names-part').hidden = others.length === 0
    need('names').replaceChildren(...(others.length === 0 ? [] : paths).map(nameOf(path)))
    const [own, ...rest] = servers // this node is named first
    const copies = own === undefined ? [] : [own, ...rest.toSorted(byName)]
    need('copies').replaceChildren(...copies.map(copyLine))
    const lines = history.toReversed()
    need('history').replaceChildren(...lines.map(historyLine(described)))
    setText('history-note', complete ? '' : say('history.partly'))
  }

  /** @param {string} current */
  function nameOf(current) {
    return (/** @type {string} */ path) => {
      if (path === current) return make('li', {}, make('b', { textContent: path }))
      const link = make('button', { type: 'button', className: 'link', textContent: path })
      link.onclick = () => onOpen(path)
      return make('li', {}, link)
    }
  }

  /** @param {Record<string, any>} server */
  function copyLine(copy) {
    const { name, has, verified_at, reason, next_try_at } = copy
    const words = [say(has ? 'copies.has' : 'copies.lacks')]
    if (verified_at)
      words.push(say('copies.verified', { time: formatAgo(verified_at, language.name) }))
    const why = sayCopy(copy, language)
    if (why) words.push(why)
    if (next_try_at) words.push(say('copies.next', { time: formatAgo(next_try_at, language.name) }))
    const line = make(
      'li',
      {},
      make('b', { textContent: name }),
      make('span', {}, words.join(' · '))
    )
    line.dataset.state = has ? 'has' : 'lacks'
    const verified = verified_at ? formatTime(verified_at, language.name) : ''
    line.title = [verified, reason].filter(Boolean).join('\n')
    return line
  }

  /** @param {Record<string, any> | undefined} described */
  function historyLine(described) {
    return (/** @type {Record<string, any>} */ { at, event, node, sha256, conflict }) => {
      const key = /** @type {'happened.added'} */ (`happened.${event}`)
      const facts = [formatTime(at, language.name)]
      if (node) facts.push(say('event.by', { name: shortenId(node) }))
      if (conflict) facts.push(say('history.conflict'))
      const line = make(
        'li',
        {},
        make('b', { textContent: say(key) }),
        make('span', { className: 'quiet', textContent: facts.join(' · ') })
      )
      line.dataset.event = event
      const isOther = described?.deleted === true || sha256 !== described?.sha256
      if (sha256 && isOther && VERSIONS.includes(event)) {
        const button = make('button', { type: 'button', className: 'link' })
        button.textContent = say('history.restore')
        button.title = sha256
        button.onclick = () => onRestore(sha256)
        line.append(button)
      }
      return line
    }
  }

  return {
    show,
    /** @param {string} why nothing can be said */
    fail(why) {
      show(undefined)
      setText('history-note', why)
    }
  }
}
