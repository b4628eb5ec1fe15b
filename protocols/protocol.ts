// What every protocol is: data and a function that serves one stream. The requesting side is in its
// `request.ts`.

import type { ByteStream } from './byte-stream.ts'

export interface ProtocolLimits {
  /** Streams of this protocol that one peer may have open at a time. */
  readonly streamsMax: number
  readonly requestBytesMax: number
  readonly answerBytesMax: number
}

export interface Protocol<Source> {
  /** Such as /tumesh/blobs/1. */
  readonly id: string
  readonly limits: ProtocolLimits
  /**
   * Serves one stream of the peer `from` to its end. Throws WireError if the peer breaks the
   * protocol, the stream's error if that breaks, and whatever `source` threw. The stream is left as
   * it is then: the caller aborts it.
   */
  serve(stream: ByteStream, source: Source, from: string): Promise<void>
}
