// GET /api/copies/{hash}: which images have these bytes, which servers hold them, and why the
// others do not.

import { z } from 'zod'
import { type ContentHash, cidOf, parseCid, parseHash, parseMd5 } from '../../../protocols/hash.ts'
import { saidAs } from '../../base/cause.ts'
import { NodeError } from '../../base/errors.ts'
import type { FlowParts } from '../../flows/parts.ts'
import { type Copies, copyShape, describeCopies } from '../describe-copies.ts'
import type { HttpParts } from '../ports.ts'
import type { ApiRequest, Route } from '../route.ts'

/** Bytes that more paths than these name are those of a placeholder, or of a test. */
const PATHS_MAX = 1000
/** Blobs with one MD5 that are named. */
const SAME_MD5_MAX = 10
/** A CID has 59 characters. */
const HASH_CHARACTERS_MAX = 100

const paramsShape = z.strictObject({ hash: z.string().max(HASH_CHARACTERS_MAX) })
const answerShape = z.object({
  sha256: z.string(),
  cid: z.string(),
  hash: z.string().nullable().describe('MD5 in hex, where it is known here'),
  size: z.int().nullable().describe('Bytes, where that is known here'),
  paths: z.array(z.string()).describe(`Live images with these bytes, at most ${PATHS_MAX}`),
  servers: z.array(copyShape).describe('This one first'),
  complete: z.boolean().describe('Whether all servers were asked and have answered')
})

export function copiesRoutes(parts: HttpParts): Route[] {
  return [
    {
      method: 'GET',
      url: '/api/copies/:hash',
      who: 'read',
      tag: 'images',
      summary:
        'Where bytes are, by SHA-256, CID or MD5: images, servers, and why not on the others',
      params: paramsShape,
      answers: {
        200: { means: 'What is known of these bytes', shape: answerShape },
        404: { means: 'No image here or on any server has this hash' }
      },
      handle: (request) => describe(parts, request)
    }
  ]
}

async function describe(
  parts: HttpParts,
  { params, signal }: ApiRequest
): Promise<z.output<typeof answerShape>> {
  const { index } = parts.flows
  const hash = await hashOf(index, (params as z.output<typeof paramsShape>).hash)
  const paths = await index.pathsOf(hash, PATHS_MAX)
  const [first] = paths
  const version = first && index.image(first)?.version
  const copies = await describeCopies(parts, { hash, version }, signal)
  if (paths.length === 0 && !copies.servers.some(isKnown)) throw unknown(hash, copies)
  const row = index.blob(hash)
  return {
    sha256: hash,
    cid: cidOf(hash),
    hash: row?.md5 ?? null,
    size: row?.bytes ?? null,
    paths,
    servers: [...copies.servers],
    complete: copies.complete
  }
}

/** Whether a server has had to do with the bytes: a trash counts, and so does a block. */
function isKnown({ has, state }: Copies['servers'][number]): boolean {
  return has || ['blocked', 'trashed', 'held', 'doubt'].includes(state)
}

async function hashOf(index: FlowParts['index'], text: string): Promise<ContentHash> {
  if (/^[0-9a-f]{64}$/i.test(text)) return parseHash(text)
  if (!/^[0-9a-f]{32}$/i.test(text)) return parseCid(text)
  const hashes = await index.hashesOf(parseMd5(text), SAME_MD5_MAX)
  const [hash, ...more] = hashes
  if (hash === undefined) {
    const sentence =
      'No image here has this MD5. Other servers are asked by the SHA-256 or the CID alone.'
    throw new NodeError('NOT_FOUND', sentence, { md5: text, ...saidAs('md5_absent') })
  }
  if (more.length === 0) return hash
  const sentence = `Several blobs have this MD5. Ask by the SHA-256: ${hashes.join(', ')}.`
  const said = saidAs('md5_several', { hashes: hashes.join(', ') })
  throw new NodeError('BAD_REQUEST', sentence, { md5: text, ...said })
}

function unknown(hash: ContentHash, { servers, complete }: Copies): NodeError {
  const silent = servers.filter(({ state }) => ['unreachable', 'away', 'silent'].includes(state))
  const names = silent.map(({ name }) => name).join(', ')
  const rest = complete ? '' : ` Could not be asked: ${names || 'some of them'}.`
  return new NodeError('NOT_FOUND', `No image here or on any server has this hash.${rest}`, {
    ...{ hash, ...saidAs('hash_absent') }
  })
}
