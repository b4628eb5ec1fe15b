// An existing collection is taken in: files that were under images/ before this node, and what an
// earlier file_index.json says of them.
//
// Each file is copied, checked and published like an upload; then the view takes the place of the
// file. It can be broken off anywhere and begun again: what is in the index already is passed over.

import type { ContentHash, Md5 } from '../../protocols/hash.ts'
import { type ImagePath, parsePath } from '../../protocols/path.ts'
import { WireError } from '../../protocols/wire-error.ts'
import { sleep } from '../base/clock.ts'
import { NodeError } from '../base/errors.ts'
import { forEachAtOnce } from '../base/for-each.ts'
import type { TaskControl } from '../base/task-board.ts'
import { type StagedBlob, sameStamp } from '../store/blob-store.ts'
import { isViewNameOf } from '../store/plan-view-name.ts'
import type { ForeignFile, FoundFile } from '../store/scan.ts'
import { checkExtension, type IngestOptions, ingest } from './ingest.ts'
import type { LegacyFile } from './legacy-index.ts'
import type { FlowParts } from './parts.ts'

/** The folder images/ as others have filled it. */
export interface FoundFiles {
  scan(signal: AbortSignal): AsyncIterable<FoundFile>
  /** Undefined if the file is gone, or is no plain file any more. */
  open(name: string): ForeignFile | undefined
}

export interface AdoptReport {
  adopted: number
  /** In the index already. */
  known: number
  /** Left where they are, with the reason in the task's errors. */
  refused: number
  /** Taken in, though their MD5 is not the one that file_index.json has. */
  changed: number
  /** Named in file_index.json, but there is no such file. */
  absent: number
}

/** A file younger than this may still be written to; it waits. */
const QUIET_MS = 60_000
/** How often the folder is gone through again for files that were too young. */
const PASSES_MAX = 10
const AT_ONCE = 4
const ABSENT_LOGGED_MAX = 100
/**
 * Paths of one image that are looked at: more of them with names of the view's making are unheard
 * of.
 */
const PATHS_MAX = 1000

/** Takes in what is under images/. Rejects when the signal is aborted or the disk fails. */
export async function adopt(
  parts: FlowParts,
  options: IngestOptions,
  found: FoundFiles,
  legacy: ReadonlyMap<string, LegacyFile>,
  control: TaskControl
): Promise<AdoptReport> {
  const report: AdoptReport = { adopted: 0, known: 0, refused: 0, changed: 0, absent: 0 }
  const work: Work = { parts, options, found, legacy, control }
  control.total(legacy.size)
  let beforeMs: number | undefined
  for (let passesLeft = PASSES_MAX; passesLeft > 0; passesLeft--) {
    const startMs = parts.clock.now()
    const young = await goThrough(work, report, { beforeMs, isLast: passesLeft === 1 })
    if (young === 0) break
    beforeMs = startMs
    await sleep(parts.clock, QUIET_MS, control.signal)
  }
  reportAbsent(work, report)
  return report
}

interface Work {
  readonly parts: FlowParts
  readonly options: IngestOptions
  readonly found: FoundFiles
  readonly legacy: ReadonlyMap<string, LegacyFile>
  readonly control: TaskControl
}

interface Pass {
  /** When the pass before this one began. */
  readonly beforeMs: number | undefined
  readonly isLast: boolean
}

/** One pass over the folder; how many files were too young or still changing. */
async function goThrough(
  work: Work,
  report: AdoptReport,
  { beforeMs, isLast }: Pass
): Promise<number> {
  const { parts, found, control } = work
  const tally = { known: 0, refused: 0, young: 0 }
  const adoptedBefore = report.adopted
  const refuse = (name: string, reason: string) => {
    control.error(name, reason)
    parts.log.warn({ path: name, reason }, 'not taken in from images/')
  }
  await forEachAtOnce(found.scan(control.signal), AT_ONCE, async (file) => {
    control.signal.throwIfAborted()
    try {
      const outcome = await visit(work, file)
      if (outcome === 'known') tally.known++
      else if (outcome === 'young' && isLast) {
        tally.refused++
        refuse(file.name, 'it is still being written to: upload it when it is complete')
      } else if (outcome === 'young') tally.young++
      else {
        report.adopted++
        if (outcome === 'other-md5') report.changed++
      }
    } catch (error) {
      if (!isRefusal(error)) throw error
      tally.refused++
      if (isNews(file, beforeMs, parts.clock.now())) refuse(file.name, error.message)
    }
    control.processed(report.adopted + tally.known + tally.refused)
  })
  report.known = tally.known - adoptedBefore
  report.refused = tally.refused
  return tally.young
}

