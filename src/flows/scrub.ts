// Every blob is read and hashed again within the scrub interval, a little at a time: that is how
// damage on a disk is found while another server still has the right bytes. A round begins at a
// random blob and goes once round in the order of hashes, which is no order of anything else; where
// it is, is kept in the index, so that a restart goes on there.

import type { ContentHash } from '../../protocols/hash.ts'
import { sleep } from '../base/clock.ts'
import { type GroupLimits, inGroups } from '../base/in-groups.ts'
import type { BlobRow } from '../index/rows.ts'
import { lastScan, recordScan } from './last-scan.ts'
import type { FlowParts } from './parts.ts'
import { scrubCost, scrubDue, scrubTotal } from './plan-scrub.ts'
import { showAgain } from './show-again.ts'
import { AGE_MS_MIN, sweepUnnamed } from './sweep-unnamed.ts'
import { verifyBlob } from './verify-blob.ts'
import { GROUP_BLOBS_MAX, GROUP_BYTES_MAX, RIGHT, verifyHeld } from './verify-held.ts'

export interface ScrubOptions {
  /** In which every blob is read once. */
  readonly intervalMs: number
}

/** Where a round is. */
interface Round {
  readonly startMs: number
  /** The first blob of the round: it ends before it. */
  readonly from: string
  /** The last one that was read. */
  readonly at: string
  readonly isWrapped: boolean
  readonly cost: number
  readonly files: number
  readonly corrupted: number
  readonly repaired: number
  readonly unrepairable: number
}

const NAME = 'scrub'
type Blob = readonly [hash: ContentHash, row: BlobRow]

const GROUPS: GroupLimits<Blob> = {
  countMax: GROUP_BLOBS_MAX,
  weightMax: GROUP_BYTES_MAX,
  weightOf: ([, { bytes }]) => bytes
}
/** Blobs after which it is noted where the round is: a crash repeats these and a group at most. */
const NOTED_FILES = 48
/** While it is behind, it reads a quarter of the time: others need the disk too. */
const REST_PER_WORK = 3

/** When the round after the present one begins; the first one does so soon after the start. */
export function nextScrubMs(
  { index, clock }: Pick<FlowParts, 'index' | 'clock'>,
  options: ScrubOptions
): number {
  const round = index.meta(NAME) as Round | undefined
  return (round?.startMs ?? clock.now()) + options.intervalMs
}

/** Reads as much as is due by now. Rejects when the signal is aborted or the disk fails. */
export async function scrub(
  parts: FlowParts,
  { intervalMs }: ScrubOptions,
  signal: AbortSignal
): Promise<void> {
  const { index, clock } = parts
  let noted = index.meta(NAME) as Round | undefined
  let round = noted ?? begin(parts)
  const elapsedMs = clock.now() - round.startMs
  const isClockBack = elapsedMs < 0 // nothing would be due until it is there again
  if (isOver(round) && !isClockBack && elapsedMs < intervalMs) return
  if (isOver(round) || isClockBack) {
    noted = undefined
    round = begin(parts)
  }
  const due = scrubDue(scrubTotal(index.counts()), clock.now() - round.startMs, intervalMs)
  let isLeft = false
  const dueBlobs = async function* () {
    let { cost } = round
    for await (const blob of blobsOf(parts, round)) {
      isLeft = cost >= due
      if (isLeft) return
      cost += scrubCost(blob[1].bytes)
      yield blob
    }
  }
  for await (const blobs of inGroups(dueBlobs(), GROUPS)) {
    signal.throwIfAborted()
    const startMs = clock.monotonicMs()
    round = await read(parts, round, blobs, signal)
    if (round.files - (noted?.files ?? 0) >= NOTED_FILES) {
      await note(parts, round)
      noted = round
    }
    await sleep(clock, (clock.monotonicMs() - startMs) * REST_PER_WORK, signal)
  }
  if (!isLeft) round = await end(parts, round, signal)
  if (round !== noted) await note(parts, round)
}

function begin({ random, clock }: FlowParts): Round {
  const startMs = clock.now()
  const from = Buffer.from(random.bytes(32)).toString('hex')
  const counts = { cost: 0, files: 0, corrupted: 0, repaired: 0, unrepairable: 0 }
  return { startMs, from, at: '', isWrapped: false, ...counts }
}

const OVER = 'over'
const isOver = ({ at }: Round) => at === OVER

/** Those that are left of the round. */
async function* blobsOf(
  { index }: FlowParts,
  { from, at, isWrapped }: Round
): AsyncGenerator<Blob> {
  if (!isWrapped) yield* index.blobs({ after: at === '' ? from : at })
  yield* index.blobs({ after: isWrapped ? at : '', before: from })
}

async function read(
  parts: FlowParts,
  before: Round,
  blobs: readonly Blob[],
  signal: AbortSignal
): Promise<Round> {
  const named = blobs.filter(([, row]) => isNamed(row)).map(([hash]) => hash)
  const held = await verifyHeld(parts, named, signal)
  let round = before
  for (const [hash, row] of blobs) {
    const cost = round.cost + scrubCost(row.bytes)
    round = { ...round, at: hash, isWrapped: hash < round.from, cost }
    if (!isNamed(row)) continue
    const { state, repairedFrom } = held.has(hash) ? RIGHT : await verifyBlob(parts, hash, signal)
    if (state === 'held') {
      await showAgain(parts, hash)
      await parts.scanner?.scanStored(hash)
    }
    const isRight = state === 'held' || state === 'trashed' || state === 'blocked'
    round = {
      ...round,
      files: round.files + 1,
      corrupted: round.corrupted + Number(!isRight),
      repaired: round.repaired + Number(!isRight && repairedFrom !== undefined),
      unrepairable: round.unrepairable + Number(!isRight && repairedFrom === undefined)
    }
  }
  return round
}

function isNamed({ live, state }: BlobRow): boolean {
  return live > 0 && !['wanted', 'trashed', 'blocked'].includes(state)
}

async function end(parts: FlowParts, round: Round, signal: AbortSignal): Promise<Round> {
  const unnamed = await sweepUnnamed(parts, parts.clock.now() - AGE_MS_MIN, signal)
  const { files, corrupted, repaired, unrepairable } = round
  const before = lastScan(parts)
  const atMs = parts.clock.now()
  if (before === undefined || before.atMs <= atMs) {
    await recordScan(parts, {
      atMs,
      scannedFiles: files,
      corruptedFiles: corrupted,
      repairedFiles: repaired,
      unrepairableFiles: unrepairable
    })
  }
  const summary = { files, corrupted, repaired, unrepairable, unnamed }
  if (files + unnamed > 0) parts.log.info(summary, 'every stored image has been read again')
  return { ...round, at: OVER }
}

function note({ index }: FlowParts, round: Round): Promise<void> {
  return index.change((tx) => tx.setMeta(NAME, round), { durable: false })
}
