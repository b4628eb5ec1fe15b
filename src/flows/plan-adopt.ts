// What a file under images/ is, and what is to be done with it. Pure.

import type { ContentHash } from '../../protocols/hash.ts'
import type { BlobState, ViewRow } from '../index/rows.ts'
import { type FileStamp, sameContentStamp, sameStamp } from '../store/blob-store.ts'

/** A file that has stayed as it is for so long is read: enough for a writer between two writes. */
export const QUIET_MS = 750
/** Its stamp is compared over at least this time, whatever the clock says of its age. */
export const LOOKS_MS = 250
/** The quiet after which a file that was taken in too early is read again: writers that pause. */
export const QUIET_AGAIN_MS = 10_000
/**
 * So long a writer may still have its file open. Until then the view leaves it in place; an older
 * file needs no second look.
 */
export const LATE_MS = 60_000

/** How soon a path is looked at again for which a step of the view is open. */
export const INTENT_MS = 1000

/** How images at known paths are treated when another file takes their place. */
export type ChangedFiles = 'version' | 'repair'

export interface FoundFacts {
  readonly nowMs: number
  /** By the clock that dates files. */
  readonly diskNowMs: number
  readonly name: string
  /** As it is now. */
  readonly file: FileStamp
  /** How it was when it was looked at before, and for how long it has been known to be so. */
  readonly before?: { readonly stamp: FileStamp; readonly ageMs: number } | undefined
  /** A step of the view is open for its path. */
  readonly hasIntent: boolean
  readonly isViewOn: boolean
  /** Deletions of before then may have been forgotten; 0 where none was. */
  readonly forgottenMs?: number | undefined
  /** The entry of its path. */
  readonly current?: { readonly deleted: boolean; readonly versionMs: number } | undefined
  /** What the view shows for its path, by its row. */
  readonly shown?: ViewRow | undefined
  /** Others may write the file, as none that the view made. */
  readonly isWritable?: boolean | undefined
  /** The blob of that row. */
  readonly blob?:
    | {
        readonly state: BlobState
        readonly bytes: number
        readonly stamp?: FileStamp | undefined
      }
    | undefined
}

export type FoundPlan =
  /** It is as it should be. */
  | { readonly do: 'leave' }
  /** Left to the next scan, or the next bell. */
  | { readonly do: 'later' }
  /** Look again after so long. */
  | { readonly do: 'wait'; readonly ms: number }
  | {
      readonly do: 'take'
      /** Older than the image of its path. */
      readonly isOlder: boolean
      /** The very file that was taken in before, with more in it. */
      readonly isWriter: boolean
      /** Its writer may still have it open. */
      readonly isLate: boolean
    }
  /** Its writer is done with it: the view takes its place. */
  | { readonly do: 'replace' }
  /** The bytes of a blob were changed through its name in images/. */
  | { readonly do: 'verify' }
  /** Set it aside; what the index says is shown in its place. */
  | { readonly do: 'set aside'; readonly why: string }
  | { readonly do: 'refuse'; readonly why: string }

export function planFound(facts: FoundFacts): FoundPlan {
  const { name, file, shown } = facts
  if (facts.hasIntent) return { do: 'wait', ms: INTENT_MS }
  if (shown?.name !== name || shown.ino !== file.ino) return planForeign(facts)
  if (shown.writer !== undefined) return planWriters(facts, shown.writer)
  const plan = planOwn(facts, shown)
  // the disk gives the number of a file that was removed to the next one that is made
  return plan.do === 'set aside' && facts.isWritable ? planForeign(facts) : plan
}

/** Whether a view file is as it should be, by its row and that of its blob alone. */
export function isAsShown(
  facts: Pick<FoundFacts, 'file' | 'blob' | 'nowMs'>,
  shown: ViewRow
): boolean {
  const { file, blob, nowMs } = facts
  if (shown.ino !== file.ino) return false
  if (shown.writer === undefined) return planOwn(facts, shown).do === 'leave'
  const isHeld = blob?.state === 'held'
  return isHeld && sameStamp(shown.writer, file) && isLate(shown.writer.takenMs, nowMs)
}

/** A file that the view made. */
function planOwn({ file, blob }: Pick<FoundFacts, 'file' | 'blob'>, shown: ViewRow): FoundPlan {
  if (blob?.state !== 'held' || blob.stamp === undefined) return { do: 'leave' }
  if (blob.stamp.ino === file.ino) {
    return sameContentStamp(blob.stamp, file) ? { do: 'leave' } : { do: 'verify' }
  }
  const isSame =
    file.size === blob.bytes && (shown.mtimeMs === undefined || shown.mtimeMs === file.mtimeMs)
  return isSame ? { do: 'leave' } : { do: 'set aside', why: 'it was changed in place' }
}

