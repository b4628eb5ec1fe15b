// The side that gives keys for lanes, or takes them and dials.

import type { ByteStream } from '../byte-stream.ts'
import { LANE_ID } from '../ids.ts'
import { badMessage, encodeMessage, headOf, parseMessage } from '../message.ts'
import type { Protocol } from '../protocol.ts'
import { serveRequests } from '../serve-requests.ts'
import { STATUS } from '../status.ts'
import { type LaneKey, readKey, writeKey } from './key.ts'
import { LANE_LIMITS } from './limits.ts'
import { RequestSchema, ResponseSchema } from './messages_pb.ts'

/** Methods may throw StatusError to choose the answer; anything else ends the stream. */
export interface LaneSource {
  /** A key with which the peer dials a lane, to ask on it. */
  grant(from: string): LaneKey
  /** The peer wants to be dialled, and to ask on that lane. Answered before it is. */
  offered(key: LaneKey, from: string): void
}

type LaneRequest = { readonly kind: 'grant' } | { readonly kind: 'offer'; readonly key: LaneKey }

export const laneProtocol: Protocol<LaneSource> = {
  id: LANE_ID,
  limits: LANE_LIMITS,
  serve: serveLanes
}

function serveLanes(stream: ByteStream, source: LaneSource, from: string): Promise<void> {
  return serveRequests(stream, {
    requestBytesMax: LANE_LIMITS.requestBytesMax,
    parse: parseRequest,
    perform: async (request) => {
      if (request.kind === 'grant') {
        const key = writeKey(source.grant(from))
        return encodeMessage(ResponseSchema, { status: STATUS.OK, key })
      }
      source.offered(request.key, from)
      return encodeMessage(ResponseSchema, { status: STATUS.OK })
    },
    failure: (error) => encodeMessage(ResponseSchema, headOf(error))
  })
}

/** Throws WireError. */
function parseRequest(frame: Uint8Array): LaneRequest {
  const { kind } = parseMessage(RequestSchema, frame)
  switch (kind.case) {
    case 'grant':
      return { kind: 'grant' }
    case 'offer':
      return { kind: 'offer', key: readKey(kind.value.key) }
    case undefined:
      throw badMessage('this node knows no such request')
  }
}
