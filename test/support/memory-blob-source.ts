// Blobs in memory, as the blobs protocol wants them.

import type { BlobSource, OpenBlob } from '../../protocols/blobs/source.ts'
import { type ContentHash, parseHash } from '../../protocols/hash.ts'
import { sha256 } from './digests.ts'

export class MemoryBlobSource implements BlobSource {
  /** Pieces read so far, and blobs open now. */
  piecesRead = 0
  opened = 0
  readonly #blobs = new Map<ContentHash, Uint8Array>()
  readonly #pieceBytes: number
  readonly #onPiece: (piecesRead: number) => void

  constructor({
    pieceBytes = 64 * 1024,
    onPiece = () => {}
  }: { pieceBytes?: number; onPiece?: (piecesRead: number) => void } = {}) {
    this.#pieceBytes = pieceBytes
    this.#onPiece = onPiece
  }

  add(bytes: Uint8Array): ContentHash {
    const hash = parseHash(sha256(bytes))
    this.#blobs.set(hash, bytes)
    return hash
  }

  async open(hash: ContentHash): Promise<OpenBlob | undefined | 'busy'> {
    const bytes = this.#blobs.get(hash)
    if (bytes === undefined) return undefined
    this.opened++
    return {
      bytes: bytes.byteLength,
      read: (start, end) => this.#read(bytes.subarray(start, end)),
      close: () => {
        this.opened--
      }
    }
  }

  have(hash: ContentHash): boolean {
    return this.#blobs.has(hash)
  }

  async whenHeld(hash: ContentHash, _timeoutMs: number): Promise<boolean> {
    return this.have(hash)
  }

  async *#read(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < bytes.byteLength; at += this.#pieceBytes) {
      this.#onPiece(++this.piecesRead)
      yield bytes.subarray(at, at + this.#pieceBytes)
    }
  }
}
