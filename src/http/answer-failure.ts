// Answers a request that failed, so that the client sees the answer whatever it was sending, and
// logs what was our fault.

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Clock } from '../base/clock.ts'
import { NodeError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import { sendError } from './error-body.ts'

export interface FailureParts {
  readonly clock: Clock
  readonly log: Log
  /** Hears of whatever went wrong here. */
  readonly onFailure?: (error: unknown, request: IncomingMessage) => void
}

/** How long a client that was refused may go on sending before its connection is cut. */
const UNREAD_BODY_MS_MAX = 30_000

/** Never throws. A client that has gone is only noted: its request ended with it. */
export function answerFailure(
  parts: FailureParts,
  request: IncomingMessage,
  response: ServerResponse,
  error: unknown
): void {
  if (request.socket.destroyed) {
    parts.log.debug({ err: error, ...placeOf(request) }, 'a client went away')
    return
  }
  parts.onFailure?.(error, request)
  logFailure(parts.log, request, error)
  sendError(response, error)
  discardBody(parts.clock, request)
}

/** Logs what the node could not do; what clients ask for in vain is no news. */
export function logFailure(log: Log, request: IncomingMessage, error: unknown): void {
  const expected = error instanceof NodeError && error.http !== 500
  const level = expected || !isServerFault(error) ? 'debug' : 'error'
  log[level]({ err: error, ...placeOf(request) }, 'a request failed')
}

/** Method and path; a query may hold what is nobody's business. */
function placeOf({ method, url = '' }: IncomingMessage) {
  return { method, path: url.split('?', 1)[0] }
}

/** Errors of the framework and of parsing say themselves that the client is at fault. */
function isServerFault(error: unknown): boolean {
  const { statusCode, name } = (error ?? {}) as { statusCode?: unknown; name?: unknown }
  return name !== 'WireError' && !(typeof statusCode === 'number' && statusCode < 500)
}

/**
 * Reads on into nothing for a while: closing a connection with unread bytes resets it, and the
 * client would lose the answer that says why.
 */
function discardBody(clock: Clock, request: IncomingMessage): void {
  if (request.complete && request.readableEnded) return
  request.unpipe()
  request.on('error', () => {}) // it was answered; that it breaks off now is its own affair
  request.resume()
  const cancel = clock.after(UNREAD_BODY_MS_MAX, () => {
    if (!request.complete) request.socket.destroy()
  })
  request.once('close', cancel)
}
