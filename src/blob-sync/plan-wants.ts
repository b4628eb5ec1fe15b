// Whom to ask for which blobs, and when to try again. Pure.

import type { ContentHash } from '../../protocols/hash.ts'
import { parseVersionKey, versionMs } from '../../protocols/version.ts'
import { planBackOffMs } from './plan-back-off.ts'
import type { Purpose } from './traffic.ts'

export interface RetryPolicy {
  /** Tries of one blob after which it counts as failed; it is tried on all the same. */
  readonly maxRetryAttempts: number
  readonly retryDelayMs: number
}

/** A blob that waits for a long time is tried again at least this often. */
export const LONG_WAIT_MS = 10 * 60_000

/** A peer that has failed is asked again after this, even where others failed for longer. */
const LONG_REST_MS = 60_000

/**
 * When a blob that has failed `attempts` times is tried again: doubling, so that it comes no later
 * than twice the time that it took somebody to have it, and jitter.
 */
export function planRetryMs(
  attempts: number,
  { retryDelayMs }: Pick<RetryPolicy, 'retryDelayMs'>,
  fraction: number
): number {
  return planBackOffMs(attempts, { firstMs: retryDelayMs, longestMs: LONG_WAIT_MS }, fraction)
}

/** How long a peer rests that has failed so many times in a row. */
export function planRestMs(
  faults: number,
  { retryDelayMs }: Pick<RetryPolicy, 'retryDelayMs'>,
  fraction: number
): number {
  const firstMs = Math.min(retryDelayMs, LONG_WAIT_MS)
  return planBackOffMs(faults, { firstMs, longestMs: Math.max(firstMs, LONG_REST_MS) }, fraction)
}

export interface Candidate {
  readonly peerId: string
  /** Bytes that this peer still owes this node. */
  readonly owedBytes: number
  /** What has come from it lately, bytes a second. */
  readonly rate: number
  /** Until then the peer is left alone. */
  readonly restsUntilMs: number
  /** Whether it is believed to hold the blob, by what it said itself. */
  readonly believed: boolean
  /** Of a round trip; undefined where it is not known. */
  readonly latencyMs?: number | undefined
  /** It has sent far too little, where others could have. */
  readonly isSlow?: boolean
  /** So long a limit keeps more from being asked of it. */
  readonly slowedMs?: number
}

/** What a peer is asked for ahead: enough to keep the line full, and soon done if it is slow. */
const OWED_MS = 2000
const OWED_BYTES_MIN = 4 * 2 ** 20
const OWED_BYTES_MAX = 16 * 2 ** 20
/** The most of one that has held up others by being slow: enough to see that it is better now. */
const OWED_BYTES_SLOW = 256 * 1024

/** The least that a blob counts: a very small one is not for nothing either. */
const OWED_BYTES_BLOB = 4096

/** What a peer owes that is asked for a blob of so many bytes. */
export function owedFor(bytes: number): number {
  return Math.max(bytes, OWED_BYTES_BLOB)
}

type Owing = Pick<Candidate, 'owedBytes' | 'rate' | 'isSlow'>

/** What new images may be asked for beyond that: they do not wait for older ones to come. */
const NEW_BYTES_MAX = 4 * 2 ** 20

/** Whether a peer may be asked for more: one that is slow owes less, and leaves more to others. */
export function hasRoom(peer: Owing, purpose?: Purpose): boolean {
  const beyond = purpose === 'new' && !peer.isSlow ? NEW_BYTES_MAX : 0
  return peer.owedBytes < owedMax(peer) + beyond
}

/** Whether it is time to look for more to ask it for: each look passes over all that is asked. */
export function runsLow(peer: Owing): boolean {
  return peer.owedBytes <= owedMax(peer) / 2
}

function owedMax({ rate, isSlow }: Owing): number {
  if (isSlow) return OWED_BYTES_SLOW
  return Math.min(Math.max((rate * OWED_MS) / 1000, OWED_BYTES_MIN), OWED_BYTES_MAX)
}

