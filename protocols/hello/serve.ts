// The answering side of hello.

import type { ByteStream } from '../byte-stream.ts'
import { HELLO_ID } from '../ids.ts'
import { encodeMessage, headOf, parseMessage } from '../message.ts'
import type { Protocol } from '../protocol.ts'
import { serveRequests } from '../serve-requests.ts'
import { STATUS } from '../status.ts'
import { type Heard, type Hello, helloMessage, readHello } from './hello.ts'
import { HELLO_LIMITS } from './limits.ts'
import { RequestSchema, ResponseSchema } from './messages_pb.ts'

export interface HelloSource {
  /** What this node says of itself now. May throw StatusError: then that is the answer. */
  hello(): Hello
  /** A peer has said hello. Its clock offset is too low by the time that its message took. */
  heard(hello: Heard, from: string): void
  /** Milliseconds since 1970. */
  now(): number
}

export const helloProtocol: Protocol<HelloSource> = {
  id: HELLO_ID,
  limits: HELLO_LIMITS,
  serve: serveHello
}

function serveHello(stream: ByteStream, source: HelloSource, from: string): Promise<void> {
  return serveRequests(stream, {
    requestBytesMax: HELLO_LIMITS.requestBytesMax,
    parse: (frame) => {
      const heardMs = source.now()
      return { ...readHello(parseMessage(RequestSchema, frame).hello), heardMs }
    },
    perform: async ({ hello, clockMs, heardMs }) => {
      source.heard({ ...hello, clockOffsetMs: clockMs - heardMs }, from)
      return encodeMessage(ResponseSchema, {
        status: STATUS.OK,
        hello: helloMessage(source.hello(), source.now()),
        heardMs: BigInt(Math.trunc(heardMs))
      })
    },
    failure: (error) => encodeMessage(ResponseSchema, headOf(error))
  })
}
