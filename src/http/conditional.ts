// Conditional requests: RFC 9110, section 13, in the order of its 13.2.2.

import type { IncomingHttpHeaders } from 'node:http'
import type { ImageEntry } from '../../protocols/entry.ts'
import { versionMs } from '../../protocols/version.ts'

/** What is there now. */
export interface Validators {
  /** Strong, in its quotes. */
  readonly etag: string
  readonly modifiedMs: number
}

export interface ConditionalPlan {
  readonly answer: 'send' | 'not-modified' | 'precondition-failed'
  /** Whether a Range header counts; without effect unless the answer is `send`. */
  readonly rangeCounts: boolean
}

/**
 * `current` is undefined where nothing is stored under the name (a PUT to a new path). Never
 * throws.
 */
export function planConditional(
  method: string,
  headers: IncomingHttpHeaders,
  current: Validators | undefined
): ConditionalPlan {
  const reads = method === 'GET' || method === 'HEAD'
  const answer = (answer: ConditionalPlan['answer'], rangeCounts = false) => ({
    answer,
    rangeCounts
  })
  const ifMatch = headers['if-match']
  const ifUnmodified = headers['if-unmodified-since']
  if (ifMatch !== undefined) {
    if (!matches(ifMatch, current, 'strong')) return answer('precondition-failed')
  } else if (ifUnmodified !== undefined && modifiedAfter(ifUnmodified, current) === true) {
    return answer('precondition-failed')
  }
  const ifNoneMatch = headers['if-none-match']
  if (ifNoneMatch !== undefined) {
    if (matches(ifNoneMatch, current, 'weak')) {
      return answer(reads ? 'not-modified' : 'precondition-failed')
    }
  } else if (reads && modifiedAfter(headers['if-modified-since'], current) === false) {
    return answer('not-modified')
  }
  return answer('send', method === 'GET' && ifRangeHolds(headers['if-range'], current))
}

/** Whether what a path names, or nothing, is what a change of it expects. */
export function isAsExpected(
  method: 'PUT' | 'DELETE',
  headers: IncomingHttpHeaders,
  image: Pick<ImageEntry, 'hash' | 'version'> | undefined
): boolean {
  const current = image && { etag: `"${image.hash}"`, modifiedMs: versionMs(image.version) }
  return planConditional(method, headers, current).answer !== 'precondition-failed'
}

/**
 * Only our own strong tag lets a client join two pieces. A date never does: two versions may share
 * a second, and who has our tag must not send a date (RFC 9110, 13.1.5).
 */
function ifRangeHolds(header: string | string[] | undefined, current: Validators | undefined) {
  return header === undefined || header === current?.etag
}

/** Whether a list of tags, or `*`, names what is there. Weak tags never match strongly. */
function matches(header: string, current: Validators | undefined, by: 'strong' | 'weak'): boolean {
  if (current === undefined) return false
  if (header.trim() === '*') return true
  for (const [, weak, tag] of header.matchAll(/(W\/)?("[^"]*")/g)) {
    if (tag === current.etag && (weak === undefined || by === 'weak')) return true
  }
  return false
}

/**
 * By whole seconds, as dates in headers are; undefined if there is nothing to compare or it is no
 * date.
 */
function modifiedAfter(
  header: string | undefined,
  current: Validators | undefined
): boolean | undefined {
  const sinceMs = parseHttpDate(header)
  if (sinceMs === undefined || current === undefined) return undefined
  return Math.floor(current.modifiedMs / 1000) * 1000 > sinceMs
}

const HTTP_DATES = [
  /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/,
  /^[A-Z][a-z]{5,8}, \d{2}-[A-Z][a-z]{2}-\d{2} \d{2}:\d{2}:\d{2} GMT$/,
  /^[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2} \d{4}$/
]

/**
 * Milliseconds since 1970 of the three forms of RFC 9110, 5.6.7. Undefined for anything else, which
 * is ignored.
 */
function parseHttpDate(text: string | undefined): number | undefined {
  if (text === undefined || !HTTP_DATES.some((form) => form.test(text))) return undefined
  const ms = Date.parse(text.endsWith('GMT') ? text : `${text} GMT`)
  return Number.isNaN(ms) ? undefined : ms
}
