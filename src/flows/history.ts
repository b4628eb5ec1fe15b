// What is known of a path: its current entry and the earlier versions that any member still keeps.

import { type Entry, wins } from '../../protocols/entry.ts'
import type { ImagePath } from '../../protocols/path.ts'
import type { FlowParts, ServerHistory } from './parts.ts'

/** One version of a path, or its deletion. */
export interface KnownVersion {
  readonly entry: Entry
  /** When it ceased to be current here; undefined where it is current, or not kept here. */
  readonly sinceMs: number | undefined
  /** Whether this node has it. */
  readonly here: boolean
  /** Other servers that have it. */
  readonly on: readonly ServerHistory[]
}

export interface KnownHistory {
  /** Newest first, each told once. */
  readonly versions: readonly KnownVersion[]
  /** What each other server said. */
  readonly servers: readonly ServerHistory[]
  /** Names of members that did not say anything. */
  readonly silent: readonly string[]
  /** False where a member was silent, or somebody keeps more versions than are told. */
  readonly isAll: boolean
}

/** Versions of one path that are read here. */
const VERSIONS_MAX = 1000

/** Asks all members that are connected; takes as long as the slowest of them may take. */
export async function gatherHistory(
  { index, remote }: Pick<FlowParts, 'index' | 'remote'>,
  path: ImagePath
): Promise<KnownHistory> {
  const { servers, silent } = (await remote?.history(path)) ?? { servers: [], silent: [] }
  const known = new Map<string, KnownVersion>()
  const add = (entry: Entry, more: (before: KnownVersion) => Partial<KnownVersion>) => {
    const id = Buffer.from(entry.id).toString('hex')
    const before = known.get(id) ?? { entry, sinceMs: undefined, here: false, on: [] }
    known.set(id, { ...before, ...more(before) })
  }
  const current = index.get(path) // after the others: what has come meanwhile is not missed
  if (current !== undefined) add(current, () => ({ here: true }))
  const past = await index.past(path, VERSIONS_MAX + 1)
  for (const { entry, sinceMs } of past.slice(0, VERSIONS_MAX)) {
    add(entry, () => ({ here: true, sinceMs }))
  }
  for (const server of servers) {
    const entries = [...(server.current ? [server.current] : []), ...server.past]
    for (const entry of entries) add(entry, ({ on }) => ({ on: [...on, server] }))
  }
  const versions = [...known.values()].sort((a, b) => (wins(a.entry, b.entry) ? -1 : 1))
  const isToldWhole = past.length <= VERSIONS_MAX && servers.every(({ isAll }) => isAll)
  return { versions, servers, silent, isAll: silent.length === 0 && isToldWhole }
}

const NAMED_MAX = 10

/** A further sentence of an answer that not all members had a part in. */
export function silence({ silent }: Pick<KnownHistory, 'silent'>): string {
  if (silent.length === 0) return ''
  const more = silent.length > NAMED_MAX ? ' and others' : ''
  return ` These servers were not connected or did not answer: ${silent.slice(0, NAMED_MAX).join(', ')}${more}.`
}
