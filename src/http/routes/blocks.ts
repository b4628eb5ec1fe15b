// Takedown: a hash is blocked on all servers with a reason, and unblocked again.

import { z } from 'zod'
import type { ContentHash } from '../../../protocols/hash.ts'
import { parseHash } from '../../../protocols/hash.ts'
import { PATH_BYTES_MAX, parsePath } from '../../../protocols/path.ts'
import { saidAs } from '../../base/cause.ts'
import { NodeError } from '../../base/errors.ts'
import { isoTime } from '../../base/iso-time.ts'
import { type Block, REASON_CHARACTERS_MAX } from '../../flows/block-record.ts'
import { messageFor } from '../messages.ts'
import type { HttpParts } from '../ports.ts'
import type { ApiRequest, Route } from '../route.ts'

/** Paths of a blocked hash that are shown. */
const PATHS_SHOWN = 100

const hashField = z.string().regex(/^[0-9a-f]{64}$/i, 'must be a SHA-256 in hex')
const bodyShape = z
  .strictObject({
    sha256: hashField.optional(),
    path: z.string().max(PATH_BYTES_MAX).optional(),
    reason: z.string().trim().min(1).max(REASON_CHARACTERS_MAX)
  })
  .refine(({ sha256, path }) => (sha256 === undefined) !== (path === undefined), {
    error: 'name what is to be blocked by "sha256" or by "path"',
    params: saidAs('field_block_one')
  })
const paramsShape = z.strictObject({ hash: hashField })
const blockShape = z.object({
  sha256: z.string(),
  reason: z.string(),
  node: z.string().describe('Name of the server on which it was blocked'),
  blocked_at: z.iso.datetime(),
  paths: z.array(z.string()).describe(`Images with these bytes, at most ${PATHS_SHOWN}`)
})
const listShape = z.object({
  status: z.literal('success'),
  total: z.int(),
  held: z.int().describe('Those that wait until a brake is confirmed or undone'),
  left_out: z.int().describe('Those that there is no room for: they block nothing'),
  blocks: z.array(blockShape)
})
const doneShape = z.object({
  status: z.literal('success'),
  message: z.string(),
  sha256: z.string()
})

export function blockRoutes(parts: HttpParts): Route[] {
  return [
    {
      method: 'GET',
      url: '/api/blocks',
      who: 'admin',
      tag: 'operations',
      summary: 'List the hashes that are blocked on all servers',
      answers: { 200: { means: 'All of them', shape: listShape } },
      handle: () => list(parts)
    },
    {
      method: 'POST',
      url: '/api/blocks',
      who: 'admin',
      tag: 'operations',
      summary: 'Block a hash: no server of the mesh gives, takes or passes on these bytes any more',
      body: bodyShape,
      answers: {
        200: { means: 'It is blocked here, and soon everywhere', shape: doneShape },
        404: { means: 'There is no such image' },
        409: { means: 'Too many images were deleted, replaced or blocked at once' }
      },
      handle: (request) => block(parts, request)
    },
    {
      method: 'DELETE',
      url: '/api/blocks/:hash',
      who: 'admin',
      tag: 'operations',
      summary: 'Unblock a hash: the images that name it are there again',
      params: paramsShape,
      answers: {
        200: { means: 'It is blocked no more', shape: doneShape },
        404: { means: 'It was not blocked' }
      },
      handle: (request) => unblock(parts, request)
    }
  ]
}

async function list({ flows }: HttpParts): Promise<z.output<typeof listShape>> {
  const newest = [...flows.blocks.all()].sort((a, b) => b.createdMs - a.createdMs)
  const blocks = await Promise.all(newest.map((one) => describe(flows, one)))
  const { held, leftOut } = flows.blocks.waiting
  return { status: 'success', total: blocks.length, held, left_out: leftOut, blocks }
}

async function describe(
  { index }: HttpParts['flows'],
  { hash, reason, node, createdMs }: Block
): Promise<z.output<typeof blockShape>> {
  const paths = index.blob(hash) === undefined ? [] : await index.pathsOf(hash, PATHS_SHOWN)
  return { sha256: hash, reason, node, blocked_at: isoTime(createdMs), paths }
}

async function block(
  { flows, node }: HttpParts,
  request: ApiRequest
): Promise<z.output<typeof doneShape>> {
  const { sha256, path, reason } = request.body as z.output<typeof bodyShape>
  const hash = sha256 === undefined ? hashAt(flows, path ?? '') : parseHash(sha256.toLowerCase())
  await flows.blocks.add(hash, { reason, node: node.name })
  return {
    status: 'success',
    message: messageFor(request, `${hash} is blocked.`, `${hash} 已被屏蔽。`),
    sha256: hash
  }
}

function hashAt({ index }: HttpParts['flows'], text: string): ContentHash {
  const path = parsePath(text)
  const image = index.image(path)
  if (image !== undefined) return image.hash
  throw new NodeError(
    'NOT_FOUND',
    `There is no image ${path}. Name its bytes by their SHA-256.`,
    saidAs('image_absent', { path })
  )
}

async function unblock(
  { flows }: HttpParts,
  request: ApiRequest
): Promise<z.output<typeof doneShape>> {
  const { hash: text } = request.params as z.output<typeof paramsShape>
  const hash = parseHash(text.toLowerCase())
  if (!(await flows.blocks.remove(hash))) {
    throw new NodeError(
      'NOT_FOUND',
      `${hash} is not blocked. GET /api/blocks lists what is.`,
      saidAs('block_absent')
    )
  }
  return {
    status: 'success',
    message: messageFor(request, `${hash} is blocked no more.`, `${hash} 已解除屏蔽。`),
    sha256: hash
  }
}
