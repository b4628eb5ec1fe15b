// What a failure looks like outside: `{"detail", "code"}`, its status and its headers.

import type { ServerResponse } from 'node:http'
import { z } from 'zod'
import { WireError, type WireFault } from '../../protocols/wire-error.ts'
import { saidAs, type Word } from '../base/cause.ts'
import { ERROR_KINDS, type ErrorCode, NodeError } from '../base/errors.ts'
import { callOf } from '../base/how-called.ts'
import { isClosed } from '../index/database-error.ts'

export interface ValidationIssue {
  /** Where: `body`, `query` or `path` if known, then the keys down to the value. */
  readonly loc: readonly (string | number)[]
  readonly msg: string
  readonly type: string
  /** The message once more, where the type does not say it. */
  readonly cause?: Word
}

export interface ErrorAnswer {
  readonly status: number
  readonly body: {
    readonly detail: string | readonly ValidationIssue[]
    readonly code: ErrorCode
    /** The sentence once more, for programs that say it in another language. */
    readonly cause?: Word
  }
  readonly headers: Readonly<Record<string, string>>
}

/**
 * Clients are asked to come again after this time unless the failure says another one
 * (`details.retryAfterMs`).
 */
const RETRY_AFTER_MS = 5_000

const CODE_OF_FAULT: Readonly<Record<WireFault, ErrorCode>> = {
  BAD_PATH: 'BAD_PATH',
  BAD_HASH: 'BAD_HASH',
  BAD_CID: 'BAD_HASH',
  BAD_VERSION: 'BAD_REQUEST',
  BAD_ENTRY: 'BAD_REQUEST',
  BAD_INVITE: 'BAD_INVITE',
  TOO_LARGE: 'BAD_REQUEST',
  TRUNCATED: 'NOT_AVAILABLE',
  BAD_MESSAGE: 'NOT_AVAILABLE'
}

/** Parsers say what is wrong with a text; this is what to do about it. */
const ADVICE_OF_FAULT: Readonly<Record<WireFault, string>> = {
  BAD_PATH: 'Choose another path.',
  BAD_HASH: 'Check the hash and send it again.',
  BAD_CID: 'Send a CID, a SHA-256 or an MD5 of an image.',
  BAD_VERSION: 'Check the request.',
  BAD_ENTRY: 'Check the request.',
  BAD_INVITE: `Copy the whole line again, or make a new one with \`${callOf('invite')}\`.`,
  TOO_LARGE: 'Send less.',
  TRUNCATED: 'Try again.',
  BAD_MESSAGE: 'Try again.'
}

/**
 * Refusals of the web framework itself; others of its 4xx are a BAD_REQUEST with their own status.
 */
const CODE_OF_STATUS: Readonly<Record<number, ErrorCode>> = {
  404: 'NOT_FOUND',
  405: 'METHOD_NOT_ALLOWED',
  413: 'BLOB_TOO_LARGE',
  429: 'TOO_MANY_REQUESTS'
}

const PLACE_OF_CONTEXT: Readonly<Record<string, string>> = { querystring: 'query', params: 'path' }

/** Never throws. Errors of no known kind tell nothing of themselves: the caller logs them. */
export function errorBody(error: unknown): ErrorAnswer {
  const issues = validationIssues(error)
  if (issues !== undefined) {
    return answerOf('VALIDATION', issues, error instanceof NodeError ? error.details : {})
  }
  if (error instanceof NodeError) return answerOf(error.code, error.message, error.details)
  if (error instanceof WireError) {
    return answerOf(CODE_OF_FAULT[error.fault], sentenceOf(error), saidOf(error.fault))
  }
  if (isClosed(error)) {
    const sentence = 'The index is being opened. Ask again.'
    return answerOf('NOT_AVAILABLE', sentence, saidAs('index_opening'))
  }
  if (isFrameworkRefusal(error)) {
    const { statusCode } = error
    return {
      ...answerOf(CODE_OF_STATUS[statusCode] ?? 'BAD_REQUEST', error.message, REQUEST_BROKEN),
      status: statusCode
    }
  }
  return answerOf('INTERNAL', 'The node failed to answer. Its log says why; try again.')
}

