// What one blob costs a limit: all of it when it is asked for, and in the end what has come.

import type { BlobAnswer } from '../../protocols/blobs/request.ts'
import type { Purpose, Traffic } from './traffic.ts'

export class Charge {
  readonly #traffic: Pick<Traffic, 'cameNot'>
  readonly #purpose: Purpose
  readonly #peerId: string
  /** Asked for, and not here. */
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

  came(bytes: number): void {
    this.#left -= bytes
  }

  /** Nothing more comes. May be called more than once. */
  end(): void {
    if (this.#left > 0) this.#traffic.cameNot(this.#purpose, this.#peerId, this.#left)
    this.#left = 0
  }

  /** An answer whose bytes count as they come. */
  counted(answer: BlobAnswer): BlobAnswer {
    const whole = async (onPiece?: () => void) => {
      const bytes = await answer.whole(onPiece)
      this.came(bytes.byteLength)
      return bytes
    }
    return { ...answer, body: this.#counted(answer.body), whole }
  }

  async *#counted(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const piece of body) {
      this.came(piece.byteLength)
      yield piece
    }
  }
}
