// Verify on demand: re-read and re-hash everything, a prefix, or single paths, and say what was
// found. With everything the index is checked, too.

import type { ImageEntry } from '../../protocols/entry.ts'
import type { ContentHash, Md5 } from '../../protocols/hash.ts'
import type { ImagePath } from '../../protocols/path.ts'
import { forEachAtOnce } from '../base/for-each.ts'
import { inGroups } from '../base/in-groups.ts'
import { pathsInRow } from '../index/rows.ts'
import { checkIndexNow } from './check-index.ts'
import type { FlowParts } from './parts.ts'
import { PATHS_MAX } from './settle.ts'
import { showIfGone } from './show-again.ts'
import { type Verdict, verifyBlob } from './verify-blob.ts'
import { GROUP_BLOBS_MAX, GROUP_BYTES_MAX, RIGHT, verifyHeld } from './verify-held.ts'

export type VerifyScope =
  | { readonly all: true }
  | { readonly prefix: string }
  | { readonly paths: readonly ImagePath[] }
  /** One path whose bytes the caller believes to have this MD5. */
  | { readonly path: ImagePath; readonly md5: Md5 }

export interface CorruptedFile {
  readonly path: ImagePath
  readonly expected: Md5
  readonly actual: Md5 | undefined
  readonly expectedSha256: ContentHash
  readonly actualSha256: ContentHash | undefined
  readonly action: string
}

export interface VerifyReport {
  totalFiles: number
  verifiedFiles: number
  validFiles: number
  readonly corruptedFiles: CorruptedFile[]
  readonly missingFiles: ImagePath[]
  /** Their bytes are gone by somebody's order, which is no damage. */
  readonly blockedFiles: ImagePath[]
  /** Damaged or missing ones whose bytes another server has given. */
  readonly repairedFiles: ImagePath[]
  readonly unrepairableFiles: ImagePath[]
  /** Blobs beyond the lists' bound: counted, not named. */
  unlisted: number
}

export interface VerifyProgress {
  readonly signal: AbortSignal
  /** Called after each file, with what is known so far. */
  onFile(report: Readonly<VerifyReport>): void
}

/** One group is read while what was found of another is written. */
const GROUPS_AT_ONCE = 4

/** Names in one answer; a disk that lost more is said by numbers. */
const LISTED_MAX = 10_000

/**
 * Verifies what the scope names. A path that is not live counts as missing. Rejects when the signal
 * is aborted.
 */
export async function verify(
  parts: FlowParts,
  scope: VerifyScope,
  progress: VerifyProgress
): Promise<VerifyReport> {
  const { signal } = progress
  if ('all' in scope) await checkIndexNow(parts, signal)
  const report: VerifyReport = {
    totalFiles: totalOf(parts, scope),
    verifiedFiles: 0,
    validFiles: 0,
    corruptedFiles: [],
    missingFiles: [],
    blockedFiles: [],
    repairedFiles: [],
    unrepairableFiles: [],
    unlisted: 0
  }
  const limits = { countMax: GROUP_BLOBS_MAX, weightMax: GROUP_BYTES_MAX, weightOf: bytesOf }
  const onFile = () => {
    report.verifiedFiles++
    if (report.verifiedFiles > report.totalFiles) report.totalFiles = report.verifiedFiles
    progress.onFile(report)
  }
  // Several paths may name one blob: it is read once. The last verdicts are enough, as names of one
  // blob are rare.
  const verdicts = new Map<ContentHash, Verdict>()
  await forEachAtOnce(inGroups(blobsOf(parts, scope), limits), GROUPS_AT_ONCE, (blobs) =>
    verifyBlobs(parts, blobs, verdicts, { report, signal, onFile })
  )
  return report
}

function totalOf({ index }: FlowParts, scope: VerifyScope): number {
  if ('paths' in scope) return scope.paths.length
  return 'all' in scope ? index.counts().images : 0
}

/** A blob, and the paths that are asked for it; no blob where a path has none. */
interface BlobToVerify {
  readonly blob: Pick<ImageEntry, 'hash' | 'md5' | 'bytes'> | undefined
  readonly paths: readonly ImagePath[]
  /** What the caller believes its bytes to have. */
  readonly md5?: Md5
}

