// One file that stands under images/: is it ours, new, changed, damaged, or still being written?
// What is new is read, checked and published as an upload is.

import { type Entry, isImage } from '../../protocols/entry.ts'
import type { ContentHash } from '../../protocols/hash.ts'
import { extensionOf, type ImagePath, parsePath } from '../../protocols/path.ts'
import { bucketStartMs } from '../../protocols/time-tree-shape.ts'
import { versionMs } from '../../protocols/version.ts'
import { WireError } from '../../protocols/wire-error.ts'
import type { Allowance } from '../base/allowance.ts'
import { NodeError } from '../base/errors.ts'
import { UNRECOGNIZED_MEDIA_TYPE } from '../content/kinds.ts'
import {
  type FileStamp,
  SMALL_BLOB_BYTES_MAX,
  type StagedBlob,
  sameStamp
} from '../store/blob-store.ts'
import { pathOfViewName } from '../store/plan-view-name.ts'
import { type ForeignFile, UnreadableFile } from '../store/scan.ts'
import { checkExtension, type FileTimes, type IngestOptions, ingest } from './ingest.ts'
import type { LeftFiles } from './left-files.ts'
import type { LegacyFile } from './legacy-index.ts'
import { hideFormer, isOfView, planMade } from './made-names.ts'
import type { FlowParts } from './parts.ts'
import {
  type ChangedFiles,
  type FoundFacts,
  type FoundPlan,
  planFound,
  planRead,
  QUIET_MS
} from './plan-adopt.ts'
import { type StagedFile, stageForeign } from './stage-foreign.ts'
import { verifyBlob } from './verify-blob.ts'

/** The folder images/ as others have filled it. */
export interface FoundFiles {
  /** By how much the clock that dates its files is ahead of ours, looked at since `prepare`. */
  readonly aheadMs: number
  /** Makes the folder itself, if it is gone. Errors: DISK_FAULT. */
  prepare(): void
  /** Whether a file of this name, or below a folder of this name, is to be left out. */
  isIgnored(name: string): boolean
  /** Names of files, of all or of those below one folder, without what is to be left out. */
  scan(options: {
    readonly signal: AbortSignal
    readonly at?: string
    readonly onFolder?: (name: string) => void
    /** Hears of what is there and is no file that can be read. */
    readonly onLeftOut?: (name: string, why: string) => void
  }): AsyncIterable<string>
  /**
   * Undefined if nothing is there, or no file and no folder, or what can't be looked at: only of
   * that the listener hears.
   */
  look(
    name: string,
    onLeftOut?: (name: string, why: string) => void
  ): Promise<FileStamp | 'folder' | undefined>
  /** Undefined if the file is gone, or is no plain file any more. */
  open(name: string): ForeignFile | undefined
}

export interface AdoptOptions {
  readonly ingest: IngestOptions
  readonly changed: ChangedFiles
}

export interface AdoptParts {
  readonly flows: FlowParts
  readonly found: FoundFiles
  readonly left: LeftFiles
  /** What is read and not yet durable. */
  readonly allowance: Allowance
}

/** A file as it was looked at. */
export interface Sighting {
  readonly name: string
  /** Where it is the view file of a path that is not its name. */
  readonly path?: ImagePath | undefined
  readonly stamp: FileStamp
  readonly before?: FoundFacts['before']
  /** What an earlier index says of it. */
  readonly legacy?: LegacyFile | undefined
}

export type Outcome =
  | { readonly is: 'known' }
  /** To be looked at again then. */
  | { readonly is: 'waiting'; readonly ms: number }
  /** For the next scan. */
  | { readonly is: 'later' }
  | { readonly is: 'taken'; readonly replaced: boolean; readonly otherMd5: boolean }
  | { readonly is: 'set aside'; readonly why: string }
  /** It stays where it is. */
  | { readonly is: 'refused'; readonly why: string }

/** Rejects when the disk or the index fails. */
export async function adoptFile(
  parts: AdoptParts,
  options: AdoptOptions,
  sighting: Sighting
): Promise<Outcome> {
  try {
    const { flows } = parts
    const made = sighting.path === undefined ? pathOfViewName(sighting.name) : undefined
    const path = sighting.path ?? made ?? parsePath(sighting.name)
    const current = flows.index.get(path)
    if (current === undefined) checkExtension(options.ingest, path)
    const plan =
      (made && planMade(flows, sighting.name, made)) ??
      planFound(factsOf(parts, path, current, sighting))
    return await act(parts, options, { ...sighting, path, current }, plan)
  } catch (error) {
    return refusalOf(error)
  }
}

