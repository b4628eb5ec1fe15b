// Images as IPFS blocks: what the trustless gateway (specs.ipfs.tech) asks of requests and answers.
//
// This node turns no blocks into files for others. In that mode the specification wants a request
// that names no format answered with 400; a format that there is none of is 406.

import type {
  IncomingMessage,
  OutgoingHttpHeader,
  OutgoingHttpHeaders,
  ServerResponse
} from 'node:http'
import { saidAs } from '../base/cause.ts'
import { NodeError } from '../base/errors.ts'
import { UNRECOGNIZED_MEDIA_TYPE } from '../content/kinds.ts'

const RAW_BLOCK = 'application/vnd.ipld.raw'
/** The empty block, by which clients find out whether this is a gateway. */
export const PROBE_CID = 'bafkqaaa'

/** Throws NOT_ACCEPTABLE or BAD_REQUEST. */
export function checkBlockFormat({ url = '', headers }: IncomingMessage): void {
  const format = formatOf(url) // counts more than the header
  const accept = headers.accept ?? ''
  if (format === 'raw' || (format === undefined && accept.includes(RAW_BLOCK))) return
  if (format !== undefined || accept.includes('application/vnd.ip')) {
    throw new NodeError('NOT_ACCEPTABLE', `Only raw blocks are served here: ask for ${RAW_BLOCK}.`)
  }
  throw new NodeError(
    'BAD_REQUEST',
    `Say that you want the raw block: ?format=raw or "Accept: ${RAW_BLOCK}". /blobs/{cid} has the image as an image.`,
    saidAs('raw_only')
  )
}

export function describeBlock(
  { url = '' }: IncomingMessage,
  response: ServerResponse,
  cid: string
): void {
  response.setHeader('X-Ipfs-Path', `/ipfs/${cid}`)
  if (formatOf(url) !== undefined) return
  // One address, two formats: what caches keep must say which one it is.
  response.setHeader('Content-Location', `/ipfs/${cid}?format=raw`)
  response.appendHeader('Vary', 'Accept')
}

/** Answers the probe: a block without bytes. */
export function sendProbe(request: IncomingMessage, response: ServerResponse): void {
  describeBlock(request, response, PROBE_CID)
  response.setHeader('Content-Type', RAW_BLOCK)
  response.setHeader('X-Content-Type-Options', 'nosniff')
  response.writeHead(200, { ETag: `"${PROBE_CID}"`, 'Content-Length': 0 }).end()
}

/**
 * What is no image goes out as an attachment of unknown type; a block is the same, with a type of
 * its own.
 */
export function asRawBlock(response: ServerResponse): ServerResponse {
  const writeHead = response.writeHead.bind(response) as (
    status: number,
    headers?: OutgoingHttpHeaders | OutgoingHttpHeader[]
  ) => ServerResponse
  const typed = (value: OutgoingHttpHeader) =>
    value === UNRECOGNIZED_MEDIA_TYPE ? RAW_BLOCK : value
  response.writeHead = ((status: number, headers?: OutgoingHttpHeaders | OutgoingHttpHeader[]) =>
    writeHead(
      status,
      Array.isArray(headers) ? headers.map(typed) : headers
    )) as typeof response.writeHead
  return response
}

function formatOf(url: string): string | undefined {
  const at = url.indexOf('?')
  return at === -1 ? undefined : (new URLSearchParams(url.slice(at + 1)).get('format') ?? undefined)
}
