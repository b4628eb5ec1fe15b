// Answers on a stream on which others wait for theirs: what one of them can't make use of is passed
// over, and the stream goes on.

import { UNNEEDED_BYTES_MAX } from '../../protocols/blobs/limits.ts'
import type { BlobAnswer } from '../../protocols/blobs/request.ts'

type Take = (answer: BlobAnswer) => Promise<void>

export class SharedAnswers {
  readonly #take: Take
  #failure: { readonly error: unknown } | undefined

  constructor(take: Take) {
    this.#take = take
  }

  /**
   * Hands an answer on, and none after one that failed. Throws only where so much of it is left to
   * come that others would wait for it.
   */
  readonly take: Take = async (answer) => {
    try {
      if (this.#failure === undefined) return await this.#take(answer)
    } catch (error) {
      this.#failure = { error }
    }
    if (answer.length > UNNEEDED_BYTES_MAX) this.check()
    // read, so that whoever watches the stream sees that they come
    await answer.whole()
  }

  /** Throws what failed. */
  check(): void {
    if (this.#failure !== undefined) throw this.#failure.error
  }
}