interface Found extends Sighting {
  readonly path: ImagePath
  readonly current: Entry | undefined
}

function factsOf(
  { flows: { index, view, clock }, found }: AdoptParts,
  path: ImagePath,
  current: Entry | undefined,
  { name, stamp, before }: Sighting
): FoundFacts {
  const shown = index.view(path)
  return {
    nowMs: clock.now(),
    diskNowMs: clock.now() + found.aheadMs,
    name,
    file: stamp,
    before,
    hasIntent: index.intent('view', path) !== undefined,
    isViewOn: view.isOn,
    forgottenMs: view.isOn ? 0 : bucketStartMs(index.horizon()),
    current: current && { deleted: current.deleted, versionMs: versionMs(current.version) },
    shown,
    isWritable: shown?.name === name && view.isWritable(name),
    blob: shown && index.blob(shown.hash as ContentHash)
  }
}

async function act(
  parts: AdoptParts,
  options: AdoptOptions,
  file: Found,
  plan: FoundPlan
): Promise<Outcome> {
  const { flows } = parts
  switch (plan.do) {
    case 'leave':
      return { is: 'known' }
    case 'later':
      return { is: 'later' }
    case 'wait':
      return { is: 'waiting', ms: plan.ms }
    case 'refuse':
      return { is: 'refused', why: plan.why }
    case 'replace':
      await showAnew(flows, file.path)
      return { is: 'known' }
    case 'verify':
      await verifyBlob(flows, flows.index.view(file.path)?.hash as ContentHash)
      return { is: 'known' }
    case 'set aside':
      return setAside(flows, file, plan.why)
    case 'take':
      return parts.allowance.run(heldBytes(file.stamp), () => take(parts, options, file, plan))
    default:
      return plan satisfies never
  }
}

/** In memory, at most; larger files are written piece by piece. */
export function heldBytes({ size }: FileStamp): number {
  return 2 * Math.min(size, SMALL_BLOB_BYTES_MAX)
}

type Take = Extract<FoundPlan, { do: 'take' }>

async function take(
  parts: AdoptParts,
  options: AdoptOptions,
  file: Found,
  plan: Take
): Promise<Outcome> {
  const { flows, found } = parts
  let giveBack: (() => void) | undefined
  try {
    checkExtension(options.ingest, file.path)
    const open = found.open(file.name)
    const read = open && (await stageFound(parts, options, file, open).finally(open.close))
    if (read === undefined) return { is: 'waiting', ms: QUIET_MS }
    giveBack = read.giveBack
    return await keep(flows, options, file, plan, read.staged)
  } catch (error) {
    const refusal = refusalOf(error)
    if (refusal.is !== 'refused' || !flows.view.isOn) return refusal
    // a web server shows what lies in images/
    const isHarmful = error instanceof NodeError && HARMFUL.includes(error.code)
    const leaves = isHarmful || isImage(file.current)
    return leaves ? setAside(flows, file, refusal.why) : refusal
  } finally {
    giveBack?.()
  }
}

