// The answering side of a stream on which requests come one after the other.

import type { ByteStream } from './byte-stream.ts'
import { FrameReader, frameOf } from './frame.ts'
import { StatusError } from './status.ts'
import { WireError } from './wire-error.ts'

export type Write = (bytes: Uint8Array) => Promise<void>

export interface Answering<Request> {
  readonly requestBytesMax: number
  /** Reads a request. What throws WireError is refused, and the stream goes on. */
  readonly parse: (frame: Uint8Array) => Request
  /** Answers a request: the payload of one frame, or undefined if it has written its answers. */
  readonly perform: (request: Request, write: Write) => Promise<Uint8Array | undefined>
  /** The payload of an answer that tells a failure. */
  readonly failure: (error: StatusError | WireError) => Uint8Array
}

/**
 * Serves requests until the other side ends, then ends its own half. Throws WireError if the frames
 * are none, what the stream throws, and what `perform` throws, except StatusError, which is an
 * answer.
 */
export async function serveRequests<Request>(
  stream: ByteStream,
  answering: Answering<Request>
): Promise<void> {
  const reader = new FrameReader(stream.source)
  const write: Write = (bytes) => stream.write(bytes)
  for (;;) {
    const frame = await reader.frame(answering.requestBytesMax)
    if (frame === undefined) return stream.end()
    const answer = await answerOf(frame, write, answering)
    if (answer !== undefined) await write(frameOf(answer))
  }
}

async function answerOf<Request>(
  frame: Uint8Array,
  write: Write,
  { parse, perform, failure }: Answering<Request>
): Promise<Uint8Array | undefined> {
  let request: Request
  try {
    request = parse(frame)
  } catch (error) {
    if (error instanceof WireError) return failure(error)
    throw error
  }
  try {
    return await perform(request, write)
  } catch (error) {
    if (error instanceof StatusError) return failure(error)
    throw error
  }
}
