// A blob while it comes: one writer at a time, any number of readers, who get its bytes as they
// come, but for the last before all of them are known to be right.

import type { ContentHash } from '../../protocols/hash.ts'
import { WireError } from '../../protocols/wire-error.ts'
import { saidAs } from '../base/cause.ts'
import { invariant, NodeError } from '../base/errors.ts'
import type { BlobStore, NamelessBlob, PartialBlob } from '../store/blob-store.ts'

/** Bytes that wait in memory while others are written. */
const WAITING_BYTES_MAX = 256 * 1024

export interface GrowingBlobParts {
  readonly store: Pick<BlobStore, 'openPartial'>
  /** Ends what is still being read again when the node stops. */
  readonly signal: AbortSignal
}

/** One who reads a blob while it comes. */
export interface GrowingReader {
  readonly bytes: number
  read(start: number, end: number): AsyncIterable<Uint8Array>
  /** Ends reads that wait. May be called more than once. */
  close(): void
}

export class GrowingBlob {
  readonly hash: ContentHash
  readonly bytes: number
  /** Resolves when bytes can be added, after those of an earlier run have been read again. */
  readonly ready: Promise<void>
  /** Who has sent the last bytes; undefined before anybody did. */
  from: string | undefined
  readonly #onOver: (blob: GrowingBlob) => void
  readonly #changes = new Set<() => void>()
  #partial: PartialBlob | undefined
  #state: 'resting' | 'filling' | 'whole' | 'over' = 'resting'
  #failure: unknown
  #isRight = false
  #isKept = false
  #users = 0
  /** Who reads it, or waits for its end. */
  #waiting = 0

  constructor(
    { store, signal }: GrowingBlobParts,
    { hash, bytes }: { readonly hash: ContentHash; readonly bytes: number },
    onOver: (blob: GrowingBlob) => void
  ) {
    this.hash = hash
    this.bytes = bytes
    this.#onOver = onOver
    this.ready = store.openPartial(hash, bytes, signal).then((partial) => this.#begin(partial))
    this.ready.catch((error) => this.fail(error))
  }

  get bytesDone(): number {
    return this.#partial?.bytesDone ?? 0
  }

  get isFilling(): boolean {
    return this.#state === 'filling'
  }

  /** A peer may fill it. */
  get isResting(): boolean {
    return this.#state === 'resting'
  }

  /** All bytes are here and right. */
  get isWhole(): boolean {
    return this.#state === 'whole'
  }

  /** Nothing is added to it any more, by nobody. */
  get isOver(): boolean {
    return this.#state === 'over'
  }

  /** Why it will never be whole. */
  get failure(): unknown {
    return this.#failure
  }

  /** Somebody reads it, or waits for it. */
  get isAwaited(): boolean {
    return this.#waiting > 0
  }

  /** Whoever enters leaves once. */
  enter(): void {
    this.#users++
  }

  leave(): void {
    this.#users--
    if (this.#users > 0) return
    this.#end()
    this.#partial?.close()
  }

  /**
   * Takes all that is lacking from a peer. If that breaks off, its error is thrown, what has come
   * stays, and readers wait for the next peer. Throws WireError BAD_HASH if the whole is not right:
   * then nothing stays, and readers fail.
   */
  fill(peerId: string, body: AsyncIterable<Uint8Array>): Promise<NamelessBlob> {
    return this.#fill(peerId, async (partial) => {
      await this.#pour(partial, body)
      return undefined
    })
  }

