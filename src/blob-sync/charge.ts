// What one blob costs a limit: all of it when it is asked for, and in the end what has passed for
// it.

import type { BlobAnswer } from '../../protocols/blobs/request.ts'
import type { Purpose, Traffic } from './traffic.ts'

export class Charge {
  readonly #traffic: Pick<Traffic, 'cameNot'>
  readonly #purpose: Purpose
  readonly #peerId: string
  /** Asked for, and not passed. */
  #left: number

  /** Of bytes that the limits know of. */
  constructor(
    traffic: Pick<Traffic, 'cameNot'>,
    { purpose, peerId, bytes }: { purpose: Purpose; peerId: string; bytes: number }
  ) {
    this.#traffic = traffic
    this.#purpose = purpose
    this.#peerId = peerId
    this.#left = bytes
  }

  passed(bytes: number): void {
    this.#left -= bytes
  }

  /** Nothing more comes. May be called more than once. */
  end(): void {
    if (this.#left > 0) this.#traffic.cameNot(this.#purpose, this.#peerId, this.#left)
    this.#left = 0
  }

  /** An answer whose bytes count as they come, packed or not. */
  counted(answer: BlobAnswer): BlobAnswer {
    const passedOf = passedBytes(answer)
    const whole = async (onPiece?: (bytes: number) => void) => {
      const bytes = await answer.whole(onPiece)
      this.passed(passedOf(bytes))
      return bytes
    }
    return { ...answer, body: this.#counted(answer.body, passedOf), whole }
  }

  async *#counted(
    body: AsyncIterable<Uint8Array>,
    passedOf: (piece: Uint8Array) => number
  ): AsyncGenerator<Uint8Array> {
    for await (const piece of body) {
      this.passed(passedOf(piece))
      yield piece
    }
  }
}

/** Tells of each piece of an answer in turn how many bytes have passed for it. */
export function passedBytes({
  saved = () => 0
}: Pick<BlobAnswer, 'saved'>): (piece: Uint8Array) => number {
  let before = saved()
  return ({ byteLength }) => {
    const savedNow = saved()
    const passed = byteLength - (savedNow - before)
    before = savedNow
    return passed
  }
}
