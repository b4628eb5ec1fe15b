// A partial blob in memory.

import type { ContentHash } from '../../protocols/hash.ts'
import { invariant, NodeError } from '../base/errors.ts'
import type { NamelessBlob, PartialBlob } from './blob-store.ts'
import { PIECE_BYTES_MAX } from './regular-file.ts'

/** What its store does for it. */
export interface PartialUse {
  write(): void
  complete(all: Uint8Array): NamelessBlob | undefined
  rest(some: Uint8Array): void
}

export class MemoryPartial implements PartialBlob {
  readonly hash: ContentHash
  readonly bytes: number
  readonly #use: PartialUse
  #some: Uint8Array
  #isOver = false

  constructor(hash: ContentHash, bytes: number, some: Uint8Array, use: PartialUse) {
    this.hash = hash
    this.bytes = bytes
    this.#some = some
    this.#use = use
  }

  get bytesDone(): number {
    return this.#some.byteLength
  }

  async append(pieces: readonly Uint8Array[]): Promise<void> {
    this.#use.write()
    const more = new Uint8Array(Buffer.concat([this.#some, ...pieces]))
    invariant(!this.#isOver && more.byteLength <= this.bytes, 'a blob gets no more than it has')
    this.#some = more
  }

  async *read(start: number, end: number): AsyncGenerator<Uint8Array> {
    if (end > this.bytesDone) throw new NodeError('DISK_FAULT', 'These bytes are not here.')
    for (let at = start; at < end; at += PIECE_BYTES_MAX) {
      yield this.#some.slice(at, Math.min(at + PIECE_BYTES_MAX, end))
    }
  }

  complete(): NamelessBlob | undefined {
    invariant(this.bytesDone === this.bytes && !this.#isOver, 'a blob is completed once')
    this.#isOver = true
    return this.#use.complete(this.#some)
  }

  close(): void {
    if (!this.#isOver) this.#use.rest(this.#some)
    this.#isOver = true
  }
}
