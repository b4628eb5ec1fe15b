// What is wrong with a request before anybody looks at what it asks for.

import type { IncomingMessage } from 'node:http'
import { saidAs } from '../base/cause.ts'
import { NodeError } from '../base/errors.ts'

const WHOLE_ADDRESS = /^https?:\/\/([^/?#@]+)(?:\/|(?=[?#]|$))/i

/**
 * Clients of proxies send whole addresses. Then the host in there counts, whatever the header says
 * (RFC 9112, 3.2.2).
 */
export function takeWholeAddress(request: IncomingMessage): void {
  const { url = '', headers, rawHeaders } = request
  const [start, host] = WHOLE_ADDRESS.exec(url) ?? []
  if (start === undefined || host === undefined) return
  request.url = `/${url.slice(start.length)}`
  if (headers.host === undefined) return
  headers.host = host
  for (const at of hostsAt(request)) rawHeaders[at + 1] = host
}

/** Undefined: nothing. */
export function requestFault(request: IncomingMessage): NodeError | undefined {
  const { httpVersion, headers, url = '' } = request
  if (hostsAt(request).length > 1) return bad('The request has more than one Host header.')
  if (headers.host === undefined && httpVersion !== '1.0') {
    return bad('The request has no Host header.')
  }
  if (!url.startsWith('/') && url !== '*') return bad('The address must begin with a slash.')
  // the platform undoes chunks only, and what is left would pass for the image (RFC 9112, 6.1)
  const coding = headers['transfer-encoding']
  if (coding === undefined || coding.toLowerCase() === 'chunked') return undefined
  return bad('Send the body as it is or in chunks: no other Transfer-Encoding is undone here.')
}

/** Of several one would be checked and perhaps another one meant (RFC 9112, 3.2). */
function hostsAt({ rawHeaders }: IncomingMessage): number[] {
  const found: number[] = []
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]
    if (name?.length === 4 && name.toLowerCase() === 'host') found.push(at)
  }
  return found
}

function bad(sentence: string): NodeError {
  return new NodeError('BAD_REQUEST', sentence, saidAs('request_broken'))
}
