// A proxy of ours sends the bytes of an image itself, as nginx does when it is told where they are:
// X-Accel-Redirect. The node still decides who may read, what is current and what caches may keep.

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { ContentHash } from '../../protocols/hash.ts'
import { NodeError } from '../base/errors.ts'
import { sendError } from './error-body.ts'
import { type ImageFacts, planImageResponse, sourceOf } from './plan-image-response.ts'

/** What the proxy calls the file of a blob, under the location that it has for `blobs/`. */
export function accelPathOf(location: string, hash: ContentHash): string {
  return `${location.replace(/\/?$/, '/')}${hash.slice(0, 2)}/${hash}`
}

/** Answers a GET. Parts of the image are cut out by the proxy, so all of it is named here. */
export function sendAccel(
  { method = 'GET', url = '', headers }: IncomingMessage,
  response: ServerResponse,
  image: ImageFacts,
  path: string
): void {
  const { range: _range, 'if-range': _ifRange, ...others } = headers
  const plan = planImageResponse({ method, url, headers: others }, image)
  if (plan.send === 'error') {
    const sentence = 'The image is not the one that the request expects. Read it again.'
    sendError(response, new NodeError(plan.code, sentence), { ETag: `"${image.hash}"` })
  } else if (plan.send === 'nothing') response.writeHead(plan.status, plan.headers).end()
  else {
    const told = withoutLength(plan.headers)
    told.push('X-Image-Source', sourceOf(undefined), 'X-Accel-Redirect', path)
    response.writeHead(plan.status, [...told, 'Content-Length', '0']).end()
  }
}

/** `headers` is a flat list of names and values. */
function withoutLength(headers: readonly string[]): string[] {
  const at = headers.indexOf('Content-Length')
  return headers.filter((_, index) => index !== at && index !== at + 1)
}