async function keep(
  flows: FlowParts,
  options: AdoptOptions,
  file: Found,
  plan: Take,
  staged: StagedBlob
): Promise<Outcome> {
  const { path, current, stamp, legacy } = file
  const drop = <T>(outcome: T): T => {
    flows.store.finish(staged)
    return outcome
  }
  if (await isOfView(flows, staged.hash, file.name)) return drop({ is: 'known' })
  const live = isImage(current) ? current : undefined
  const { hash } = staged
  // whatever its date: an index that is lost now has shown it, by a clock that was ahead perhaps
  if (current?.deleted && flows.store.stamp(hash)?.ino === stamp.ino) {
    return setAside(flows, file, drop('its image was deleted, and it is what was shown of it'))
  }
  const read = planRead({ ...plan, hash, current: live?.hash, changed: options.changed })
  if (read.do === 'set aside') return setAside(flows, file, drop(read.why))
  if (read.do === 'check' && live !== undefined) {
    const why = await faultOf(flows, options, path, live.mediaType, staged)
    if (why !== undefined) return setAside(flows, file, drop(why))
  }
  const former = flows.view.isOn ? flows.index.view(path) : undefined
  const { outcome } = await ingest(flows, options.ingest, staged, {
    path,
    replace: 'always',
    sourceUrl: legacy?.sourceUrl,
    found: {
      name: file.name,
      stamp,
      instead: current?.version,
      isLate: plan.isLate
    },
    times: timesOf(flows, stamp, legacy?.createdMs)
  })
  await hideFormer(flows, path, former)
  if (outcome === 'unchanged') return { is: 'known' }
  const otherMd5 = legacy?.md5 !== undefined && legacy.md5 !== staged.md5
  flows.journal.add(outcome === 'replaced' ? 'replaced' : 'adopted', {
    path,
    sha256: hash,
    ...(outcome === 'replaced' && { note: 'by a file under images/' }),
    ...(otherMd5 && { note: `its MD5 is ${staged.md5}; file_index.json has ${legacy?.md5}` })
  })
  return { is: 'taken', replaced: outcome === 'replaced', otherMd5 }
}

/** The date of a file is the time of its image, unless it lies ahead, or before 1970. */
export function timesOf(
  { clock }: Pick<FlowParts, 'clock'>,
  { mtimeMs }: FileStamp,
  createdMs = Math.max(0, Math.trunc(mtimeMs))
): FileTimes {
  return { versionMs: Math.min(mtimeMs, clock.now()), createdMs }
}

/** Why the bytes can't take the place of an image, which asks for more than to be kept at all. */
async function faultOf(
  { inspect }: FlowParts,
  { ingest: { strict } }: AdoptOptions,
  path: ImagePath,
  mediaType: string,
  staged: StagedBlob
): Promise<string | undefined> {
  const seen = await inspect(staged, { extension: extensionOf(path), strict, name: path })
  if (!seen.ok) return seen.reason
  if (seen.recognized || mediaType === UNRECOGNIZED_MEDIA_TYPE) return undefined
  return 'it is no image, and would take the place of one'
}

/** Undefined if the file has changed since it was looked at, or while it was read. */
async function stageFound(
  { flows: { store, room } }: AdoptParts,
  { ingest: { maxFileSizeBytes } }: AdoptOptions,
  { stamp }: Found,
  open: ForeignFile
): Promise<StagedFile | undefined> {
  if (!sameStamp(open.stamp, stamp)) return undefined
  room.take(stamp.size)
  return stageForeign(store, open, maxFileSizeBytes)
}

async function setAside(
  flows: FlowParts,
  { name, path, stamp, current }: Found,
  why: string
): Promise<Outcome> {
  try {
    if (!(await flows.view.moveAside(name, stamp))) return { is: 'later' }
  } catch (error) {
    const system = error instanceof NodeError && error.details.system
    if (system !== 'EACCES' && system !== 'EPERM') throw error
    const advice = 'let the user of this node write to its folder'
    return { is: 'refused', why: `${why}, and can't be moved away (${system}): ${advice}` }
  }
  flows.log.warn({ path, reason: why }, 'a file in images/ was moved to quarantine/')
  if (isImage(current)) await showAnew(flows, path)
  return { is: 'set aside', why }
}

async function showAnew({ index, settler }: FlowParts, path: ImagePath): Promise<void> {
  await index.change((tx) => tx.addIntent('view', path), { durable: false })
  await settler.settleView(path)
}

const HARMFUL = ['BLOCKED', 'INFECTED']
const REFUSALS = [
  'EXTENSION_NOT_ALLOWED',
  'CONTENT_MISMATCH',
  'BLOB_TOO_LARGE',
  'BAD_PATH',
  'BLOCKED',
  'INFECTED'
]
const LATER = ['PRECONDITION_FAILED', 'BRAKE_ENGAGED', 'BUSY', 'NOT_AVAILABLE']

/** What concerns this file alone; anything else ends the whole work. */
export function refusalOf(error: unknown): Outcome {
  if (error instanceof WireError || error instanceof UnreadableFile) {
    return { is: 'refused', why: error.message }
  }
  if (error instanceof NodeError && REFUSALS.includes(error.code)) {
    return { is: 'refused', why: error.message }
  }
  if (error instanceof NodeError && LATER.includes(error.code)) return { is: 'later' }
  throw error
}