/** A file that was taken in, and stands there as its writer left it. */
function planWriters(facts: FoundFacts, writer: NonNullable<ViewRow['writer']>): FoundPlan {
  const { file, nowMs, blob } = facts
  const taken = { do: 'take', isOlder: false, isWriter: true, isLate: true } as const
  if (!sameStamp(writer, file)) {
    const ms = waitMs(facts, QUIET_AGAIN_MS)
    return ms > 0 ? { do: 'wait', ms } : taken
  }
  if (blob?.state !== 'held') return taken
  return isLate(writer.takenMs, nowMs) ? { do: 'leave' } : { do: 'replace' }
}

/** Whether the writer of a file that was taken in then may still have it open. */
export function isLate(takenMs: number, nowMs: number): boolean {
  return nowMs >= takenMs && nowMs - takenMs < LATE_MS
}

function planForeign(facts: FoundFacts): FoundPlan {
  const { name, file, nowMs, diskNowMs, isViewOn, current, shown } = facts
  // whose files these are is not known then
  if (!isViewOn && current !== undefined) return { do: 'leave' }
  // nobody took it away when it was deleted; its ctime is no date that a copy brings along
  if (!isViewOn && file.ctimeMs < (facts.forgottenMs ?? 0)) {
    return { do: 'refuse', why: 'it may be of an image that was deleted long ago: touch it if not' }
  }
  if (shown !== undefined && shown.name !== name && isSpelling(shown.name, name)) {
    return { do: 'refuse', why: `${shown.name} is the same path, spelled otherwise: rename one` }
  }
  const ms = waitMs(facts, QUIET_MS)
  if (ms > 0) return { do: 'wait', ms }
  const isLate = isRecent(file, diskNowMs)
  const isKnown = current !== undefined && !current.deleted
  // opened by somebody who has not written yet
  if (file.size === 0 && isLate) return { do: 'later' }
  if (file.size === 0 && !isKnown) return { do: 'refuse', why: 'it is empty' }
  // what was written just now is dated by the disk; an older date may have come with the file
  const writtenMs = isLate ? file.mtimeMs - (diskNowMs - nowMs) : file.mtimeMs
  if (current?.deleted && writtenMs <= current.versionMs) {
    return { do: 'set aside', why: 'it is older than the deletion of its path' }
  }
  // one that was written while the other one was being taken in is newer
  const isOlder = isKnown && writtenMs < current.versionMs - LATE_MS
  return { do: 'take', isOlder, isWriter: false, isLate }
}

function isSpelling(one: string, other: string): boolean {
  return one.normalize('NFC') === other.normalize('NFC')
}

/** A date far in the future is as good as one in the past: nobody has just written it. */
function isRecent({ mtimeMs }: FileStamp, nowMs: number): boolean {
  return Math.abs(nowMs - mtimeMs) < LATE_MS
}

/** How long it must still stay as it is before it is read. */
function waitMs({ file, diskNowMs, before }: FoundFacts, quietMs: number): number {
  if (!isRecent(file, diskNowMs)) return 0
  const ageMs = Math.max(0, diskNowMs - file.mtimeMs)
  const isSame = before !== undefined && sameStamp(before.stamp, file)
  const knownMs = isSame ? before.ageMs : 0
  // the clock of the disk is known but roughly: then it is what was seen that counts
  return Math.max(0, LOOKS_MS - knownMs, quietMs - Math.max(ageMs, knownMs))
}

/** What was read of a file that is to be taken. */
export interface ReadFacts {
  readonly hash: ContentHash
  /** The hash of the live image of its path. */
  readonly current: ContentHash | undefined
  readonly isOlder: boolean
  readonly isWriter: boolean
  readonly changed: ChangedFiles
}

/**
 * What to do with a file whose bytes are known: `check` asks whether they are an image before they
 * replace one.
 */
export function planRead({
  hash,
  current,
  isOlder,
  isWriter,
  changed
}: ReadFacts): { readonly do: 'publish' | 'check' } | { readonly do: 'set aside'; why: string } {
  if (current === undefined || current === hash) return { do: 'publish' }
  if (isOlder) return { do: 'set aside', why: 'it is older than the image of its path' }
  if (changed === 'repair' && !isWriter) {
    return { do: 'set aside', why: 'images are not changed here by files (adopt.changed)' }
  }
  return { do: 'check' }
}
