// GET /file-sync/api/file-sync/file/{path}: all about one image, and why it is not there if it is
// not.

import { z } from 'zod'
import { type Entry, type ImageEntry, isImage } from '../../../protocols/entry.ts'
import { type ContentHash, cidOf } from '../../../protocols/hash.ts'
import { fileNameOf, parsePath } from '../../../protocols/path.ts'
import { versionMs } from '../../../protocols/version.ts'
import { NodeError } from '../../base/errors.ts'
import type { BlobRow, PastVersion } from '../../index/rows.ts'
import {
  describedImageShape,
  describeImage,
  isoTime,
  isRecognized,
  viewpointOf
} from '../describe-image.ts'
import { type HistoryLine, historyOf, historyShape } from '../history.ts'
import type { HolderAnswer } from '../mesh-status-port.ts'
import type { ApiOptions, HttpParts } from '../ports.ts'
import type { ApiRequest, Route } from '../route.ts'

const serverShape = z.object({
  name: z.string(),
  has: z.boolean().describe('Who could not be asked now: by what it said last'),
  verified_at: z.iso.datetime().nullable(),
  reason: z.string().nullable().describe('Why it does not have it'),
  next_try_at: z.iso.datetime().nullable()
})

const moreShape = {
  servers: z.array(serverShape),
  history: historyShape,
  complete: z.boolean().describe('Whether all servers were asked and have answered'),
  deleted: z.boolean()
}

const liveShape = describedImageShape.extend(moreShape)

/** The facts are those of the last version, null where none is kept. */
const deletedShape = z.object({
  path: z.string(),
  filename: z.string(),
  size: z.int().nullable(),
  hash: z.string().nullable(),
  sha256: z.string().nullable(),
  cid: z.string().nullable(),
  mime_type: z.string().nullable(),
  recognized: z.boolean().nullable(),
  width: z.int().nullable(),
  height: z.int().nullable(),
  source_url: z.string().nullable(),
  writer: z.string().describe('Who deleted it'),
  created_at: z.iso.datetime(),
  modified_at: z.iso.datetime().describe('When it was deleted'),
  verified_at: z.iso.datetime().nullable(),
  state: z.literal('deleted'),
  local: z.literal(false),
  replicas: z.literal(0),
  url: z.null(),
  recoverable_until: z.iso.datetime().nullable(),
  ...moreShape
})

/** Servers that have not answered after this are described by what they said last. */
const ASK_MS_MAX = 2000
/** Versions of one path that are shown. */
const HISTORY_MAX = 1000
const paramsShape = z.object({ '*': z.string() })

export function fileRoutes(parts: HttpParts, options: ApiOptions): Route[] {
  return [
    {
      method: 'GET',
      url: '/file-sync/api/file-sync/file/*',
      who: 'read',
      tag: 'images',
      summary: 'All about one image: its facts, where it is, what happened to it',
      params: paramsShape,
      answers: {
        200: { means: 'The image; a deleted one too', shape: z.union([liveShape, deletedShape]) },
        404: { means: 'There never was such an image' }
      },
      handle: (request) => describe(parts, options, request)
    }
  ]
}

async function describe(
  parts: HttpParts,
  options: ApiOptions,
  { params, signal }: ApiRequest
): Promise<unknown> {
  const path = parsePath((params as z.output<typeof paramsShape>)['*'])
  const { nameOf } = viewpointOf(parts)
  const { index, journal } = parts.flows
  const current = index.get(path)
  if (current === undefined) {
    throw new NodeError('NOT_FOUND', `There is no image ${path}, and none was deleted here.`, {
      path
    })
  }
  const past = await index.past(path, HISTORY_MAX)
  const history = historyOf({
    current,
    past,
    journal: journal.lines,
    nodeName: parts.node.name,
    nameOf
  })
  return isImage(current)
    ? describeLive(parts, current, history, signal)
    : describeDeleted(parts, options, current, past[0], history)
}

