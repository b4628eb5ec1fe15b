// The answering side of a stream on which requests come one after the other.

import type { ByteStream } from './byte-stream.ts'
import { FrameReader, frameOf } from './frame.ts'
import { StatusError } from './status.ts'
import { WireError } from './wire-error.ts'

/**
 * Requests in a row that are none. A newer node may try some that this one does not know; who goes
 * on has nothing else to say, and each costs more to answer than to send.
 */
export const REFUSED_MAX = 32

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
 * are none, or too many of them no requests; what the stream throws, and what `perform` throws,
 * except StatusError, which is an answer.
 */
export async function serveRequests<Request>(
  stream: ByteStream,
  answering: Answering<Request>
): Promise<void> {
  const reader = new FrameReader(stream.source)
  const write: Write = (bytes) => stream.write(bytes)
  let refused = 0
  for (;;) {
    const frame = await reader.frame(answering.requestBytesMax)
    if (frame === undefined) return stream.end()
    const request = requestOf(frame, answering)
    refused = 'refusal' in request ? refused + 1 : 0
    if (refused > REFUSED_MAX) throw new WireError('BAD_MESSAGE', 'nothing that comes is a request')
    const answer =
      'refusal' in request ? request.refusal : await answerOf(request.parsed, write, answering)
    if (answer !== undefined) await write(frameOf(answer))
  }
}

function requestOf<Request>(
  frame: Uint8Array,
  { parse, failure }: Answering<Request>
): { readonly parsed: Request } | { readonly refusal: Uint8Array } {
  try {
    return { parsed: parse(frame) }
  } catch (error) {
    if (error instanceof WireError) return { refusal: failure(error) }
    throw error
  }
}

async function answerOf<Request>(
  request: Request,
  write: Write,
  { perform, failure }: Answering<Request>
): Promise<Uint8Array | undefined> {
  try {
    return await perform(request, write)
  } catch (error) {
    if (error instanceof StatusError) return failure(error)
    throw error
  }
}
