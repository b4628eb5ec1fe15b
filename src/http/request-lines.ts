// The lines of a request for an image that the platform has read, and what another request must
// look like that means the same but for the image: the address, and where the client asks whether
// the image is still the one that it has, the ETag and the date of that one. Pure.

import type { IncomingMessage } from 'node:http'

/** What was asked for. */
export interface ImageRead {
  readonly method: 'GET' | 'HEAD'
  readonly url: string
  /** Of the bytes that the client has already. */
  readonly etag: string | undefined
}

/** Longer requests are rare. */
export const REQUEST_BYTES_MAX = 4_096
/** One request: a line, lines of headers, and the empty one, which is the end. */
const ONE_REQUEST = /^(?:GET|HEAD) \/[\x21-\x7e]* HTTP\/1\.1\r\n(?:[^\r\n]+\r\n)+\r\n$/
/** Headers that ask for something else than the image, or say who is asking. */
const OTHERWISE = [
  ...['range', 'if-match', 'if-unmodified-since', 'if-range'],
  ...['authorization', 'cookie', 'expect', 'upgrade']
] as const
/** What comes next may be no request. */
const BODY = ['content-length', 'transfer-encoding'] as const
const NOT_QUICK = new RegExp(`\\r\\n(?:${[...OTHERWISE, ...BODY].join('|')})[ \\t]*:`, 'i')

const CONDITION = /\r\nif-(?:none-match|modified-since)[ \t]*:/i
/** One tag, as this node makes them. */
const ETAG_LINE = /\r\nif-none-match:[ \t]*(?:W\/)?"[0-9a-f]{64}"[ \t]*\r\n/i
const ETAG_VALUE = /^(?:W\/)?"[0-9a-f]{64}"$/
/** Of no consequence where there is a tag too (RFC 9110, 13.1.3), and as long for each image. */
const DATE_LINE =
  /\r\nif-modified-since:[ \t]*[a-z]{3}, \d\d [a-z]{3} \d{4} \d\d:\d\d:\d\d GMT\r\n/i
const DATE = /^[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/
const ETAG_LENGTH = '""'.length + 64
const DATE_LENGTH = 'Sun, 06 Nov 1994 08:49:37 GMT'.length

/** A place in the lines where another request says something of its own. */
interface Hole {
  readonly isEtag: boolean
  readonly length: number
  /** What follows it, up to the next one. */
  readonly after: string
}

/** Whether it is one whole request without a body, so that what comes next begins another. */
export function isOneRequest(text: string): boolean {
  return ONE_REQUEST.test(text)
}

/** Whether a client that begins like this most likely goes on with reads that are alike. */
export function isLikelyRead(text: string): boolean {
  if (!ONE_REQUEST.test(text) || NOT_QUICK.test(text)) return false
  return !CONDITION.test(text) || ETAG_LINE.test(text)
}

export function hasBody({ headers }: Pick<IncomingMessage, 'headers'>): boolean {
  return BODY.some((name) => headers[name] !== undefined)
}

export class RequestLines {
  readonly #method: ImageRead['method']
  /** From the address to the first hole, or to the end. */
  readonly #before: string
  /** Last first. */
  readonly #holes: readonly Hole[]

  /**
   * `text` is all of a request, as it came, that the platform has read as this one. Undefined if
   * more than the image follows from its lines.
   */
  static of(
    text: string,
    { method, url = '', headers }: Pick<IncomingMessage, 'method' | 'url' | 'headers'>
  ): RequestLines | undefined {
    if (method !== 'GET' && method !== 'HEAD') return undefined
    for (const name of OTHERWISE) if (headers[name] !== undefined) return undefined
    if (headers.connection !== undefined && headers.connection !== 'keep-alive') return undefined
    const lines = text.slice(method.length + 1 + url.length)
    const etag = headers['if-none-match']
    if (etag === undefined) {
      if (headers['if-modified-since'] !== undefined) return undefined
      return new RequestLines(method, lines, [])
    }
    const line = ETAG_LINE.exec(lines)
    // what the platform has read is this one line, or several
    if (line === null || !ETAG_VALUE.test(etag)) return undefined
    const places = [{ at: line.index + line[0].indexOf('"'), length: ETAG_LENGTH }]
    const date = DATE_LINE.exec(lines)
    if (date !== null) {
      const at = date.index + date[0].length - '\r\n'.length - DATE_LENGTH
      places.push({ at, length: DATE_LENGTH })
    }
    return new RequestLines(method, lines, places)
  }

  private constructor(
    method: ImageRead['method'],
    lines: string,
    places: readonly { readonly at: number; readonly length: number }[]
  ) {
    this.#method = method
    let end = lines.length
    const holes: Hole[] = []
    for (const { at, length } of [...places].sort((a, b) => b.at - a.at)) {
      holes.push({ isEtag: length === ETAG_LENGTH, length, after: lines.slice(at + length, end) })
      end = at
    }
    this.#holes = holes
    this.#before = lines.slice(0, end)
  }

  /** Whether they say which bytes the client has. */
  get isConditional(): boolean {
    return this.#holes.length > 0
  }

  /**
   * What is read by a request that has the same lines: if there is an image of this very address,
   * and the client has bytes with an ETag that it had at some time. Undefined for any other.
   */
  read(text: string): ImageRead | undefined {
    const method = this.#method
    let end = text.length
    let etag: string | undefined
    for (const { isEtag, length, after } of this.#holes) {
      if (!text.endsWith(after, end)) return undefined
      end -= after.length
      const value = text.slice(Math.max(0, end - length), end)
      if (isEtag) etag = value
      else if (!DATE.test(value)) return undefined
      end -= length
    }
    if (end < 0 || !text.endsWith(this.#before, end)) return undefined
    if (!text.startsWith(method === 'GET' ? 'GET /' : 'HEAD /')) return undefined
    return { method, url: text.slice(method.length + 1, end - this.#before.length), etag }
  }
}
