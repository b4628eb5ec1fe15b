// How this node stands to a blob: whether it has it, and if not, what keeps it from that and when
// it is tried again. The same is said to a person here and to other servers.

import type { Copy } from '../../protocols/blobs/copy.ts'
import type { ContentHash } from '../../protocols/hash.ts'
import type { BlobRow } from '../index/rows.ts'
import type { FlowParts } from './parts.ts'

/** One word for each way in which a node stands to a blob; protocols/README.md explains them. */
export type StandingState =
  | 'held'
  | 'blocked'
  | 'unknown'
  | 'trashed'
  | 'doubt'
  | 'coming'
  | 'disk_full'
  | 'policy'
  | 'paused'
  | 'alone'
  | 'nobody'
  | 'failed'
  | 'queued'

export interface Standing extends Copy {
  readonly state: StandingState
  readonly lost?: 'damaged' | 'missing' | undefined
}

export interface FailedWant {
  /** nobody: those that were asked lack it. failed: it broke off, or could not be kept. */
  readonly cause: 'nobody' | 'failed'
  readonly reason: string
  readonly nextTryMs: number
}

/** What is known of fetching, where there is a mesh. */
export interface Fetching {
  /** Name of the server whose bytes are on their way. */
  sender(hash: ContentHash): string | undefined
  /** Why it could not be had yet, and when it is tried again; undefined if it was not tried. */
  want(hash: ContentHash): FailedWant | undefined
  /** Until then nothing is fetched, since this node itself could not take it. */
  pausedUntilMs(): number | undefined
  hasPeers(): boolean
  /** Whether all blobs are to come to this disk, not only those that somebody reads. */
  readonly fetchAll: boolean
}

/** Wants that are counted before one of them: one look at the database for each some hundred. */
export const AHEAD_MAX = 10_000

export type StandingParts = Pick<
  FlowParts,
  'index' | 'blocks' | 'brakes' | 'room' | 'clock' | 'store'
>

export async function standingOf(
  parts: StandingParts,
  hash: ContentHash,
  fetching?: Fetching
): Promise<Standing> {
  const { index, blocks, brakes, store } = parts
  const block = blocks.get(hash)
  if (block !== undefined) {
    const reason = [block.reason, block.node && `on ${block.node}`].filter(Boolean).join(', ')
    return { state: 'blocked', reason }
  }
  const row = index.blob(hash)
  if (row === undefined) return { state: 'unknown' }
  const { verifiedAtMs: verifiedMs } = row
  if (brakes.engaged('loss') !== undefined || !store.isPresent)
    return { state: 'doubt', verifiedMs }
  if (row.state === 'held') return { state: 'held', verifiedMs }
  if (row.state === 'trashed' || row.live === 0) return { state: 'trashed', verifiedMs }
  const lost = row.state === 'damaged' || row.state === 'missing' ? row.state : undefined
  const had = lost && { lost, verifiedMs, reason: row.reason }
  const { reason, ...why } = await whyNotHere(parts, hash, row, fetching)
  const reasons = [had?.reason, reason].filter((one) => one !== undefined)
  return { ...had, ...why, ...(reasons.length > 0 && { reason: reasons.join('; ') }) }
}

async function whyNotHere(
  { index, room, clock }: StandingParts,
  hash: ContentHash,
  row: BlobRow,
  fetching: Fetching | undefined
): Promise<Standing> {
  const from = fetching?.sender(hash)
  if (from !== undefined) return { state: 'coming', from }
  const pausedMs = fetching?.pausedUntilMs()
  if (room.status().state === 'full') return { state: 'disk_full', nextTryMs: pausedMs }
  if (fetching === undefined || !fetching.hasPeers()) return { state: 'alone' }
  if (!fetching.fetchAll) return { state: 'policy' }
  const want = fetching.want(hash)
  if (pausedMs !== undefined) {
    return { state: 'paused', nextTryMs: pausedMs, reason: want?.reason }
  }
  if (want !== undefined) {
    const nextTryMs = Math.max(want.nextTryMs, clock.now())
    const { cause, reason } = want
    return { state: cause, nextTryMs, ...(cause === 'failed' && { reason }) }
  }
  return { state: 'queued', ahead: await countAhead(index, hash, row) }
}

/** Newer ones go first. */
async function countAhead(
  index: StandingParts['index'],
  hash: ContentHash,
  { want }: BlobRow
): Promise<number> {
  let ahead = 0
  if (want === undefined) return ahead
  for await (const other of index.wants({ newestFirst: true })) {
    if (other === hash || ahead === AHEAD_MAX) break
    ahead++
  }
  return ahead
}