/**
 * Answers a request of node:http. After the first byte of another answer, it ends the connection
 * instead.
 */
export function sendError(
  response: ServerResponse,
  error: unknown,
  moreHeaders: Readonly<Record<string, string>> = {}
): void {
  if (response.headersSent) {
    response.destroy()
    return
  }
  const { status, body, headers } = errorBody(error)
  const text = Buffer.from(JSON.stringify(body))
  response.writeHead(status, {
    ...headers,
    ...moreHeaders,
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': text.byteLength
  })
  response.end(text)
}

function sentenceOf({ message, fault }: WireError): string {
  return `${message.charAt(0).toUpperCase()}${message.slice(1)}. ${ADVICE_OF_FAULT[fault]}`
}

const REQUEST_BROKEN = saidAs('request_broken')

/** Where the code alone does not say it. */
function saidOf(fault: WireFault) {
  const code = CODE_OF_FAULT[fault]
  if (code === 'BAD_REQUEST') return REQUEST_BROKEN
  return code === 'NOT_AVAILABLE' ? saidAs('answer_broken') : {}
}

function answerOf(
  code: ErrorCode,
  detail: string | readonly ValidationIssue[],
  details: NodeError['details'] = {}
): ErrorAnswer {
  const { http: status } = ERROR_KINDS[code]
  const headers: Record<string, string> = {
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff'
  }
  if (status === 401) headers['WWW-Authenticate'] = 'Bearer'
  if (status === 503 || status === 429) {
    const { retryAfterMs } = details
    const ms = typeof retryAfterMs === 'number' ? retryAfterMs : RETRY_AFTER_MS
    headers['Retry-After'] = String(Math.max(1, Math.ceil(ms / 1000)))
  }
  const cause = details.cause as Word | undefined
  return { status, body: { detail, code, ...(cause && { cause }) }, headers }
}

/**
 * Of zod's own error, of one that a VALIDATION wraps (`details.place` says where), or of the
 * framework's.
 */
function validationIssues(error: unknown): readonly ValidationIssue[] | undefined {
  if (error instanceof z.core.$ZodError) return issuesOf(error)
  if (error instanceof NodeError && error.code === 'VALIDATION') {
    const { place } = error.details
    const loc = typeof place === 'string' ? [place] : []
    if (error.cause instanceof z.core.$ZodError) return issuesOf(error.cause, loc)
    return [{ loc, msg: error.message, type: 'value_error' }]
  }
  if (!isFrameworkRefusal(error) || !Array.isArray(error.validation)) return undefined
  const place = String(error.validationContext ?? 'body')
  const loc = [PLACE_OF_CONTEXT[place] ?? place]
  return error.validation.map((issue: Partial<Record<string, unknown>>) => ({
    loc: [
      ...loc,
      ...String(issue.instancePath ?? '')
        .split('/')
        .filter(Boolean)
    ],
    msg: String(issue.message ?? 'not valid'),
    type: String(issue.keyword ?? 'value_error')
  }))
}

function issuesOf(error: z.core.$ZodError, loc: readonly string[] = []): ValidationIssue[] {
  return error.issues.map((issue) => {
    const cause = issue.code === 'custom' ? (issue.params?.cause as Word | undefined) : undefined
    return {
      loc: [...loc, ...issue.path.map((key) => (typeof key === 'symbol' ? String(key) : key))],
      msg: issue.message,
      type: issue.code,
      ...(cause && { cause })
    }
  })
}

interface FrameworkRefusal extends Error {
  readonly statusCode: number
  readonly validation?: unknown
  readonly validationContext?: unknown
}

function isFrameworkRefusal(error: unknown): error is FrameworkRefusal {
  if (!(error instanceof Error)) return false
  const { code, statusCode } = error as { code?: unknown; statusCode?: unknown }
  if (typeof statusCode !== 'number' || statusCode < 400 || statusCode > 499) return false
  return String(code).startsWith('FST_')
}
