// The asking side of hello: one round trip, after which both sides know each other.

import type { ByteStream } from '../byte-stream.ts'
import { checkNumber, encodeMessage, failureOf, parseMessage } from '../message.ts'
import { RequestStream } from '../request-stream.ts'
import { type Heard, type Hello, helloMessage, readHello } from './hello.ts'
import { HELLO_LIMITS } from './limits.ts'
import { RequestSchema, ResponseSchema } from './messages_pb.ts'

/**
 * Says hello on a fresh stream, hears the other side's, and ends the stream. `now` gives
 * milliseconds since 1970. The clock offset is right to within half the time of the round trip.
 * Throws StatusError, WireError, the stream's error and the signal's reason; then the stream is
 * broken.
 */
export async function requestHello(
  stream: ByteStream,
  mine: Hello,
  now: () => number,
  signal: AbortSignal
): Promise<Heard> {
  const requests = new RequestStream(stream, { outstandingMax: 1 })
  const askedMs = now()
  const request = encodeMessage(RequestSchema, { hello: helloMessage(mine, askedMs) })
  const heard = await requests.ask(
    request,
    async (reader) => {
      const frame = await reader.nextFrame(HELLO_LIMITS.answerBytesMax)
      const response = parseMessage(ResponseSchema, frame)
      const failure = failureOf(response)
      if (failure !== undefined) throw failure
      const answeredMs = now()
      const { hello, clockMs } = readHello(response.hello)
      const heardMs = checkNumber('the clock', response.heardMs)
      return { ...hello, clockOffsetMs: (heardMs - askedMs + (clockMs - answeredMs)) / 2 }
    },
    signal
  )
  await requests.end(signal)
  return heard
}