  /**
   * The same by whoever writes the bytes himself: `pour` hears into which file, says how many are
   * there, and resolves with whether all of them are right.
   */
  fillBy(
    peerId: string,
    pour: (file: string, onGrown: (bytesDone: number) => void) => Promise<boolean>
  ): Promise<NamelessBlob> {
    return this.#fill(peerId, ({ outside }) => {
      invariant(outside !== undefined, 'only a file can be written by somebody else')
      return pour(outside.file, (bytesDone) => {
        outside.grown(bytesDone)
        this.#tell()
      })
    })
  }

  async #fill(
    peerId: string,
    pour: (partial: PartialBlob) => Promise<boolean | undefined>
  ): Promise<NamelessBlob> {
    const partial = this.#partial
    invariant(partial !== undefined && this.#state === 'resting', 'one peer fills a blob at a time')
    this.from = peerId
    this.#state = 'filling'
    this.#tell()
    try {
      return this.#complete(partial, await pour(partial))
    } finally {
      if (this.isFilling) this.#state = 'resting'
      this.#tell()
    }
  }

  /** What is whole has become one of the store's own, or could not: it is not needed any more. */
  kept(isKept: boolean): void {
    this.#isKept = isKept
    this.#end()
  }

  /** Nobody can make it whole now: its readers get the error. What has come stays. */
  fail(error: unknown): void {
    if (this.#state === 'whole' || this.#state === 'over') return
    this.#failure = error
    this.#end()
    this.#partial?.close()
  }

  /** Until a peer has begun to send, or none will. */
  async begun(): Promise<boolean> {
    while (this.from === undefined && this.#state !== 'over') await this.#change()
    return this.from !== undefined && this.#failure === undefined
  }

  /** Until nobody sends, nor keeps what was sent; whether it is kept then. */
  async idle(): Promise<boolean> {
    this.#waiting++
    while (this.#state === 'filling' || this.#state === 'whole') await this.#change()
    this.#waiting--
    return this.#isKept
  }

  /** For a user, whose leave it is to be closed. */
  reader(): GrowingReader {
    let isOpen = true
    this.#waiting++
    return {
      bytes: this.bytes,
      read: (start, end) => this.#read(start, end, () => isOpen),
      close: () => {
        if (!isOpen) return
        isOpen = false
        this.#waiting--
        this.#tell()
        this.leave()
      }
    }
  }

  async *#read(start: number, end: number, isOpen: () => boolean): AsyncGenerator<Uint8Array> {
    for (let at = start; at < end; ) {
      if (!isOpen()) return
      if (this.#failure !== undefined) throw this.#brokenOff()
      const here = this.#isRight ? end : Math.min(this.bytesDone, end - 1)
      if (at >= here) {
        await this.#change()
        continue
      }
      for await (const piece of this.#partial?.read(at, here) ?? []) {
        at += piece.byteLength
        yield piece
      }
    }
  }

  async #pour(partial: PartialBlob, body: AsyncIterable<Uint8Array>): Promise<void> {
    let waiting: Uint8Array[] = []
    let waitingBytes = 0
    let isWriting = false
    let writing = Promise.resolve()
    const write = () => {
      const pieces = waiting
      waiting = []
      waitingBytes = 0
      isWriting = true
      writing = this.#append(partial, pieces).then(() => {
        isWriting = false
      })
      writing.catch(() => {}) // awaited below
    }
    try {
      for await (const piece of body) {
        waiting.push(piece)
        waitingBytes += piece.byteLength
        if (isWriting && waitingBytes >= WAITING_BYTES_MAX) await writing
        if (!isWriting) write()
      }
    } finally {
      await writing
      if (waitingBytes > 0) await this.#append(partial, waiting)
    }
  }

  async #append(partial: PartialBlob, pieces: readonly Uint8Array[]): Promise<void> {
    try {
      await partial.append(pieces)
    } catch (error) {
      this.fail(error) // no other peer can help with that
      throw error
    }
    this.#tell()
  }

  #complete(partial: PartialBlob, isRight: boolean | undefined): NamelessBlob {
    const { bytes, bytesDone, hash } = this
    if (bytesDone < bytes) {
      const sentence = `the blob ${hash} ended after ${bytesDone} of ${bytes} bytes`
      throw new WireError('TRUNCATED', sentence)
    }
    const nameless = partial.complete(isRight)
    if (nameless === undefined) {
      const sentence = `the bytes that came for the blob ${hash} are others`
      const error = new WireError('BAD_HASH', sentence)
      this.fail(error)
      throw error
    }
    this.#state = 'whole'
    this.#isRight = true
    return nameless
  }

  #begin(partial: PartialBlob): void {
    this.#partial = partial
    if (this.#state === 'over')
      partial.close() // nobody has waited for it
    else this.#tell()
  }

  /** Who asks for it from now on gets another. */
  #end(): void {
    if (this.#state !== 'over') this.#onOver(this)
    this.#state = 'over'
    this.#tell()
  }

  #brokenOff(): NodeError {
    const sentence = 'No server could send this image to its end. Ask again in a moment.'
    const details = { hash: this.hash, ...saidAs('image_broken_off') }
    return new NodeError('NOT_AVAILABLE', sentence, details, { cause: this.#failure })
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#changes.add(resolve))
  }

  #tell(): void {
    const waiting = [...this.#changes]
    this.#changes.clear()
    for (const resolve of waiting) resolve()
  }
}

/** The blobs that come now: all who want one share it. */
export class GrowingBlobs {
  readonly #parts: GrowingBlobParts
  readonly #blobs = new Map<ContentHash, GrowingBlob>()

  constructor(parts: GrowingBlobParts) {
    this.#parts = parts
  }

  /** Whether somebody takes a blob in, or reads it meanwhile. */
  has(hash: ContentHash): boolean {
    return this.#blobs.has(hash)
  }

  /** Whether somebody reads it, or waits for it. */
  isAwaited(hash: ContentHash): boolean {
    return this.#blobs.get(hash)?.isAwaited ?? false
  }

  /** Who enters a blob leaves it once. */
  enter(hash: ContentHash, bytes: number): GrowingBlob {
    let blob = this.#blobs.get(hash)
    if (blob === undefined) {
      blob = new GrowingBlob(this.#parts, { hash, bytes }, () => this.#blobs.delete(hash))
      this.#blobs.set(hash, blob)
    }
    blob.enter()
    return blob
  }
}