async function describeLive(
  parts: HttpParts,
  entry: ImageEntry,
  history: HistoryLine[],
  signal: AbortSignal
): Promise<z.output<typeof liveShape>> {
  const { hash, version } = entry
  const asked = (await parts.meshStatus?.askHolders(hash, version, ASK_MS_MAX, signal)) ?? []
  const row = parts.flows.index.blob(hash)
  const facts = describeImage(entry, row, viewpointOf(parts))
  const own = {
    name: parts.node.name,
    has: facts.local,
    verified_at: facts.verified_at,
    ...(facts.local ? { reason: null, next_try_at: null } : whyNotHere(parts, hash, row))
  }
  const servers = [own, ...asked.map(describeAnswer)]
  return {
    ...facts,
    servers,
    replicas: servers.filter(({ has }) => has).length,
    history,
    complete: asked.every(({ has }) => has !== undefined),
    deleted: false
  }
}

type DescribedServer = z.output<typeof serverShape>

/** Who can't be asked is described by what it said last. */
function describeAnswer(answer: HolderAnswer): DescribedServer {
  const { name, has, believed } = answer
  return {
    name,
    has: has ?? believed,
    verified_at: null,
    reason: has ? null : whyNot(answer),
    next_try_at: null
  }
}

function whyNot({ has, believed, connected }: HolderAnswer): string {
  if (has === false) return 'it says that it does not have it yet'
  const why = connected ? 'it did not answer in time' : 'it is not connected'
  return believed ? `${why}; by what it said last it has it` : why
}

/** Why this node lacks a blob, and when it is tried again. */
function whyNotHere(
  { meshStatus, clock }: HttpParts,
  hash: ContentHash,
  row: BlobRow | undefined
): Pick<DescribedServer, 'reason' | 'next_try_at'> {
  const coming = meshStatus?.traffic().transfers.find((transfer) => transfer.hash === hash)
  if (coming !== undefined) return { reason: `it is coming from ${coming.from}`, next_try_at: null }
  const tried = meshStatus?.want(hash)
  const reasons = [row?.reason, tried?.reason].filter((reason) => reason !== undefined)
  return {
    reason: reasons.join('; ') || 'it has not arrived yet',
    next_try_at: tried === undefined ? null : isoTime(Math.max(tried.nextTryMs, clock.now()))
  }
}

function describeDeleted(
  parts: HttpParts,
  { trashKeepMs }: ApiOptions,
  tombstone: Entry,
  last: PastVersion | undefined,
  history: HistoryLine[]
): z.output<typeof deletedShape> {
  const { hash } = last?.entry ?? {}
  const row = hash === undefined ? undefined : parts.flows.index.blob(hash)
  const isKept = row?.state === 'held' || row?.state === 'trashed'
  const server = {
    name: parts.node.name,
    has: false,
    verified_at: null,
    reason: isKept
      ? 'it was deleted; the trash still holds its bytes'
      : 'it was deleted, and its bytes are gone',
    next_try_at: null
  }
  return {
    path: tombstone.path,
    filename: fileNameOf(tombstone.path),
    size: last?.entry.bytes ?? null,
    hash: last?.entry.md5 ?? null,
    sha256: hash ?? null,
    cid: hash === undefined ? null : cidOf(hash),
    mime_type: last?.entry.mediaType ?? null,
    recognized: last === undefined ? null : isRecognized(last.entry),
    width: last?.entry.width ?? null,
    height: last?.entry.height ?? null,
    source_url: last?.entry.sourceUrl ?? null,
    writer: viewpointOf(parts).nameOf(tombstone.writer),
    created_at: isoTime(tombstone.createdMs),
    modified_at: isoTime(versionMs(tombstone.version)),
    verified_at: row?.verifiedAtMs === undefined ? null : isoTime(row.verifiedAtMs),
    state: 'deleted',
    local: false,
    replicas: 0,
    url: null,
    recoverable_until: last !== undefined && isKept ? isoTime(last.sinceMs + trashKeepMs) : null,
    servers: [server],
    history,
    complete: (parts.mesh?.servers() ?? []).length === 0,
    deleted: true
  }
}
