// GET /file-sync/api/file-sync/file/{path}: all about one image, and why it is not there if it is
// not.

import { z } from 'zod'
import { type Entry, type ImageEntry, isImage, wins } from '../../../protocols/entry.ts'
import { type ContentHash, cidOf } from '../../../protocols/hash.ts'
import { fileNameOf, parsePath } from '../../../protocols/path.ts'
import { versionMs } from '../../../protocols/version.ts'
import { NodeError } from '../../base/errors.ts'
import { isoTime } from '../../base/iso-time.ts'
import {
  gatherHistory,
  type KnownHistory,
  type KnownVersion,
  silence
} from '../../flows/history.ts'
import type { ServerHistory } from '../../flows/parts.ts'
import type { BlobRow } from '../../index/rows.ts'
import { describedImageShape, describeImage, isRecognized, viewpointOf } from '../describe-image.ts'
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

/** An image that more paths than these name is one that somebody made for a test. */
const PATHS_MAX = 100

const moreShape = {
  paths: z
    .array(z.string())
    .max(PATHS_MAX)
    .describe('All live paths of these bytes; the first of them'),
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
  const asking = live && askHolders(parts, live, signal)
  const [known, asked] = await Promise.all([gatherHistory(parts.flows, path), asking])
  const current = index.get(path) ?? newestOf(known)
  if (current === undefined) {
    const sentence = `There is no image ${path}, and none was deleted.${silence(known)}`
    throw new NodeError('NOT_FOUND', sentence, { path })
  }
  if (!isImage(current)) {
    const deleted = describeDeleted(parts, options, current, known)
    return { ...deleted, paths: await pathsOf(parts, deleted.sha256) }
  }
  // it was replaced meanwhile, or another server alone has heard of it
  const isAsked = live?.hash === current.hash && asked !== undefined
  const answers = isAsked ? asked : await askHolders(parts, current, signal)
  const described = describeLive(parts, current, known, answers)
  return { ...described, paths: await pathsOf(parts, current.hash) }
}

async function pathsOf({ flows }: HttpParts, sha256: string | null): Promise<string[]> {
  return sha256 === null ? [] : flows.index.pathsOf(sha256 as ContentHash, PATHS_MAX)
}

function askHolders(
  { meshStatus }: HttpParts,
  { hash, version }: ImageEntry,
  signal: AbortSignal
): Promise<readonly HolderAnswer[]> {
  return meshStatus?.askHolders(hash, version, ASK_MS_MAX, signal) ?? Promise.resolve([])
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
  asked: readonly HolderAnswer[]
): Omit<z.output<typeof liveShape>, 'paths'> {
  const { hash } = entry
  const row = parts.flows.index.blob(hash)
  const facts = describeImage(entry, row, viewpointOf(parts))
  const own = {
    name: parts.node.name,
    has: facts.local,
    verified_at: facts.verified_at,
    ...(facts.local ? { reason: null, next_try_at: null } : whyNotHere(parts, hash, row))
  }
  const why = facts.state === 'blocked' ? blockReason(parts, hash) : undefined
  const servers = [own, ...asked.map(describeAnswer)].map((server) =>
    why === undefined || server.has ? server : { ...server, reason: why, next_try_at: null }
  )
  return {
    ...facts,
    servers,
    replicas: servers.filter(({ has }) => has).length,
    history: linesOf(parts, known),
    complete: known.silent.length === 0 && asked.every(({ has }) => has !== undefined),
    deleted: false
  }
}

function blockReason({ flows }: HttpParts, hash: ContentHash): string {
  const { reason = '', node = '' } = flows.blocks.get(hash) ?? {}
  return `it is blocked: ${[reason, node && `on ${node}`].filter(Boolean).join(', ')}`
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
  known: KnownHistory
): Omit<z.output<typeof deletedShape>, 'paths'> {
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
      lacking(
        parts.node.name,
        isKept
          ? 'it was deleted; the trash still holds its bytes'
          : 'it was deleted, and its bytes are gone'
      ),
      ...known.servers.map((server) => lacking(server.name, whyDeleted(server, last))),
      ...known.silent.map((name) => lacking(name, 'it is not connected, or did not answer in time'))
    ],
    history: linesOf(parts, known),
    complete: known.silent.length === 0,
    deleted: true
  }
}

function lacking(name: string, reason: string): DescribedServer {
  return { name, has: false, verified_at: null, reason, next_try_at: null }
}

/** What another server has of an image that was deleted here. */
function whyDeleted(server: ServerHistory, last: KnownVersion | undefined): string {
  if (isImage(server.current)) return 'it has not heard of the deletion yet'
  if (last?.on.includes(server)) return 'it was deleted; this server keeps the version for restore'
  return 'it was deleted'
}
