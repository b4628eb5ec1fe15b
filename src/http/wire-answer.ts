// A whole answer as it goes out, head and body in one buffer: what the platform would write for the
// same headers, so that nobody can tell who has sent it.

import { KEEP_ALIVE_MS } from './listeners.ts'

export interface WireAnswer {
  readonly bytes: Buffer
  /** The parts of it. */
  readonly head: Buffer
  readonly body: Buffer
  readonly dateAt: number
  /** Since 1970, of the date that is in it. */
  second: number
}

const NO_DATE = new Date(0).toUTCString()
const KEPT_ALIVE = `Connection: keep-alive\r\nKeep-Alive: timeout=${KEEP_ALIVE_MS / 1000}\r\n\r\n`

const NO_BODY = new Uint8Array(0)

/** Of a 304. `headers` is a flat list of names and values. */
export function wireSameOf(headers: readonly string[]): WireAnswer {
  return wireAnswerOf(headers, NO_BODY, '304 Not Modified')
}

/** The body is copied. `headers` is a flat list of names and values. */
export function wireAnswerOf(
  headers: readonly string[],
  body: Uint8Array,
  status = '200 OK'
): WireAnswer {
  const lines = headers.map((text, at) => (at % 2 === 0 ? `${text}: ` : `${text}\r\n`)).join('')
  const before = `HTTP/1.1 ${status}\r\n${lines}Date: `
  const head = `${before}${NO_DATE}\r\n${KEPT_ALIVE}`
  const bytes = Buffer.allocUnsafeSlow(head.length + body.byteLength)
  bytes.write(head, 'latin1')
  bytes.set(body, head.length)
  const parts = { head: bytes.subarray(0, head.length), body: bytes.subarray(head.length) }
  return { bytes, ...parts, dateAt: before.length, second: 0 }
}

/** All of the answer, with the date of now. */
export function datedAt(answer: WireAnswer, nowMs: number): Buffer {
  const second = Math.floor(nowMs / 1000)
  if (answer.second !== second) {
    answer.second = second
    answer.bytes.write(new Date(second * 1000).toUTCString(), answer.dateAt, 'latin1')
  }
  return answer.bytes
}
