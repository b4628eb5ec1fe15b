// GET /file-sync/api/file-sync/file/{path}: all about one image, and why it is not there if it is
// not.

import { z } from 'zod'
import { type Entry, type ImageEntry, isImage } from '../../../protocols/entry.ts'
import { cidOf } from '../../../protocols/hash.ts'
import { fileNameOf, type ImagePath, parsePath } from '../../../protocols/path.ts'
import { versionMs } from '../../../protocols/version.ts'
import { NodeError } from '../../base/errors.ts'
import type { PastVersion } from '../../index/rows.ts'
import { describedImageShape, describeImage, isoTime, isRecognized } from '../describe-image.ts'
import { type HistoryLine, historyOf, historyShape } from '../history.ts'
import type { ApiOptions, HttpParts } from '../ports.ts'
import type { Route } from '../route.ts'

const serverShape = z.object({
  name: z.string(),
  has: z.boolean(),
  verified_at: z.iso.datetime().nullable(),
  reason: z.string().nullable().describe('Why it does not have it'),
  next_try_at: z.iso.datetime().nullable()
})

const moreShape = {
  servers: z.array(serverShape),
  history: historyShape,
  complete: z.boolean().describe('Whether all servers were asked'),
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
      handle: (request) =>
        describe(parts, options, parsePath((request.params as z.output<typeof paramsShape>)['*']))
    }
  ]
}

async function describe(parts: HttpParts, options: ApiOptions, path: ImagePath): Promise<unknown> {
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
    nameOf: (writer) => nameOf(parts, writer)
  })
  return isImage(current)
    ? describeLive(parts, current, history)
    : describeDeleted(parts, options, current, past[0], history)
}

function describeLive(
  { flows: { index }, node }: HttpParts,
  entry: ImageEntry,
  history: HistoryLine[]
): z.output<typeof liveShape> {
  const row = index.blob(entry.hash)
  const facts = describeImage(entry, row, node)
  const server = {
    name: node.name,
    has: facts.local,
    verified_at: facts.verified_at,
    reason: facts.local ? null : (row?.reason ?? 'it has not arrived yet'),
    next_try_at: null
  }
  return { ...facts, servers: [server], history, complete: true, deleted: false }
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
    writer: nameOf(parts, tombstone.writer),
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
    complete: true,
    deleted: true
  }
}

function nameOf({ node }: HttpParts, writer: string): string {
  return writer === node.peerId ? node.name : writer
}
