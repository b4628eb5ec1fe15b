// PUT /images/{path}: one image as the body of the request.

import type { IncomingHttpHeaders } from 'node:http'
import type { FastifyReply } from 'fastify'
import { z } from 'zod'
import { md5FromBytes, parseHash } from '../../../protocols/hash.ts'
import { type ImagePath, parsePath } from '../../../protocols/path.ts'
import { saidAs } from '../../base/cause.ts'
import { NodeError } from '../../base/errors.ts'
import { formatSize } from '../../base/units.ts'
import { checkExtension, type Ingested, ingest, type Replace } from '../../flows/ingest.ts'
import { isAsExpected } from '../conditional.ts'
import { describeUpload, uploadedShape, uploadStatus } from '../describe-upload.ts'
import type { ApiOptions, HttpParts } from '../ports.ts'
import { askForBody, bodyLength, takingRoom } from '../request-body.ts'
import type { ApiRequest, Route } from '../route.ts'
import type { UploadGate } from '../upload-gate.ts'
import { waitFields, whenReplicated } from '../wait-for-replicas.ts'

const query = z.strictObject(waitFields)

export function putImageRoutes(parts: HttpParts, options: ApiOptions, gate: UploadGate): Route[] {
  return [
    {
      method: 'PUT',
      url: '/images/*',
      who: 'write',
      tag: 'images',
      summary: 'Store an image under a path',
      query,
      bodyKind: 'raw',
      answers: {
        200: { means: 'The path holds these bytes already', shape: uploadedShape },
        201: { means: 'Stored, durably, on as many nodes as were asked for', shape: uploadedShape },
        202: { means: 'Stored, but not yet on as many nodes', shape: uploadedShape },
        400: { means: 'A hash does not match' },
        412: { means: 'If-None-Match or If-Match does not hold' },
        413: { means: 'Larger than file_storage.max_file_size' },
        415: { means: 'The extension is not allowed, or the bytes are something else' },
        422: { means: 'The path or the query is not possible' },
        503: { means: 'Too many uploads at one time' },
        507: { means: 'The disk is full' }
      },
      handle: (request, reply) => receive(parts, options, gate, request, reply)
    }
  ]
}

async function receive(
  parts: HttpParts,
  options: ApiOptions,
  gate: UploadGate,
  request: ApiRequest,
  reply: FastifyReply
): Promise<unknown> {
  const done = await store(parts, options, gate, request, reply)
  const stored = describeUpload(parts, request, done)
  const answer = await whenReplicated(
    parts,
    request,
    request.query as z.output<typeof query>,
    stored
  )
  const status = uploadStatus(done)
  reply.code(answer.status === 'accepted' ? 202 : status).header('ETag', `"${answer.sha256}"`)
  if (status === 201) reply.header('Location', answer.url)
  return answer
}

/** Takes the image in; it is durable here then. */
async function store(
  parts: HttpParts,
  { ingest: limits }: ApiOptions,
  gate: UploadGate,
  { raw, headers, params, signal }: ApiRequest,
  reply: FastifyReply
): Promise<Ingested> {
  const path = parsePath((params as Record<'*', string>)['*'])
  checkExtension(limits, path)
  const upload = { path, replace: replaceOf(headers), ...hashesOf(headers) }
  checkPreconditions(parts, headers, path)
  checkWhole(headers)
  const bytes = bodyLength(raw)
  checkLength(bytes, limits.maxFileSizeBytes)
  parts.flows.room.demand(bytes ?? 0)
  const leave = await gate.enter(signal)
  try {
    askForBody(raw, reply.raw)
    // A stream that is left early must not take the connection with it: the client is to see the
    // answer.
    const source = raw.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>
    const bytesMax = limits.maxFileSizeBytes
    const { store, room } = parts.flows
    const staged = await store.stage(takingRoom(room, source), { bytesMax, signal })
    return await ingest(parts.flows, limits, staged, upload)
  } finally {
    leave()
  }
}

/** What the change itself checks once more, so that two uploads can't both win. */
function replaceOf(headers: IncomingHttpHeaders): Replace {
  if (headers['if-none-match']?.trim() === '*') return 'never'
  const ifMatch = headers['if-match']
  if (ifMatch === undefined) return 'always'
  if (ifMatch.trim() === '*') return { ifMatch: 'any' }
  const tags = ifMatch.matchAll(/(?<!W\/)"([0-9a-f]{64})"/g)
  return { ifMatch: [...tags].map(([, hash = '']) => parseHash(hash)) }
}

/** Before the body is read. Throws PRECONDITION_FAILED. */
function checkPreconditions(
  { flows }: HttpParts,
  headers: IncomingHttpHeaders,
  path: ImagePath
): void {
  const image = flows.index.image(path)
  if (isAsExpected('PUT', headers, image)) return
  throw new NodeError(
    'PRECONDITION_FAILED',
    image === undefined
      ? `${path} does not exist, so it can't be replaced.`
      : `${path} is not as the request expects; it was not replaced.`,
    { path, sha256: image?.hash }
  )
}

/** Throws BAD_HASH. */
function hashesOf(headers: IncomingHttpHeaders) {
  const md5 = headers['content-md5']?.toString()
  const sha256 = headers['x-content-sha256']?.toString()
  if (md5 !== undefined && !/^[A-Za-z0-9+/]{22}==$/.test(md5)) {
    throw new NodeError('BAD_HASH', 'Content-MD5 must be the 16 bytes of an MD5 in base64.')
  }
  return {
    md5: md5 === undefined ? undefined : md5FromBytes(Buffer.from(md5, 'base64')),
    sha256: sha256 === undefined ? undefined : parseHash(sha256)
  }
}

/**
 * A part of an image, or a packed one, would be stored as if it were the image (RFC 9110, 14.5).
 */
function checkWhole(headers: IncomingHttpHeaders): void {
  const packed = !['', 'identity'].includes(headers['content-encoding'] ?? '')
  if (headers['content-range'] === undefined && !packed) return
  throw new NodeError(
    'BAD_REQUEST',
    'Send the whole image as it is: no Content-Range, no encoding.',
    saidAs('image_in_part')
  )
}

function checkLength(bytes: number | undefined, bytesMax: number): void {
  if (bytes === undefined || bytes <= bytesMax) return
  throw new NodeError(
    'BLOB_TOO_LARGE',
    `The image has ${formatSize(bytes)}; this node takes ${formatSize(bytesMax)} at most (file_storage.max_file_size).`,
    { bytes, bytesMax, ...saidAs('image_large', { max: formatSize(bytesMax) }) }
  )
}
