// Which images would be out of reach if this node were switched off now.

import type { WantRange } from '../../protocols/entries/source.ts'
import { type Entry, isImage } from '../../protocols/entry.ts'
import { BUCKET_MAX, bucketStartMs } from '../../protocols/time-tree-shape.ts'
import { versionAt } from '../../protocols/version.ts'
import type { ServerStatus } from '../flows/status.ts'
import type { ImageIndex } from '../index/image-index.ts'
import type { HttpParts } from './ports.ts'

export interface OnlyHere {
  readonly files: number
  readonly bytes: number
  /** Some of their paths. */
  readonly samples: readonly string[]
}

const SAMPLES_MAX = 20

/** Names of the other servers that are connected. */
export function connectedServers({ mesh }: Pick<HttpParts, 'mesh'>): readonly string[] {
  return connected(mesh).map(({ name }) => name)
}

function connected(mesh: HttpParts['mesh']): readonly ServerStatus[] {
  const servers = mesh?.servers() ?? []
  return servers.filter(({ state }) => state === 'online' || state === 'syncing')
}

/** Entries that are looked at for samples of what a node that stands alone has. */
const LOOKED_AT_MAX = 10_000

/**
 * Images whose bytes are here, and on no server that is connected, by what those said of themselves
 * last. Reads the index where those lack something, and nowhere else.
 */
export async function findOnlyHere(
  { flows: { index }, mesh, meshStatus }: Pick<HttpParts, 'flows' | 'mesh' | 'meshStatus'>,
  signal: AbortSignal
): Promise<OnlyHere> {
  if (meshStatus === undefined || connected(mesh).length === 0) return allHere(index, signal)
  const holdersOf = meshStatus.holders('connected')
  const samples: string[] = []
  let files = 0
  let bytes = 0
  for (const range of meshStatus.unheld().toReversed()) {
    for await (const entry of entriesIn(index, range)) {
      signal.throwIfAborted()
      if (!isImage(entry) || index.blob(entry.hash)?.state !== 'held') continue
      if (holdersOf(entry.version).length > 0) continue
      files++
      bytes += entry.bytes
      if (samples.length < SAMPLES_MAX) samples.push(entry.path)
    }
  }
  return { files, bytes, samples }
}

async function allHere(index: ImageIndex, signal: AbortSignal): Promise<OnlyHere> {
  const { heldImages: files, heldImageBytes: bytes } = index.counts()
  const samples: string[] = []
  let lookedAt = 0
  for await (const entry of index.listByVersion({})) {
    signal.throwIfAborted()
    if (samples.length >= Math.min(files, SAMPLES_MAX) || lookedAt++ === LOOKED_AT_MAX) break
    if (isImage(entry) && index.blob(entry.hash)?.state === 'held') samples.push(entry.path)
  }
  return { files, bytes, samples }
}

/** Newest first. */
async function* entriesIn(index: ImageIndex, { from, to }: WantRange): AsyncGenerator<Entry> {
  const first = versionAt(bucketStartMs(from))
  const range = to === BUCKET_MAX ? {} : { before: versionAt(bucketStartMs(to + 1)) }
  for await (const entry of index.listByVersion(range)) {
    if (entry.version < first) return
    yield entry
  }
}
