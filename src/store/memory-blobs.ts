// The store of blobs in memory, for simulations: the same contract as on a disk, and ways to do it
// harm.

import type { ContentHash } from '../../protocols/hash.ts'
import { invariant, NodeError } from '../base/errors.ts'
import {
  type BlobStore,
  type FileStamp,
  type Leftover,
  type NamelessBlob,
  type OpenBlob,
  PARTIALS_MAX,
  type PartialBlob,
  type PublishOptions,
  type Rehash,
  SMALL_BLOB_BYTES_MAX,
  STAGED_HEAD_BYTES,
  type StagedBlob,
  type StageOptions
} from './blob-store.ts'
import { boundedSource } from './bounded-source.ts'
import { hashesOf } from './hashes.ts'
import { MemoryPartial } from './memory-partial.ts'
import { PIECE_BYTES_MAX } from './regular-file.ts'

interface MemoryFile {
  bytes: Uint8Array
  stamp: FileStamp
}

interface Staging {
  readonly bytes: Uint8Array
  readonly note: string
}

export class MemoryBlobs implements BlobStore {
  readonly #files = { blobs: new Map<string, MemoryFile>(), trash: new Map<string, MemoryFile>() }
  readonly #quarantined = new Map<string, Uint8Array>()
  readonly #staged = new WeakMap<NamelessBlob, Staging>()
  readonly #partials = new Map<ContentHash, Uint8Array>()
  readonly #openPartials = new Set<ContentHash>()
  readonly #notes = new Map<string, ContentHash>()
  /** Inodes, times and names: each number is given once. */
  #count = 0
  /** While set, everything that writes throws it: a full disk, a failing one. */
  fault: NodeError | undefined
  isPresent = true

  async stage(source: AsyncIterable<Uint8Array>, options: StageOptions): Promise<StagedBlob> {
    const pieces: Uint8Array[] = []
    for await (const piece of boundedSource(source, options)) pieces.push(new Uint8Array(piece))
    this.#requireWritable()
    return this.#stage(new Uint8Array(Buffer.concat(pieces)))
  }

  stageWhole(bytes: Uint8Array): StagedBlob {
    return this.#stage(new Uint8Array(bytes))
  }

