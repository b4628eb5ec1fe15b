// Which images would be out of reach if this node were switched off now.

import { isImage } from '../../protocols/entry.ts'
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
  const servers = mesh?.servers() ?? []
  return servers
    .filter(({ state }) => state === 'online' || state === 'syncing')
    .map(({ name }) => name)
}

/**
 * Images whose bytes are here, and on no server that is connected, by what those said of themselves
 * last. Reads the whole index.
 */
export async function findOnlyHere(
  { flows: { index }, meshStatus }: Pick<HttpParts, 'flows' | 'meshStatus'>,
  signal: AbortSignal
): Promise<OnlyHere> {
  const holdersOf = meshStatus?.holders('connected') ?? (() => [])
  const samples: string[] = []
  let files = 0
  let bytes = 0
  for await (const entry of index.listByVersion({})) {
    signal.throwIfAborted()
    if (!isImage(entry) || index.blob(entry.hash)?.state !== 'held') continue
    if (holdersOf(entry.version).length > 0) continue
    files++
    bytes += entry.bytes
    if (samples.length < SAMPLES_MAX) samples.push(entry.path)
  }
  return { files, bytes, samples }
}
