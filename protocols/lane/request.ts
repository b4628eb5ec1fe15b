// The side that wants a lane to ask on.

import type { MessageInitShape } from '@bufbuild/protobuf'
import type { ByteStream } from '../byte-stream.ts'
import { encodeMessage, failureOf, parseMessage } from '../message.ts'
import { RequestStream } from '../request-stream.ts'
import { type LaneKey, readKey, writeKey } from './key.ts'
import { LANE_LIMITS } from './limits.ts'
import { RequestSchema, type Response, ResponseSchema } from './messages_pb.ts'

type Question = NonNullable<MessageInitShape<typeof RequestSchema>['kind']>

/**
 * Asks for a key on a fresh stream. Throws StatusError if there are no lanes to that node, else
 * WireError, the stream's error and the signal's reason; then the stream is broken.
 */
export async function requestGrant(stream: ByteStream, signal: AbortSignal): Promise<LaneKey> {
  return readKey((await ask(stream, { case: 'grant', value: {} }, signal)).key)
}

/** Offers a key to be dialled with. Resolves when the other side is about to; throws the same. */
export async function requestOffer(
  stream: ByteStream,
  key: LaneKey,
  signal: AbortSignal
): Promise<void> {
  await ask(stream, { case: 'offer', value: { key: writeKey(key) } }, signal)
}

async function ask(stream: ByteStream, kind: Question, signal: AbortSignal): Promise<Response> {
  const requests = new RequestStream(stream, { outstandingMax: 1 })
  const answer = await requests.ask(
    encodeMessage(RequestSchema, { kind }),
    async (reader) =>
      parseMessage(ResponseSchema, await reader.nextFrame(LANE_LIMITS.answerBytesMax)),
    signal
  )
  const failure = failureOf(answer)
  await requests.end(signal)
  if (failure !== undefined) throw failure
  return answer
}
