// Verify on demand: re-read and re-hash everything, a prefix, or single paths, and say what was
// found. With everything the index is checked, too.

import { isImage } from '../../protocols/entry.ts'
import type { ContentHash, Md5 } from '../../protocols/hash.ts'
import type { ImagePath } from '../../protocols/path.ts'
import { forEachAtOnce } from '../base/for-each.ts'
import { checkIndexNow } from './check-index.ts'
import type { FlowParts } from './parts.ts'
import { showIfGone } from './show-again.ts'
import { type Verdict, verifyBlob } from './verify-blob.ts'

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

/** One is read while another is hashed, and their notes share a batch of the index. */
const FILES_AT_ONCE = 4

/** Names in one answer; a disk that lost more is said by numbers. */
const LISTED_MAX = 10_000

/**
 * Verifies what the scope names. A path that is not live counts as missing. Rejects when the signal
 * is aborted.
 */
export async function verify(
  parts: FlowParts,
  scope: VerifyScope,
  { signal, onFile }: VerifyProgress
): Promise<VerifyReport> {
  if ('all' in scope) await checkIndexNow(parts, signal)
  const report: VerifyReport = {
    totalFiles: totalOf(parts, scope),
    verifiedFiles: 0,
    validFiles: 0,
    corruptedFiles: [],
    missingFiles: [],
    repairedFiles: [],
    unrepairableFiles: [],
    unlisted: 0
  }
  // Several paths may name one blob: it is read once. The last verdicts are enough, as names of one
  // blob are rare.
  const verdicts = new Map<ContentHash, Promise<Verdict>>()
  await forEachAtOnce(filesOf(parts, scope), FILES_AT_ONCE, async (file) => {
    signal.throwIfAborted()
    await verifyFile(parts, file, verdicts, report, signal)
    report.verifiedFiles++
    if (report.verifiedFiles > report.totalFiles) report.totalFiles = report.verifiedFiles
    onFile(report)
  })
  return report
}

function totalOf({ index }: FlowParts, scope: VerifyScope): number {
  if ('paths' in scope) return scope.paths.length
  return 'all' in scope ? index.counts().images : 0
}

interface FileToVerify {
  readonly path: ImagePath
  /** What the caller believes its bytes to have. */
  readonly md5?: Md5
  /** Nobody asked for this one by name: it may be deleted before its turn. */
  readonly isListed?: boolean
}

async function* filesOf({ index }: FlowParts, scope: VerifyScope): AsyncGenerator<FileToVerify> {
  if ('paths' in scope) for (const path of scope.paths) yield { path }
  else if ('path' in scope) yield scope
  else {
    const range = 'prefix' in scope ? { prefix: scope.prefix } : {}
    for await (const { path } of index.list(range)) yield { path, isListed: true }
  }
}

const REMEMBERED_VERDICTS_MAX = 10_000

async function verifyFile(
  parts: FlowParts,
  { path, md5: believed, isListed = false }: FileToVerify,
  verdicts: Map<ContentHash, Promise<Verdict>>,
  report: VerifyReport,
  signal: AbortSignal
): Promise<void> {
  const entry = parts.index.get(path)
  if (!isImage(entry)) {
    if (!isListed) list(report, report.missingFiles, path)
    return
  }
  const verifying = verdicts.get(entry.hash) ?? verifyBlob(parts, entry.hash, signal)
  verdicts.set(entry.hash, verifying)
  if (verdicts.size > REMEMBERED_VERDICTS_MAX) {
    const [oldest] = verdicts.keys()
    if (oldest !== undefined) verdicts.delete(oldest)
  }
  const verdict = await verifying
  if (verdict.state === 'held') await showIfGone(parts, path)
  if (verdict.state === 'held' && (believed === undefined || believed === entry.md5)) {
    report.validFiles++
    return
  }
  if (verdict.state === 'trashed') return // deleted meanwhile
  if (verdict.state === 'missing' || verdict.state === 'wanted')
    list(report, report.missingFiles, path)
  else {
    const expected = believed ?? entry.md5
    list(report, report.corruptedFiles, {
      path,
      expected,
      actual: verdict.state === 'held' ? entry.md5 : verdict.actual?.md5,
      expectedSha256: entry.hash,
      actualSha256: verdict.state === 'held' ? entry.hash : verdict.actual?.hash,
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