const bytesOf = ({ blob }: BlobToVerify) => blob?.bytes ?? 0

async function* blobsOf({ index }: FlowParts, scope: VerifyScope): AsyncGenerator<BlobToVerify> {
  if ('all' in scope) yield* allBlobs(index)
  else if ('path' in scope)
    yield { blob: index.image(scope.path), paths: [scope.path], md5: scope.md5 }
  else if ('paths' in scope)
    for (const path of scope.paths) yield { blob: index.image(path), paths: [path] }
  else for await (const blob of index.list(scope)) yield { blob, paths: [blob.path] }
}

/** In the order of their hashes: to read all entries as well would cost as much as small files. */
async function* allBlobs(index: FlowParts['index']): AsyncGenerator<BlobToVerify> {
  for await (const [hash, row] of index.blobs()) {
    if (row.live === 0) continue
    const paths = pathsInRow(row) ?? (await index.pathsOf(hash, PATHS_MAX))
    yield { blob: { hash, md5: row.md5, bytes: row.bytes }, paths }
  }
}

const REMEMBERED_VERDICTS_MAX = 10_000

async function verifyBlobs(
  parts: FlowParts,
  blobs: readonly BlobToVerify[],
  verdicts: Map<ContentHash, Verdict>,
  to: { readonly report: VerifyReport; readonly signal: AbortSignal; onFile(): void }
): Promise<void> {
  const hashes = new Set(blobs.flatMap(({ blob }) => blob?.hash ?? []))
  const unread = [...hashes].filter((hash) => !verdicts.has(hash))
  const held = await verifyHeld(parts, unread, to.signal)
  for (const asked of blobs) {
    to.signal.throwIfAborted()
    const hash = asked.blob?.hash
    if (hash !== undefined && !verdicts.has(hash)) {
      verdicts.set(hash, held.has(hash) ? RIGHT : await verifyBlob(parts, hash, to.signal))
    }
    const verdict = hash && verdicts.get(hash)
    for (const path of asked.paths) {
      await listFile(parts, path, asked, verdict, to.report)
      to.onFile()
    }
  }
  for (const hash of verdicts.keys()) {
    if (verdicts.size <= REMEMBERED_VERDICTS_MAX) break
    verdicts.delete(hash)
  }
}

async function listFile(
  parts: FlowParts,
  path: ImagePath,
  { blob, md5: believed }: BlobToVerify,
  verdict: Verdict | undefined,
  report: VerifyReport
): Promise<void> {
  if (blob === undefined || verdict === undefined) return list(report, report.missingFiles, path)
  if (verdict.state === 'held') {
    await showIfGone(parts, path)
    if (believed === undefined || believed === blob.md5) {
      report.validFiles++
      return
    }
  }
  if (parts.index.image(path)?.hash !== blob.hash) return // deleted or replaced meanwhile
  if (verdict.state === 'blocked') return list(report, report.blockedFiles, path)
  if (verdict.state === 'missing' || verdict.state === 'wanted')
    list(report, report.missingFiles, path)
  else {
    const expected = believed ?? blob.md5
    list(report, report.corruptedFiles, {
      path,
      expected,
      actual: verdict.state === 'held' ? blob.md5 : verdict.actual?.md5,
      expectedSha256: blob.hash,
      actualSha256: verdict.state === 'held' ? blob.hash : verdict.actual?.hash,
      action: actionOf(verdict)
    })
  }
  if (verdict.repairedFrom !== undefined) list(report, report.repairedFiles, path)
  else if (verdict.state !== 'held') list(report, report.unrepairableFiles, path)
}

function actionOf({ state, repairedFrom }: Verdict): string {
  if (repairedFrom !== undefined) return `repaired_from:${repairedFrom}`
  return state === 'held' ? 'none: the bytes are those of the index' : 'quarantined'
}

function list<T>(report: VerifyReport, names: T[], name: T): void {
  if (names.length < LISTED_MAX) names.push(name)
  else report.unlisted++
}
