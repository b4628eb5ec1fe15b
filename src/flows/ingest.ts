// An image comes in: stage, check, publish, index, view, answer - in this order, so that what is
// answered is durable and what is refused or broken leaves nothing behind.

import { type Entry, isImage } from '../../protocols/entry.ts'
import type { ContentHash, Md5 } from '../../protocols/hash.ts'
import { extensionOf, type ImagePath } from '../../protocols/path.ts'
import type { Version } from '../../protocols/version.ts'
import { saidAs } from '../base/cause.ts'
import { NodeError } from '../base/errors.ts'
import type { ViewRow } from '../index/rows.ts'
import type { ImageDraft, Transaction } from '../index/transaction.ts'
import type { FileStamp, StagedBlob } from '../store/blob-store.ts'
import { keepStaged } from './keep-staged.ts'
import type { FlowParts } from './parts.ts'
import { uploadName } from './upload-name.ts'

export interface IngestOptions {
  readonly maxFileSizeBytes: number
  readonly allowedExtensions: ReadonlySet<string>
  /** Only what decodes as an image is taken. */
  readonly strict: boolean
  readonly minPixels: number
  /** 0: no bound. */
  readonly maxPixels: number
}

/** What may be replaced by an upload under a given path. */
export type Replace = 'always' | 'never' | { readonly ifMatch: readonly ContentHash[] | 'any' }

export interface Upload {
  /** Where the image should go; without it a free name is made from `fileName`. */
  readonly path?: ImagePath | undefined
  /** The client's name for the file; only its last part counts. */
  readonly fileName?: string | undefined
  readonly replace: Replace
  /** Hashes the client expects. */
  readonly md5?: Md5 | undefined
  readonly sha256?: ContentHash | undefined
  readonly sourceUrl?: string | undefined
  /** A file under images/ that this comes from: the view takes its place. */
  readonly found?: FoundOrigin | undefined
  /** Without them it is of now. */
  readonly times?: FileTimes | undefined
}

export interface FoundOrigin {
  readonly name: string
  readonly stamp: FileStamp
  /** The version that its path had when that was decided; undefined: none. */
  readonly instead: Version | undefined
  /** Its writer may still have it open: it stays for a while. */
  readonly isLate: boolean
}

/** Of a file that was there before it came here. */
export interface FileTimes {
  readonly versionMs: number
  readonly createdMs: number
}

export interface Ingested {
  readonly entry: Entry & { readonly hash: ContentHash }
  /**
   * created: a new path. replaced: other bytes under a known path. unchanged: nothing to do.
   * duplicate: held elsewhere.
   */
  readonly outcome: 'created' | 'replaced' | 'unchanged' | 'duplicate'
  /** What the path held before, where it was replaced. */
  readonly replaced?: ContentHash | undefined
}

/** How many names in a row may be taken in one millisecond before the clock must have stopped. */
const NAME_TRIES_MAX = 10_000

/**
 * Takes a staged blob into the node; the staged bytes are gone afterwards, whatever happens.
 * Errors: HASH_MISMATCH, EXTENSION_NOT_ALLOWED, CONTENT_MISMATCH, INFECTED, BLOCKED, NAME_TAKEN,
 * PRECONDITION_FAILED, and those of store and index.
 */
export async function ingest(
  parts: FlowParts,
  options: IngestOptions,
  staged: StagedBlob,
  upload: Upload
): Promise<Ingested> {
  let about: Omit<ImageDraft, 'path'>
  try {
    about = await looked(parts, options, staged, upload)
  } catch (error) {
    parts.store.finish(staged)
    throw error
  }
  const done = await keepStaged(parts, staged, async (tx) => {
    const result = await place(parts, tx, upload, about)
    if (upload.found !== undefined && parts.view.isOn) adoptFile(tx, upload.found, result.entry)
    return result
  })
  await showResult(parts, done)
  report(parts, done, upload)
  return done
}

/** What the entry will say of the bytes. Throws why they are not taken. */
async function looked(
  parts: FlowParts,
  options: IngestOptions,
  staged: StagedBlob,
  upload: Upload
): Promise<Omit<ImageDraft, 'path'>> {
  checkHashes(staged, upload)
  const name = upload.path ?? upload.fileName
  const extension = checkExtension(options, name ?? '')
  const seen = await parts.inspect(staged, { extension, strict: options.strict, name })
  if (!seen.ok)
    throw new NodeError(seen.code, seen.reason, saidAs(seen.said.code, seen.said.details))
  checkPixels(options, seen)
  await parts.scanner?.scan(staged)
  const { hash, md5, bytes } = staged
  const { mediaType, width, height } = seen
  const about = { hash, md5, bytes, mediaType, width, height, sourceUrl: upload.sourceUrl }
  const { createdMs = parts.clock.now(), versionMs } = upload.times ?? {}
  return { ...about, createdMs, versionMs }
}

/** Of images whose header says how large they are. */
function checkPixels({ minPixels, maxPixels }: IngestOptions, { width, height }: Sides): void {
  if (width === undefined || height === undefined) return
  const pixels = width * height
  const size = `The image is ${width} by ${height} pixels`
  if (pixels < minPixels) {
    const sentence = `${size}, fewer than are taken here (file_storage.min_pixels: ${minPixels}).`
    throw new NodeError(
      'CONTENT_MISMATCH',
      sentence,
      saidAs('pixels_few', { width, height, min: minPixels })
    )
  }
  if (maxPixels > 0 && pixels > maxPixels) {
    const sentence = `${size}, more than are taken here (file_storage.max_pixels: ${maxPixels}).`
    throw new NodeError(
      'CONTENT_MISMATCH',
      sentence,
      saidAs('pixels_many', { width, height, max: maxPixels })
    )
  }
}