  #stage(bytes: Uint8Array): StagedBlob {
    const hashes = hashesOf(bytes)
    const isSmall = bytes.byteLength <= SMALL_BLOB_BYTES_MAX
    const staged: StagedBlob = {
      ...hashes,
      bytes: bytes.byteLength,
      head: bytes.subarray(0, STAGED_HEAD_BYTES),
      whole: isSmall ? bytes : undefined,
      file: undefined
    }
    this.#staged.set(staged, { bytes, note: `${hashes.hash}.${++this.#count}` })
    return staged
  }

  /** Memory has no links. */
  async stageUncopied(): Promise<undefined> {}

  async openPartial(hash: ContentHash, bytes: number, signal?: AbortSignal): Promise<PartialBlob> {
    invariant(!this.#openPartials.has(hash), 'a partial blob has one user at a time')
    this.#requireWritable()
    signal?.throwIfAborted()
    const known = this.#partials.get(hash) ?? new Uint8Array(0)
    this.#partials.delete(hash)
    this.#openPartials.add(hash)
    const start = known.byteLength > bytes ? new Uint8Array(0) : known
    return new MemoryPartial(hash, bytes, start, {
      write: () => this.#requireWritable(),
      complete: (all) => {
        this.#openPartials.delete(hash)
        if (hashesOf(all).hash !== hash) return undefined
        const nameless = { hash, bytes }
        this.#staged.set(nameless, { bytes: all, note: `${hash}.${++this.#count}` })
        return nameless
      },
      rest: (some) => {
        this.#openPartials.delete(hash)
        if (some.byteLength > 0) this.#partials.set(hash, some)
        for (const oldest of this.partials().slice(0, -PARTIALS_MAX)) this.dropPartial(oldest)
      }
    })
  }

  partials(): readonly ContentHash[] {
    return [...this.#partials.keys()]
  }

  dropPartial(hash: ContentHash): void {
    this.#partials.delete(hash)
  }

  async publish(
    staged: NamelessBlob,
    { isNamed = false, onPlaced = () => {} }: PublishOptions = {}
  ): Promise<FileStamp> {
    this.#requireWritable()
    const staging = this.#staged.get(staged)
    invariant(staging !== undefined, 'a store publishes what it staged')
    const { bytes, note } = staging
    const stamp = { ino: ++this.#count, size: bytes.byteLength, ...this.#times() }
    if (!isNamed) this.#notes.set(note, staged.hash)
    this.#files.blobs.set(staged.hash, { bytes, stamp })
    onPlaced(stamp)
    return stamp
  }

  read(staged: NamelessBlob): Iterable<Uint8Array> {
    const staging = this.#staged.get(staged)
    invariant(staging !== undefined, 'a store reads what it staged')
    return [staging.bytes]
  }

  finish(staged: NamelessBlob): void {
    const staging = this.#staged.get(staged)
    if (staging !== undefined) this.#notes.delete(staging.note)
  }

  open(hash: ContentHash, place: 'blobs' | 'trash' = 'blobs'): OpenBlob | undefined {
    const file = this.#files[place].get(hash)
    if (file === undefined) return undefined
    const { stamp } = file
    return {
      stamp,
      bytes: stamp.size,
      readInto: (target, at = 0) => {
        const piece = file.bytes.subarray(at, at + target.byteLength)
        if (piece.byteLength < target.byteLength) throw cutShort(file.bytes.byteLength)
        target.set(piece)
      },
      async *read(start, end) {
        for (let at = start; at < end; ) {
          const piece = file.bytes.slice(at, Math.min(at + PIECE_BYTES_MAX, end))
          if (piece.byteLength === 0) throw cutShort(at)
          at += piece.byteLength
          yield piece
        }
      },
      close: () => {}
    }
  }

  stamp(hash: ContentHash): FileStamp | undefined {
    return this.#files.blobs.get(hash)?.stamp
  }

  async rehash(hash: ContentHash, signal?: AbortSignal): Promise<Rehash | undefined> {
    const file = this.#files.blobs.get(hash)
    if (file === undefined) return undefined
    signal?.throwIfAborted()
    const { bytes, stamp } = file
    const { hash: actual, md5 } = hashesOf(bytes)
    const wrong = actual === hash ? undefined : md5
    return { hash: actual, md5: wrong, bytes: bytes.byteLength, stamp }
  }

  placeOf(hash: ContentHash): 'blobs' | 'trash' | undefined {
    if (this.#files.blobs.has(hash)) return 'blobs'
    return this.#files.trash.has(hash) ? 'trash' : undefined
  }

  async moveTo(hash: ContentHash, place: 'blobs' | 'trash'): Promise<FileStamp | undefined> {
    this.#requireWritable()
    const from = this.#files[place === 'blobs' ? 'trash' : 'blobs']
    const to = this.#files[place]
    const file = from.get(hash)
    from.delete(hash)
    if (file !== undefined && (place === 'trash' || !to.has(hash))) {
      file.stamp = { ...file.stamp, ctimeMs: ++this.#count }
      to.set(hash, file)
    }
    return to.get(hash)?.stamp
  }

  async remove(hash: ContentHash): Promise<void> {
    this.#requireWritable()
    this.#files.blobs.delete(hash)
    this.#files.trash.delete(hash)
  }

  async quarantine(hash: ContentHash): Promise<string | undefined> {
    this.#requireWritable()
    const place = this.placeOf(hash)
    const file = place && this.#files[place].get(hash)
    if (place === undefined || file === undefined) return undefined
    this.#files[place].delete(hash)
    let n = 1
    while (this.#quarantined.has(`${hash}.${n}`)) n++
    const name = `${hash}.${n}`
    this.#quarantined.set(name, file.bytes)
    return name
  }

  async *list(): AsyncGenerator<ContentHash> {
    for (const place of ['blobs', 'trash'] as const) {
      yield* [...this.#files[place].keys()] as ContentHash[]
    }
  }

  leftovers(): readonly Leftover[] {
    return [...this.#notes].map(([name, hash]) => ({ hash, name }))
  }

  removeLeftover({ name }: Leftover): void {
    this.#notes.delete(name)
  }

  /** What making or removing a hard link does to a file: its ctime changes. The new stamp. */
  linked(hash: ContentHash): FileStamp | undefined {
    const file = this.#files.blobs.get(hash)
    if (file === undefined) return undefined
    file.stamp = { ...file.stamp, ctimeMs: ++this.#count }
    return file.stamp
  }

  async makeDurable(_hash: ContentHash): Promise<void> {
    this.#requireWritable()
  }

  /** Flips a bit of a blob. silently: as a bad disk does, without a trace in its stamp. */
  damage(hash: ContentHash, how: 'silently' | 'by writing'): void {
    const file = this.#fileOf(hash)
    file.bytes = file.bytes.slice()
    file.bytes[0] = (file.bytes[0] ?? 0) ^ 1
    if (how === 'by writing') file.stamp = { ...file.stamp, ...this.#times() }
  }

  truncate(hash: ContentHash, size: number): void {
    const file = this.#fileOf(hash)
    file.bytes = file.bytes.slice(0, size)
    file.stamp = { ...file.stamp, size: file.bytes.byteLength, ...this.#times() }
  }

  /** The file is gone, wherever it was, without anybody of ours knowing. */
  lose(hash: ContentHash): void {
    this.#files.blobs.delete(hash)
    this.#files.trash.delete(hash)
  }

  /** The bytes of a file in quarantine. */
  quarantined(name: string): Uint8Array | undefined {
    return this.#quarantined.get(name)
  }

  /** Changes the first byte of a partial blob that nobody has open. */
  damagePartial(hash: ContentHash): void {
    const bytes = Uint8Array.from(this.#partials.get(hash) ?? [])
    bytes[0] = (bytes[0] ?? 0) ^ 1
    this.#partials.set(hash, bytes)
  }

  /** Changes the size of a partial blob that nobody has open. */
  resizePartial(hash: ContentHash, size: number): void {
    const bytes = new Uint8Array(size)
    bytes.set((this.#partials.get(hash) ?? bytes).subarray(0, size))
    this.#partials.set(hash, bytes)
  }

  #fileOf(hash: ContentHash): MemoryFile {
    const file = this.#files.blobs.get(hash) ?? this.#files.trash.get(hash)
    invariant(file !== undefined, `there is a blob ${hash}`)
    return file
  }

  #times(): Pick<FileStamp, 'mtimeMs' | 'ctimeMs'> {
    const now = ++this.#count
    return { mtimeMs: now, ctimeMs: now }
  }

  #requireWritable(): void {
    if (this.fault !== undefined) throw this.fault
  }
}

function cutShort(at: number): NodeError {
  return new NodeError('DISK_FAULT', 'The blob became shorter while it was being read.', { at })
}
