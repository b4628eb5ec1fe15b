// The store of blobs in a data folder: blobs/ab/<hash>, trash/ab/<hash>, quarantine/<hash>.<n>.
//
// Publish order: bytes durable, a note of the hash in temp/, the name in blobs/, that name durable.
// The note goes when the caller says that the index knows the blob; a note found at start-up is a
// publish that was broken off.

import {
  closeSync,
  existsSync,
  fchmodSync,
  fstatSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  writeSync
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { ContentHash } from '../../protocols/hash.ts'
import type { Clock } from '../base/clock.ts'
import { invariant, type NodeError } from '../base/errors.ts'
import type {
  BlobStore,
  ExistingFile,
  FileStamp,
  Leftover,
  NamelessBlob,
  OpenBlob,
  PartialBlob,
  PublishOptions,
  Rehash,
  StagedBlob,
  StageOptions
} from './blob-store.ts'
import type { GroupCommit } from './commit.ts'
import { onDisk } from './disk-error.ts'
import { blobFile, requireMarker } from './folder.ts'
import { leaveNote } from './leave-note.ts'
import { listBlobs } from './list-blobs.ts'
import { moveBlob } from './move-blob.ts'
import { OpenFile } from './open-file.ts'
import { Pace } from './pace.ts'
import { PartialFiles } from './partial-files.ts'
import { openRegularFile, removeQuietly, SEALED_MODE, stampAt, stampOf } from './regular-file.ts'
import { Reread } from './reread.ts'
import { stageUncopied } from './stage-uncopied.ts'
import type { FileHands, StagedFile } from './staged-files.ts'
import {
  DiskNamelessBlob,
  hashOfNote,
  readStaged,
  type StagingParts,
  stageInMemory,
  stageOnDisk
} from './staging.ts'

export interface DiskBlobsParts extends StagingParts {
  readonly commit: GroupCommit
  readonly clock: Pick<Clock, 'monotonicMs'>
}

/** The file in temp/ that all notes are links of. Made when it is missed, swept with the rest. */
const NOTE_ORIGINAL = '.note'
const LOOKING = 'looking at a blob'
const PUBLISHING = 'publishing a blob'

export class DiskBlobs implements BlobStore {
  readonly #parts: DiskBlobsParts
  readonly #partials: PartialFiles
  readonly #pace: Pace
  readonly #reread: Reread
  readonly read = readStaged

  constructor(parts: DiskBlobsParts) {
    this.#parts = parts
    this.#partials = new PartialFiles(parts)
    this.#pace = new Pace(parts.clock)
    this.#reread = new Reread(this.#pace)
  }

  get isPresent(): boolean {
    return this.#parts.folder.markerPresent()
  }

  get fault(): NodeError | undefined {
    return this.#parts.commit.failed
  }

  stage(source: AsyncIterable<Uint8Array>, options: StageOptions): Promise<StagedBlob> {
    return stageOnDisk(this.#parts, source, options)
  }

  stageUncopied(
    file: ExistingFile,
    options: StageOptions & { readonly by: 'link' | 'clone' }
  ): Promise<StagedBlob | undefined> {
    return stageUncopied(this.#parts, file, options)
  }

  openPartial(hash: ContentHash, bytes: number, signal?: AbortSignal): Promise<PartialBlob> {
    return this.#partials.open(hash, bytes, signal)
  }

  partials(): readonly ContentHash[] {
    return this.#partials.list()
  }

  dropPartial(hash: ContentHash): void {
    this.#partials.drop(hash)
  }

  stageWhole(bytes: Uint8Array): StagedBlob {
    return stageInMemory(this.#parts, bytes)
  }

  /**
   * Takes over a file that another thread has written: all bytes of the blob, right, and sealed.
   * That thread has a hand in what follows.
   */
  adopt(
    { hash, bytes, fd, file }: { readonly hash: ContentHash; readonly bytes: number } & StagedFile,
    by: FileHands
  ): NamelessBlob {
    const blob = new DiskNamelessBlob(this.#parts, hash, { bytes, whole: undefined, data: file })
    blob.fd = fd
    blob.hands = by
    this.#parts.failPoints.reach('stage:written')
    return blob
  }

  async publish(
    staged: NamelessBlob,
    { isNamed = false, onPlaced = () => {} }: PublishOptions = {}
  ): Promise<FileStamp> {
    const { folder, commit, failPoints } = this.#parts
    invariant(staged instanceof DiskNamelessBlob, 'a store publishes what it staged')
    requireMarker(folder)
    const fd = this.#bytesOf(staged)
    if (isNamed) staged.whole = undefined // they need no memory any more
    const file = blobFile(folder, 'blobs', staged.hash)
    let isPlaced = false
    try {
      if (!isNamed) onDisk(PUBLISHING, () => this.#leaveNote(staged))
      const placed = await staged.hands?.place({ fd, from: staged.data, to: file })
      // What stands there may be right after all: it gives way only to bytes that are durable.
      const replaces = placed === undefined && stampAt(file) !== undefined
      if (replaces) {
        await commit.durable({ files: [fd] })
        requireMarker(folder)
      }
      const made = placed?.folders ?? onDisk(PUBLISHING, () => moveBlob(staged.data, file))
      staged.left.data = false
      isPlaced = !replaces
      failPoints.reach('publish:linked')
      onPlaced(placed?.stamp ?? onDisk(LOOKING, () => stampOf(fstatSync(fd))))
      // Bytes and name together: nobody trusts the name before the index has it, and the next
      // start finds a name that it never got.
      await commit.durable({ files: [fd], folders: [dirname(file), ...made] })
      failPoints.reach('publish:durable')
      return onDisk(LOOKING, () => stampOf(fstatSync(fd)))
    } catch (error) {
      if (isPlaced) removeQuietly(file)
      throw error
    } finally {
      closeSync(fd)
    }
  }

  finish(staged: NamelessBlob): void {
    invariant(staged instanceof DiskNamelessBlob, 'a store finishes what it staged')
    const { data, note, left, fd, hands } = staged
    if (fd !== undefined) closeSync(fd)
    staged.fd = staged.hands = undefined
    hands?.onEnd()
    if (left.data) removeQuietly(data)
    if (left.note) removeQuietly(note)
    left.data = left.note = false
  }

  open(hash: ContentHash, place: 'blobs' | 'trash' = 'blobs'): OpenBlob | undefined {
    return OpenFile.at(blobFile(this.#parts.folder, place, hash), this.#pace)
  }

  stamp(hash: ContentHash): FileStamp | undefined {
    return stampAt(blobFile(this.#parts.folder, 'blobs', hash))
  }

  async rehash(hash: ContentHash, signal?: AbortSignal): Promise<Rehash | undefined> {
    const { folder } = this.#parts
    const file = openRegularFile(blobFile(folder, 'blobs', hash))
    if (file === undefined) {
      requireMarker(folder) // without its disk everything would look missing
      return undefined
    }
    try {
      return await this.#reread.hashesOf(file, hash, signal)
    } finally {
      closeSync(file.fd)
    }
  }

  async makeDurable(hash: ContentHash): Promise<void> {
    const { folder, commit } = this.#parts
    const path = blobFile(folder, 'blobs', hash)
    const file = openRegularFile(path)
    if (file === undefined) return
    try {
      await commit.durable({ files: [file.fd], folders: [dirname(path), folder.blobs] })
    } finally {
      closeSync(file.fd)
    }
  }

  placeOf(hash: ContentHash): 'blobs' | 'trash' | undefined {
    const { folder } = this.#parts
    if (existsSync(blobFile(folder, 'blobs', hash))) return 'blobs'
    return existsSync(blobFile(folder, 'trash', hash)) ? 'trash' : undefined
  }

  async moveTo(hash: ContentHash, place: 'blobs' | 'trash'): Promise<FileStamp | undefined> {
    const { folder, commit } = this.#parts
    requireMarker(folder)
    const from = blobFile(folder, place === 'blobs' ? 'trash' : 'blobs', hash)
    const to = blobFile(folder, place, hash)
    const made = onDisk('moving a blob', () => {
      if (!existsSync(from)) return []
      // Of two copies the one in blobs/ is kept: it is the one that readers have had.
      if (place === 'trash' || !existsSync(to)) return moveBlob(from, to)
      rmSync(from)
      return []
    })
    // Also when nothing was left to do: an earlier run may have moved it and been killed.
    await commit.durable({ folders: [dirname(to), dirname(from), ...made] })
    return stampAt(to)
  }

  async remove(hash: ContentHash): Promise<void> {
    const { folder, commit } = this.#parts
    requireMarker(folder)
    const files = [blobFile(folder, 'blobs', hash), blobFile(folder, 'trash', hash)]
    onDisk('removing a blob', () => {
      for (const file of files) rmSync(file, { force: true })
    })
    await commit.durable({ folders: files.map(dirname) })
  }

  async quarantine(hash: ContentHash): Promise<string | undefined> {
    const { folder, commit } = this.#parts
    requireMarker(folder)
    const place = this.placeOf(hash)
    if (place === undefined) return undefined
    const from = blobFile(folder, place, hash)
    let n = 1
    while (existsSync(join(folder.quarantine, `${hash}.${n}`))) n++
    const name = `${hash}.${n}`
    onDisk('moving a blob to quarantine/', () => renameSync(from, join(folder.quarantine, name)))
    await commit.durable({ folders: [folder.quarantine, dirname(from)] })
    return name
  }

  /** Once, before anything is staged. */
  list(): AsyncIterable<ContentHash> {
    return listBlobs(this.#parts.folder)
  }

  leftovers(): readonly Leftover[] {
    const { temp } = this.#parts.folder
    requireMarker(this.#parts.folder)
    const found: Leftover[] = []
    for (const entry of onDisk('reading temp/', () => readdirSync(temp, { withFileTypes: true }))) {
      const hash = hashOfNote(entry.name)
      if (hash !== undefined) found.push({ hash, name: entry.name })
      else if (entry.isFile() && this.#partials.recognize(entry.name)) continue
      else if (!entry.isDirectory()) removeQuietly(join(temp, entry.name))
    }
    this.#partials.keepNewest()
    return found
  }

  removeLeftover({ name }: Leftover): void {
    removeQuietly(join(this.#parts.folder.temp, basename(name)))
  }

  #leaveNote(staged: DiskNamelessBlob): void {
    leaveNote(staged.note, join(this.#parts.folder.temp, NOTE_ORIGINAL))
    staged.left.note = true
  }

  /** The file with its bytes, open: whoever asks closes it. */
  #bytesOf(staged: DiskNamelessBlob): number {
    const { fd, whole } = staged
    staged.fd = undefined
    if (fd !== undefined) return fd
    return whole === undefined ? this.#reopen(staged) : this.#write(staged, whole)
  }

  #reopen(staged: DiskNamelessBlob): number {
    return onDisk('publishing a blob', () => {
      const fd = openSync(staged.data, 'r')
      fchmodSync(fd, SEALED_MODE)
      return fd
    })
  }

  /** Synchronous: for small files three to eight times as fast as hops to the thread pool. */
  #write(staged: DiskNamelessBlob, bytes: Uint8Array): number {
    const { failPoints } = this.#parts
    return onDisk('writing a blob', () => {
      const fd = openSync(staged.data, 'wx', 0o600)
      staged.left.data = true
      try {
        failPoints.reach('stage:opened')
        for (let at = 0; at < bytes.byteLength; ) at += writeSync(fd, bytes, at)
        fchmodSync(fd, SEALED_MODE)
        failPoints.reach('stage:written')
        return fd
      } catch (error) {
        closeSync(fd)
        throw error
      }
    })
  }
}
