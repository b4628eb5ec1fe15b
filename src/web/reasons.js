// @ts-check
// What a node says of itself in a word and some details, as sentences in the language of the page.
// A word of a later version has none here: then the node's own sentence stands.

import { causes } from './causes-zh.js'
import { formatAgo, formatTime } from './format.js'
import { fill } from './language.js'
import { codes, issues, refusals } from './refusals-zh.js'

/**
 * @import { Key, Language } from './language.js'
 * @typedef {{ code: string, details?: Record<string, string | number> }} Word
 */

/**
 * Why a server has no copy, or what is special about the one it has; empty if nothing is.
 * @param {Record<string, any>} copy as GET /api/copies and /file describe one server
 * @param {Pick<Language, 'say' | 'has' | 'name'>} language
 */
export function sayCopy(copy, language) {
  const { has, state, lost, reason, detail, cause, from, ahead, since, behind, comparing } = copy
  const key = `why.${state}`
  if (reason === null || !language.has(key)) return reason ?? ''
  const values = { from: from ?? '–', count: ahead ?? 0 }
  const words = []
  if (lost && language.has(`lost.${lost}`))
    words.push(language.say(/** @type {Key} */ (`lost.${lost}`)))
  const isNext = state === 'queued' && ahead === 0
  words.push(language.say(isNext ? 'why.next' : /** @type {Key} */ (key), values))
  if (behind) words.push(language.say('why.behind.by', { count: behind }))
  if (state === 'behind') words.push(language.say(comparing ? 'why.behind.now' : 'why.behind.next'))
  if (since) words.push(language.say('why.since', { time: formatAgo(since, language.name) }))
  if (has) words.push(language.say('why.believed'))
  if (cause) words.push(sayCause(cause, language))
  else if (detail) words.push(detail)
  return words.join(' · ')
}

/** Details that are times. */
const TIMES = ['at', 'since', 'until']

/**
 * What is wrong, in the language of the page, as far as it has words for it.
 * @param {{ code: string, text: string, details?: Record<string, string | number> }} cause
 * @param {Pick<Language, 'name'>} language
 */
export function sayCause({ code, text, details = {} }, { name }) {
  if (name !== 'zh') return text
  return fillAll(wordsOf(causes, code), details, name) ?? text
}

/**
 * Why the node refused, in the language of the page.
 * @param {string} detail the sentence of the node
 * @param {{ code?: string, detail?: unknown, cause?: Word } | null | undefined} answer
 * @param {Pick<Language, 'name'>} language
 */
export function sayRefusal(detail, answer, { name }) {
  if (name !== 'zh') return detail
  const { code: word = '', details = {} } = answer?.cause ?? {}
  const sentence = wordsOf(refusals, word) ?? wordsOf(causes, word)
  const byCode = wordsOf(codes, answer?.code ?? '')
  const faults = answer?.detail
  const said = Array.isArray(faults) ? faults.map(sayIssue).join('；') : detail
  return fillAll(sentence, details, name) ?? fillAll(byCode, { detail: said }, name) ?? detail
}

/**
 * What a task failed at first; undefined if it did not.
 * @param {{ errors: ({ detail: string } & Parameters<typeof sayRefusal>[1])[] }} task
 * @param {Pick<Language, 'name'>} language
 */
export function sayTaskError({ errors: [first] }, language) {
  return first && sayRefusal(first.detail, first, language)
}

/**
 * What is wrong with one field, in Chinese.
 * @param {{ loc?: unknown[], msg: string, type: string, cause?: Word }} issue
 */
function sayIssue({ loc = [], msg, type, cause }) {
  const field = loc.slice(1).join('.')
  const words =
    fillAll(wordsOf(refusals, cause?.code ?? ''), cause?.details ?? {}, 'zh') ??
    wordsOf(issues, type) ??
    msg
  return field === '' ? words : `${field} ${words}`
}

/**
 * @param {Readonly<Record<string, string>>} table
 * @param {string} code
 */
function wordsOf(table, code) {
  return Object.hasOwn(table, code) ? table[code] : undefined
}

/**
 * Undefined where a value is missing, as with a word that a later version says in another way.
 * @param {string | undefined} words
 * @param {Record<string, string | number>} details
 * @param {Language['name']} name
 */
function fillAll(words, details, name) {
  if (words === undefined) return undefined
  const holes = [...words.matchAll(/\{(\w+)\}/g)].map(([, hole = '']) => hole)
  if (holes.some((hole) => !Object.hasOwn(details, hole))) return undefined
  const values = Object.fromEntries(
    Object.entries(details).map(([key, value]) => {
      return [key, TIMES.includes(key) ? formatTime(String(value), name) : value]
    })
  )
  return fill(words, values, name)
}

/**
 * Why a server is not connected, or does not take part; empty if nothing is wrong.
 * @param {Record<string, any>} server
 * @param {Pick<Language, 'name'>} language
 */
export function sayServerError({ last_error, last_cause }, language) {
  return last_cause ? sayCause(last_cause, language) : (last_error ?? '')
}
