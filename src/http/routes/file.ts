// GET /file-sync/api/file-sync/file/{path}: all about one image, and why it is not there if it is
// not.

import { z } from 'zod'
import { type Entry, type ImageEntry, isImage, wins } from '../../../protocols/entry.ts'
import { type ContentHash, cidOf } from '../../../protocols/hash.ts'
import { fileNameOf, parsePath } from '../../../protocols/path.ts'
import { versionMs } from '../../../protocols/version.ts'
import { saidAs } from '../../base/cause.ts'
import { NodeError } from '../../base/errors.ts'
import { isoTime } from '../../base/iso-time.ts'
import {
  gatherHistory,
  type KnownHistory,
  type KnownVersion,
  silence
} from '../../flows/history.ts'
import type { ServerHistory } from '../../flows/parts.ts'
import {
  type Copies,
  copyShape,
  type DescribedCopy,
  describeCopies,
  lackingCopy
} from '../describe-copies.ts'
import { describedImageShape, describeImage, isRecognized, viewpointOf } from '../describe-image.ts'
import { type HistoryLine, historyOf, historyShape } from '../history.ts'
import type { ApiOptions, HttpParts } from '../ports.ts'
import type { ApiRequest, Route } from '../route.ts'

/** An image that more paths than these name is one that somebody made for a test. */
const PATHS_MAX = 100

const moreShape = {
  paths: z
    .array(z.string())
    .max(PATHS_MAX)
    .describe('All live paths of these bytes; the first of them'),
  servers: z.array(copyShape),
  history: historyShape,
  complete: z
    .boolean()
    .describe('Whether all servers have answered, and the history has all versions that they keep')
}

const liveShape = describedImageShape.extend({
  ...moreShape,
  deleted: z.literal(false),
  shown_as: z
    .string()
    .nullable()
    .describe('Its name under images/ where the disk can not hold the path as it is')
})

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
  ...moreShape,
  deleted: z.literal(true)
})

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
  const { index } = parts.flows
  const live = index.image(path)
  const asking = live && describeCopies(parts, live, signal)
  const [known, asked] = await Promise.all([gatherHistory(parts.flows, path), asking])
  const current = index.get(path) ?? newestOf(known)
  if (current === undefined) {
    const sentence = `There is no image ${path}, and none was deleted.${silence(known)}`
    throw new NodeError('NOT_FOUND', sentence, { path, ...saidAs('image_absent', { path }) })
  }
  if (!isImage(current)) {
    const deleted = describeDeleted(parts, options, current, known)
    return { ...deleted, paths: await pathsOf(parts, deleted.sha256) }
  }
  // it was replaced meanwhile, or another server alone has heard of it
  const isAsked = live?.hash === current.hash && asked !== undefined
  const copies = isAsked ? asked : await describeCopies(parts, current, signal)
  const described = describeLive(parts, current, known, copies)
  return { ...described, paths: await pathsOf(parts, current.hash) }
}

async function pathsOf({ flows }: HttpParts, sha256: string | null): Promise<string[]> {
  return sha256 === null ? [] : flows.index.pathsOf(sha256 as ContentHash, PATHS_MAX)
}

/** What other servers say that the path is, where nothing of it is known here. */
function newestOf({ servers }: KnownHistory): Entry | undefined {
  const entries = servers.flatMap(({ current }) => current ?? [])
  return entries.reduce<Entry | undefined>((a, b) => (a && wins(a, b) ? a : b), undefined)
}

function linesOf(parts: HttpParts, { versions }: KnownHistory): HistoryLine[] {
  return historyOf({
    versions: versions.map(({ entry }) => entry),
    journal: parts.flows.journal.lines,
    nodeName: parts.node.name,
    nameOf: viewpointOf(parts).nameOf
  })
}

function describeLive(
  parts: HttpParts,
  entry: ImageEntry,
  known: KnownHistory,
  { servers, complete }: Copies
): Omit<z.output<typeof liveShape>, 'paths'> {
  const facts = describeImage(entry, parts.flows.index.blob(entry.hash), viewpointOf(parts))
  const { name } = parts.flows.index.view(entry.path) ?? {}
  return {
    ...facts,
    servers: [...servers],
    replicas: servers.filter(({ has }) => has).length,
    history: linesOf(parts, known),
    complete: known.isAll && complete,
    shown_as: name === undefined || name === entry.path ? null : name,
    deleted: false
  }
}

function describeDeleted(
  parts: HttpParts,
  { trashKeepMs }: ApiOptions,
  tombstone: Entry,
  known: KnownHistory
): Omit<z.output<typeof deletedShape>, 'paths'> {
  const { name } = parts.node
  const images = known.versions.filter(({ entry }) => isImage(entry))
  const last = images.find(({ sinceMs }) => sinceMs !== undefined) ?? images[0]
  const image = last?.entry
  const row = image?.hash && parts.flows.index.blob(image.hash)
  const isKept = last?.sinceMs !== undefined && (row?.state === 'held' || row?.state === 'trashed')
  return {
    path: tombstone.path,
    filename: fileNameOf(tombstone.path),
    size: image?.bytes ?? null,
    hash: image?.md5 ?? null,
    sha256: image?.hash ?? null,
    cid: image?.hash === undefined ? null : cidOf(image.hash),
    mime_type: image?.mediaType ?? null,
    recognized: image === undefined ? null : isRecognized(image),
    width: image?.width ?? null,
    height: image?.height ?? null,
    source_url: image?.sourceUrl ?? null,
    writer: viewpointOf(parts).nameOf(tombstone.writer),
    created_at: isoTime(tombstone.createdMs),
    modified_at: isoTime(versionMs(tombstone.version)),
    verified_at: row?.verifiedAtMs === undefined ? null : isoTime(row.verifiedAtMs),
    state: 'deleted',
    local: false,
    replicas: 0,
    url: null,
    recoverable_until: isKept ? isoTime(last.sinceMs + trashKeepMs) : null,
    servers: [
      isKept
        ? lackingCopy(name, 'trashed', 'it was deleted; the trash still holds its bytes')
        : lackingCopy(name, 'deleted', 'it was deleted, and its bytes are gone'),
      ...known.servers.map((server) => describeFormer(server, last)),
      ...known.silent.map((name) =>
        lackingCopy(name, 'silent', 'it is not connected, or did not answer in time')
      )
    ],
    history: linesOf(parts, known),
    complete: known.isAll,
    deleted: true
  }
}

/** What another server has of an image that was deleted here. */
function describeFormer(server: ServerHistory, last: KnownVersion | undefined): DescribedCopy {
  const { name } = server
  if (isImage(server.current)) {
    return lackingCopy(name, 'undeleted', 'it has not heard of the deletion yet')
  }
  if (last?.on.includes(server)) {
    const reason = 'it was deleted; this server keeps the version for restore'
    return lackingCopy(name, 'trashed', reason)
  }
  return lackingCopy(name, 'deleted', 'it was deleted')
}