/**
 * The peer to ask for a blob: the least busy and nearest of those believed to hold it, else of the
 * others; none of those that have just said that they lack it.
 */
export function planHolder(
  candidates: readonly Candidate[],
  lacking: ReadonlySet<string>,
  nowMs: number,
  purpose?: Purpose
): string | undefined {
  let best: Candidate | undefined
  for (const one of candidates) {
    if (lacking.has(one.peerId) || one.restsUntilMs > nowMs || !hasRoom(one, purpose)) continue
    if ((one.slowedMs ?? 0) > 0) continue
    if (best === undefined || isBetter(one, best)) best = one
  }
  return best?.peerId
}

/**
 * The order in which peers are asked for a blob that somebody waits for: those that have
 * not failed lately, then those that are believed to hold it, then the least busy and nearest.
 */
export function planReadOrder(candidates: readonly Candidate[], nowMs: number): readonly string[] {
  const rests = ({ restsUntilMs }: Candidate) => Number(restsUntilMs > nowMs)
  return candidates
    .toSorted(
      (a, b) => rests(a) - rests(b) || Number(b.believed) - Number(a.believed) || compareBusy(a, b)
    )
    .map(({ peerId }) => peerId)
}

function isBetter(a: Candidate, b: Candidate): boolean {
  return a.believed === b.believed ? compareBusy(a, b) < 0 : a.believed
}

/** The slow one last, else the one that is busier or farther away. */
function compareBusy(a: Candidate, b: Candidate): number {
  return Number(a.isSlow ?? false) - Number(b.isSlow ?? false) || delayOf(a) - delayOf(b)
}

/** Who is farther away counts like one that owes more, but never more than each may owe. */
const FAR_BYTES_PER_MS = 4000
const FAR_MS_MAX = 500

function delayOf({ owedBytes, latencyMs = 0 }: Candidate): number {
  return owedBytes + Math.min(latencyMs, FAR_MS_MAX) * FAR_BYTES_PER_MS
}

export interface WantedBlob {
  readonly hash: ContentHash
  readonly bytes: number
  /** What it is asked for, once a peer is. */
  readonly purpose?: Purpose
  /**
   * It comes at the pace of a limit, on a stream of its own: nothing else waits for it, and it is
   * not owed.
   */
  readonly isSlow?: boolean
}

/** So long after it was written an image counts as new. */
const NEW_MS = 10 * 60_000

/** What the blob of a row is fetched for: `want` as its key has it. */
export function purposeOf(
  { state, want }: { readonly state: string; readonly want: string },
  nowMs: number
): Purpose {
  if (state !== 'wanted') return 'repair'
  return versionMs(parseVersionKey(want)) > nowMs - NEW_MS ? 'new' : 'catch_up'
}

/** What is lacking from here on pays to have another thread take it in. */
const MUCH_BLOBS = 64
const MUCH_BYTES = 8 * 2 ** 20

/** Whether a node lacks much. */
export function isMuch({ wants, wantBytes }: { wants: number; wantBytes: number }): boolean {
  return wants >= MUCH_BLOBS || wantBytes >= MUCH_BYTES
}

/**
 * Cuts what one peer is asked for into requests of a bounded number of blobs and bytes. What is
 * slow has one of its own.
 */
export function* requestsOf(
  blobs: readonly WantedBlob[],
  { itemsMax, bytesMax }: { itemsMax: number; bytesMax: number }
): Generator<readonly WantedBlob[]> {
  let request: WantedBlob[] = []
  let bytes = 0
  for (const blob of blobs) {
    if (blob.isSlow) {
      yield [blob]
      continue
    }
    if (request.length > 0 && (request.length >= itemsMax || bytes + blob.bytes > bytesMax)) {
      yield request
      request = []
      bytes = 0
    }
    request.push(blob)
    bytes += blob.bytes
  }
  if (request.length > 0) yield request
}