type Sides = Pick<ImageDraft, 'width' | 'height'>

/** Refuses extensions that are not configured; the extension in lower case. */
export function checkExtension({ allowedExtensions }: IngestOptions, name: string): string {
  const extension = extensionOf(name)
  if (allowedExtensions.has(extension)) return extension
  const shown = extension === '' ? 'a name without an extension' : `the extension .${extension}`
  const allowed = [...allowedExtensions].join(', ')
  throw new NodeError(
    'EXTENSION_NOT_ALLOWED',
    `Images with ${shown} are not taken here. Allowed: ${allowed} (file_storage.allowed_extensions).`,
    extension === ''
      ? saidAs('extension_missing', { allowed })
      : saidAs('extension_refused', { extension, allowed })
  )
}

function checkHashes(staged: StagedBlob, { md5, sha256 }: Upload): void {
  const wrong = (name: string, expected: string, actual: string) =>
    new NodeError(
      'HASH_MISMATCH',
      `The bytes that arrived have the ${name} ${actual}, not ${expected}. Send the file again.`,
      { expected, actual }
    )
  if (md5 !== undefined && md5 !== staged.md5) throw wrong('MD5', md5, staged.md5)
  if (sha256 !== undefined && sha256 !== staged.hash) throw wrong('SHA-256', sha256, staged.hash)
}

/** The entry of an upload, decided inside the change so that two uploads can't take one name. */
async function place(
  { brakes }: FlowParts,
  tx: Transaction,
  upload: Upload,
  about: Omit<ImageDraft, 'path'>
): Promise<Ingested> {
  if (upload.path === undefined) return placeUnnamed(tx, upload, about)
  const { path } = upload
  const current = tx.get(path)
  const live = isImage(current) ? current : undefined
  if (upload.found !== undefined) checkStill(tx, path, upload.found, current)
  checkReplace(upload.replace, path, live?.hash)
  if (live !== undefined && live.hash !== about.hash) brakes.requireChanges()
  const { entry, changed } = tx.putImage({
    ...about,
    path,
    createdMs: live?.createdMs ?? about.createdMs
  })
  const outcome = !changed ? 'unchanged' : live === undefined ? 'created' : 'replaced'
  return { entry: entry as Ingested['entry'], outcome, replaced: changed ? live?.hash : undefined }
}

async function placeUnnamed(
  tx: Transaction,
  upload: Upload,
  about: Omit<ImageDraft, 'path'>
): Promise<Ingested> {
  const held = await tx.firstPathOf(about.hash)
  if (held !== undefined) {
    return { entry: tx.get(held) as Ingested['entry'], outcome: 'duplicate' }
  }
  for (let n = 0; n < NAME_TRIES_MAX; n++) {
    const path = uploadName(upload.fileName ?? '', about.createdMs + n)
    if (tx.get(path) !== undefined) continue
    const { entry } = tx.putImage({ ...about, path })
    return { entry: entry as Ingested['entry'], outcome: 'created' }
  }
  const sentence = 'No free name was found for this upload: give it a path.'
  throw new NodeError('NAME_TAKEN', sentence, saidAs('name_none_free'))
}

/** What was decided of a found file was decided of the path as it was then. */
function checkStill(
  tx: Transaction,
  path: ImagePath,
  { instead }: FoundOrigin,
  current: Entry | undefined
): void {
  if (current?.version === instead && tx.intent('view', path) === undefined) return
  throw new NodeError('PRECONDITION_FAILED', `${path} has just been changed.`, { path })
}

/** Lets the view take the found file for its own, and so replace it, at once or later. */
function adoptFile(
  tx: Transaction,
  { name, stamp, isLate }: FoundOrigin,
  { path, hash }: Ingested['entry']
): void {
  const row: ViewRow = { name, ino: stamp.ino, hash }
  const writer = { ...stamp, takenMs: tx.nowMs }
  tx.setView(path as ImagePath, isLate ? { ...row, writer } : row)
  const intent = tx.intent('view', path)
  if (!isLate) tx.addIntent('view', path)
  else if (intent !== undefined) tx.endIntent('view', path, intent.generation)
}

function checkReplace(replace: Replace, path: string, have: ContentHash | undefined): void {
  if (replace === 'always') return
  if (replace === 'never') {
    if (have === undefined) return
    throw new NodeError('PRECONDITION_FAILED', `${path} exists already and was not replaced.`, {
      path,
      sha256: have
    })
  }
  const { ifMatch } = replace
  if (have !== undefined && (ifMatch === 'any' || ifMatch.includes(have))) return
  throw new NodeError(
    'PRECONDITION_FAILED',
    have === undefined
      ? `${path} does not exist, so it can't be replaced.`
      : `${path} holds other bytes than If-Match says; it was not replaced.`,
    { path, sha256: have }
  )
}

async function showResult(
  { settler }: FlowParts,
  { entry, healed, replaced }: Ingested & { healed: boolean }
): Promise<void> {
  if (healed) await settler.settleViews(entry.hash)
  await settler.settleView(entry.path as ImagePath)
  await settler.settleBlob(entry.hash)
  if (replaced !== undefined) settler.settleBlobLater(replaced)
}

function report(
  { journal, log }: FlowParts,
  { entry, outcome, healed }: Ingested & { healed: boolean },
  { found }: Upload
): void {
  if (healed) journal.add('healed', { path: entry.path, sha256: entry.hash })
  // what was found is told by who found it
  if (found === undefined && (outcome === 'created' || outcome === 'replaced')) {
    journal.add(outcome === 'created' ? 'added' : 'replaced', {
      path: entry.path,
      sha256: entry.hash
    })
  }
  log.debug({ path: entry.path, hash: entry.hash, outcome }, 'image in')
}
