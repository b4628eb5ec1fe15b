// Pages of other sites that read images and the API by script (WHATWG Fetch, section 3.2): those
// whose origins a person has listed, and no others.

import type { IncomingMessage, ServerResponse } from 'node:http'

export interface Cors {
  /**
   * Adds to an answer what lets the page that asks read it. True if the request was only a question
   * whether another may be sent, and is answered.
   */
  apply(request: IncomingMessage, response: ServerResponse): boolean
}

/** Without these a script sees only the most common ones. */
const EXPOSED = [
  ...['Accept-Ranges', 'Content-Length', 'Content-Range', 'ETag', 'Location', 'Retry-After'],
  ...['X-File-Hash', 'X-Image-Source'],
  ...['RateLimit-Limit', 'RateLimit-Remaining', 'RateLimit-Reset']
].join(', ')
const METHODS = 'GET, HEAD, PUT, POST, DELETE'
/** How long browsers may remember the answer: two hours is the most that all of them do. */
const REMEMBERED_S = 7200

/**
 * `origins` such as `https://example.org`, or `*` for all. They may see what took the time of an
 * answer, too, where answers say that.
 */
export function createCors(origins: readonly string[], { isTimed = false } = {}): Cors {
  const all = origins.includes('*')
  const listed = new Set(origins)
  const exposed = isTimed ? `${EXPOSED}, Server-Timing` : EXPOSED
  const timedFor = all ? '*' : origins.join(', ')
  return {
    apply(request, response) {
      if (origins.length === 0) return false
      // images in a page are asked for without an Origin
      if (isTimed) response.setHeader('Timing-Allow-Origin', timedFor)
      const { origin } = request.headers
      // which answer a cache keeps must depend on who asked
      if (!all) response.setHeader('Vary', 'Origin')
      if (origin === undefined || !(all || listed.has(origin))) return false
      response.setHeader('Access-Control-Allow-Origin', all ? '*' : origin)
      response.setHeader('Access-Control-Expose-Headers', exposed)
      response.setHeader('Cross-Origin-Resource-Policy', 'cross-origin')
      return answersQuestion(request, response)
    }
  }
}

/** A key comes in the header Authorization, never by itself: so no cookies are spoken of here. */
function answersQuestion({ method, headers }: IncomingMessage, response: ServerResponse): boolean {
  if (method !== 'OPTIONS' || headers['access-control-request-method'] === undefined) return false
  const asked = headers['access-control-request-headers']
  response.setHeader('Access-Control-Allow-Methods', METHODS)
  if (asked !== undefined) response.setHeader('Access-Control-Allow-Headers', asked)
  response.setHeader('Access-Control-Max-Age', REMEMBERED_S)
  response.writeHead(204).end()
  return true
}