/** Whether the pass before this one, if there was one, can't have refused the file as it is now. */
function isNews({ mtimeMs }: FoundFile, beforeMs: number | undefined, nowMs: number): boolean {
  return beforeMs === undefined || (mtimeMs > beforeMs - QUIET_MS && mtimeMs <= nowMs)
}

async function visit(
  { parts, options, found, legacy }: Work,
  file: FoundFile
): Promise<'known' | 'young' | 'taken' | 'other-md5'> {
  const path = parsePath(file.name)
  const entry = parts.index.get(path)
  if (entry !== undefined) {
    checkSpelling(parts, path, file)
    if (entry.deleted) await putAway(parts, path, file)
    return 'known'
  }
  checkExtension(options, path)
  // A date far in the future is as good as one in the past: nobody has just written it.
  if (Math.abs(parts.clock.now() - file.mtimeMs) < QUIET_MS) return 'young'
  return takeIn(parts, options, found, file, path, legacy.get(path))
}

/** A file of the view of an earlier index, whose image was deleted since. */
async function putAway({ view, locks, index }: FlowParts, path: ImagePath, { name }: FoundFile) {
  await locks.path.run(path, async () => {
    if (index.get(path)?.deleted) await view.sweep(name)
  })
}

/** Two files whose names differ in the spelling of accents alone would be one image. */
function checkSpelling({ index }: FlowParts, path: ImagePath, { name, ino }: FoundFile): void {
  const shown = index.view(path)
  if (shown?.name.normalize('NFC') !== path || shown.name === name || shown.ino === ino) return
  throw new WireError('BAD_PATH', `${shown.name} is the same path, spelled otherwise: rename one`)
}

/** What concerns this file alone; anything else ends the whole work. */
function isRefusal(error: unknown): error is Error {
  if (error instanceof WireError) return true
  const codes = [
    'EXTENSION_NOT_ALLOWED',
    'CONTENT_MISMATCH',
    'BLOB_TOO_LARGE',
    'BAD_PATH',
    'PRECONDITION_FAILED'
  ]
  return error instanceof NodeError && codes.includes(error.code)
}

async function takeIn(
  parts: FlowParts,
  options: IngestOptions,
  found: FoundFiles,
  file: FoundFile,
  path: ImagePath,
  legacy: LegacyFile | undefined
): Promise<'known' | 'taken' | 'other-md5' | 'young'> {
  parts.room.take(file.size)
  const staged = await stageFound(parts, options, found, file)
  if (staged === undefined) return 'young'
  if (await isOfView(parts, staged.hash, file.name)) {
    parts.store.finish(staged)
    return 'known'
  }
  const expected: Md5 | undefined = legacy?.md5
  const other = expected !== undefined && expected !== staged.md5
  await ingest(parts, options, staged, {
    path,
    replace: 'never',
    sourceUrl: legacy?.sourceUrl,
    found: {
      name: file.name,
      ino: file.ino,
      versionMs: Math.min(file.mtimeMs, parts.clock.now()),
      createdMs: legacy?.createdMs ?? Math.max(0, Math.trunc(file.mtimeMs))
    }
  })
  parts.journal.add('adopted', {
    path,
    sha256: staged.hash,
    ...(other && { note: `its MD5 is ${staged.md5}; file_index.json has ${expected}` })
  })
  return other ? 'other-md5' : 'taken'
}

/**
 * Whether the view made this file, perhaps that of an earlier index: under a name of its own
 * making, where the path could not be.
 */
async function isOfView({ index }: FlowParts, hash: ContentHash, name: string): Promise<boolean> {
  const paths = await index.pathsOf(hash, PATHS_MAX)
  return paths.some((path) => index.view(path)?.name === name || isViewNameOf(name, path))
}

/** Undefined if the file has changed since it was found, or while it was read. */
async function stageFound(
  { store }: FlowParts,
  options: IngestOptions,
  found: FoundFiles,
  file: FoundFile
): Promise<StagedBlob | undefined> {
  const open = found.open(file.name)
  if (open === undefined) return undefined
  try {
    if (!sameStamp(open.stamp, file)) return undefined
    const staged = await store.stage(open.read(), { bytesMax: options.maxFileSizeBytes })
    if (open.isUnchanged()) return staged
    store.finish(staged)
    return undefined
  } finally {
    open.close()
  }
}

function reportAbsent({ parts, legacy, control }: Work, report: AdoptReport): void {
  for (const path of legacy.keys()) {
    if (parts.index.get(path as ImagePath) !== undefined) continue
    report.absent++
    control.error(path, 'file_index.json names it, but there is no such file under images/')
    if (report.absent <= ABSENT_LOGGED_MAX) {
      parts.log.warn({ path }, 'file_index.json names an image that is not under images/')
    }
  }
}
