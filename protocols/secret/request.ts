// The side that hands a secret over.

import type { ByteStream } from '../byte-stream.ts'
import { encodeMessage, failureOf, parseMessage } from '../message.ts'
import { RequestStream } from '../request-stream.ts'
import { SECRET_LIMITS } from './limits.ts'
import { RequestSchema, ResponseSchema } from './messages_pb.ts'
import type { SecretOffer } from './serve.ts'

/**
 * Hands a secret over on a fresh stream, and ends it once the other side has kept it. Throws
 * StatusError if it will not have it, WireError, the stream's error and the signal's reason; then
 * the stream is broken.
 */
export async function requestSecret(
  stream: ByteStream,
  { cluster, secret, decidedMs, rotation }: SecretOffer,
  signal: AbortSignal
): Promise<void> {
  const requests = new RequestStream(stream, { outstandingMax: 1 })
  const request = encodeMessage(RequestSchema, {
    cluster,
    secret: Uint8Array.from(secret),
    decidedMs: BigInt(Math.trunc(decidedMs)),
    ...(rotation !== undefined && {
      rotated: true,
      formerUntilMs: BigInt(Math.trunc(rotation.formerUntilMs)),
      former: Uint8Array.from(rotation.former)
    })
  })
  await requests.ask(
    request,
    async (reader) => {
      const frame = await reader.nextFrame(SECRET_LIMITS.answerBytesMax)
      const failure = failureOf(parseMessage(ResponseSchema, frame))
      if (failure !== undefined) throw failure
    },
    signal
  )
  await requests.end(signal)
}
