// How an image looks from outside: one element of `files`, the same in every answer.

import { z } from 'zod'
import type { ImageEntry } from '../../protocols/entry.ts'
import { type ContentHash, cidOf } from '../../protocols/hash.ts'
import { fileNameOf } from '../../protocols/path.ts'
import { type Version, versionMs } from '../../protocols/version.ts'
import { isoTime } from '../base/iso-time.ts'
import { UNRECOGNIZED_MEDIA_TYPE } from '../content/kinds.ts'
import type { BlobRow, BlobState } from '../index/rows.ts'
import type { HttpParts } from './ports.ts'

export const describedImageShape = z.object({
  path: z.string(),
  filename: z.string(),
  size: z.int().describe('Bytes'),
  hash: z.string().describe('MD5 in hex'),
  sha256: z.string(),
  cid: z.string().describe('CIDv1 of the same SHA-256'),
  mime_type: z.string(),
  recognized: z.boolean().describe('False for bytes that no decoder here knows'),
  width: z.int().nullable(),
  height: z.int().nullable(),
  source_url: z.string().nullable(),
  writer: z.string().describe('Name of the node that wrote this version, else its peer id'),
  created_at: z.iso.datetime(),
  modified_at: z.iso.datetime(),
  verified_at: z.iso.datetime().nullable(),
  state: z.enum(['ok', 'pending', 'missing', 'corrupted', 'blocked']),
  local: z.boolean().describe('Whether this node has the bytes'),
  servers: z
    .array(z.string())
    .describe('Names of the nodes that have the bytes, each by what it last said itself'),
  replicas: z.int(),
  url: z.string()
})

/** What is true of an image wherever its bytes are. */
export const imageFactsShape = describedImageShape.pick({
  path: true,
  filename: true,
  size: true,
  hash: true,
  sha256: true,
  cid: true,
  mime_type: true,
  width: true,
  height: true,
  source_url: true,
  created_at: true,
  modified_at: true
})

export type DescribedImage = z.output<typeof describedImageShape>

/** Who describes, and what is known there of other servers; for use within one request. */
export interface Viewpoint {
  readonly name: string
  /** Names of other servers that are believed to hold what an entry of this version names. */
  readonly holdersOf: (version: Version) => readonly string[]
  /** Name of the node with this peer id, else the id. */
  readonly nameOf: (peerId: string) => string
  /** Whether a hash is blocked; what follows from that for its bytes comes a moment later. */
  readonly isBlocked: (hash: ContentHash) => boolean
}

export function viewpointOf({
  node: { name, peerId },
  meshStatus,
  flows: { blocks }
}: Pick<HttpParts, 'node' | 'meshStatus' | 'flows'>): Viewpoint {
  return {
    name,
    holdersOf: meshStatus?.holders() ?? (() => []),
    nameOf: (id) => (id === peerId ? name : (meshStatus?.nameOf(id) ?? id)),
    isBlocked: (hash) => blocks.has(hash)
  }
}

/** `row` is what is known of the entry's blob here. */
export function describeImage(
  entry: ImageEntry,
  row: BlobRow | undefined,
  { name, holdersOf, nameOf, isBlocked }: Viewpoint
): DescribedImage {
  const state = stateOf(row?.state, isBlocked(entry.hash))
  const servers =
    state === 'blocked' ? [] : [...(state === 'ok' ? [name] : []), ...holdersOf(entry.version)]
  return {
    path: entry.path,
    filename: fileNameOf(entry.path),
    size: entry.bytes,
    hash: entry.md5,
    sha256: entry.hash,
    cid: cidOf(entry.hash),
    mime_type: entry.mediaType,
    recognized: isRecognized(entry),
    width: entry.width ?? null,
    height: entry.height ?? null,
    source_url: entry.sourceUrl ?? null,
    writer: nameOf(entry.writer),
    created_at: isoTime(entry.createdMs),
    modified_at: isoTime(versionMs(entry.version)),
    verified_at: row?.verifiedAtMs === undefined ? null : isoTime(row.verifiedAtMs),
    state,
    local: state === 'ok',
    servers,
    replicas: servers.length,
    url: imageUrl(entry.path)
  }
}

/** Where the image is read; relative to the node's address. */
export function imageUrl(path: string): string {
  return `/images/${path.split('/').map(encodeURIComponent).join('/')}`
}

/** Whether the bytes were known to be an image when they came in. */
export function isRecognized({ mediaType }: Pick<ImageEntry, 'mediaType'>): boolean {
  return mediaType !== UNRECOGNIZED_MEDIA_TYPE
}

/** What a client is told of the state of a blob here. */
export function stateOf(state: BlobState | undefined, isBlocked: boolean): DescribedImage['state'] {
  if (isBlocked) return 'blocked'
  switch (state) {
    case 'held':
      return 'ok'
    case undefined:
    case 'wanted':
    case 'trashed': // on its way back from the trash, and not yet durable in its place
    case 'blocked': // on its way back, too
      return 'pending'
    case 'missing':
      return 'missing'
    case 'damaged':
      return 'corrupted'
    default:
      return state satisfies never
  }
}
