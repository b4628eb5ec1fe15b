// The few methods that a protocol may use. A libp2p stream, a lane, a pair in memory and a fuzzer
// all look like this, so one protocol runs on each of them.

export interface ByteStream {
  /**
   * The bytes of the other side, once, in pieces of any size. Ends when the other side has ended
   * its half; throws if the stream broke. Reads no further than it is asked, so that a slow reader
   * slows the sender down. Leaving it early aborts the stream.
   */
  readonly source: AsyncIterable<Uint8Array>
  /** Whoever has written bytes may change them once `write` has resolved; else never. */
  readonly takesCopies?: boolean
  /** Aborted once the stream has broken: whoever waits for something else need not wait on. */
  readonly broken?: AbortSignal
  /**
   * Resolves when the bytes are on their way and more may be written. Throws if the stream broke.
   */
  write(bytes: Uint8Array): Promise<void>
  /** Ends the own half: the other side sees the end of its source. */
  end(): Promise<void>
  /** Breaks the stream at once for both sides. May be called at any time, also twice. */
  abort(error: Error): void
}
