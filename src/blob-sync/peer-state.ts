// What is known of one peer that blobs are asked of, and its lines.

import type { BlobsClient } from '../../protocols/blobs/request.ts'
import type { Clock } from '../base/clock.ts'
import { RateMeter } from '../base/rate-meter.ts'
import type { StallWatch } from './stall-watch.ts'

export const KINDS = ['bulk', 'reads'] as const

/** How a peer has behaved. */
export interface PeerConduct {
  /** Bytes that it was asked for and that have not come. */
  readonly owedBytes: number
  /** Until then, by the monotonic clock, it is left alone. */
  readonly restsUntilMs: number
  readonly receivedBytes: number
  readonly receivedBlobs: number
  /** Bytes a second that have come lately. */
  readonly rate: number
  /** It was left for others, since it sent far too little, and has not done better since. */
  readonly isSlow: boolean
}

export interface PeerState extends Omit<PeerConduct, 'rate'> {
  owedBytes: number
  restsUntilMs: number
  receivedBytes: number
  receivedBlobs: number
  readonly pace: RateMeter
  /** Since when it has owed something all the time, and what has come since. */
  owing: { readonly sinceMs: number; receivedBytes: number }
  isSlow: boolean
  faults: number
  readonly lines: Map<LineKind, Line>
  /** Kinds for which a lane is being opened. */
  seeking: Set<LineKind>
  noLaneUntilMs: number
  noLanes: number
}

/** Small blobs that readers wait for do not wait behind bulk. */
export type LineKind = (typeof KINDS)[number]

/** A long-lived stream to a peer. */
export interface Line {
  readonly client: Promise<BlobsClient>
  readonly watch: StallWatch
  /** Where it is a lane: what had come from the peer, and the time, when it was opened. */
  readonly lane: { readonly receivedBytes: number; readonly openedMs: number } | undefined
  /** Requests that are not answered yet, and of each whether others can be asked instead. */
  readonly asked: Set<() => boolean>
  /** To any of them. */
  hasAnswered: boolean
  /** Another one has taken its place: it ends with its last answer. */
  isRetired: boolean
}

/** One of whom nothing is known. */
export function newPeerState(clock: Clock): PeerState {
  return {
    lines: new Map(),
    seeking: new Set(),
    noLaneUntilMs: 0,
    noLanes: 0,
    owedBytes: 0,
    pace: new RateMeter(clock),
    owing: { sinceMs: clock.monotonicMs(), receivedBytes: 0 },
    isSlow: false,
    faults: 0,
    restsUntilMs: 0,
    receivedBytes: 0,
    receivedBlobs: 0
  }
}
