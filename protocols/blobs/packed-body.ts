// The bytes of a blob that comes packed, as its reader gets them.

import type { FrameReader } from '../frame.ts'
import { BLOCK_BYTES, unpackBlock } from './packing.ts'

export class PackedBody {
  /** Hears each time that more of a block has come, which is handed on when it is whole. */
  onPart = () => {}
  readonly #reader: FrameReader
  readonly #onSaved: (bytes: number) => void
  /** Bytes of the blob that are still to come. */
  #left: number
  #reading: Promise<Uint8Array> | undefined
  #isOver = false

  /** `onSaved` hears how many bytes did not have to come. */
  constructor(reader: FrameReader, length: number, onSaved: (bytes: number) => void = () => {}) {
    this.#reader = reader
    this.#left = length
    this.#onSaved = onSaved
  }

  /** Throws WireError where they can't be unpacked or end too early. */
  async *pieces(): AsyncGenerator<Uint8Array> {
    while (this.#left > 0 && !this.#isOver) {
      const block = await this.#next()
      if (!this.#isOver) yield block
    }
  }

  /** All that is left in one piece, for short ones; `onPiece` hears how much comes at a time. */
  async whole(onPiece: (bytes: number) => void = () => {}): Promise<Uint8Array> {
    const whole = Buffer.allocUnsafeSlow(this.#left)
    let filled = 0
    for await (const piece of this.pieces()) {
      onPiece(piece.byteLength)
      whole.set(piece, filled)
      filled += piece.byteLength
    }
    return whole
  }

  /** Passes over what nobody has read; who still reads gets no more. */
  async skip(): Promise<void> {
    this.#isOver = true
    await this.#reading
    while (this.#left > 0) await this.#frame()
  }

  async #next(): Promise<Uint8Array> {
    const bytes = Math.min(BLOCK_BYTES, this.#left)
    this.#reading = this.#frame()
    const payload = await this.#reading
    this.#onSaved(bytes - payload.byteLength)
    return unpackBlock(payload, bytes)
  }

  async #frame(): Promise<Uint8Array> {
    const bytes = Math.min(BLOCK_BYTES, this.#left)
    const payload = await this.#reader.nextFrame(bytes, () => this.onPart())
    this.#left -= bytes
    return payload
  }
}
