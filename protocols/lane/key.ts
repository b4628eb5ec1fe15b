// By which one lane can be dialled, once and soon.

import { badMessage, checkLength } from '../message.ts'
import { LANE_IDENTITY, LANE_SECRET_BYTES } from './limits.ts'
import type { Key } from './messages_pb.ts'

export interface LaneKey {
  /** Where its giver listens, at the address of the connection that the key came by. */
  readonly port: number
  /** 32 lower-case hex digits. */
  readonly identity: string
  /** 32 bytes. */
  readonly secret: Uint8Array
}

/** Throws WireError BAD_MESSAGE. */
export function readKey(key: Key | undefined): LaneKey {
  if (key === undefined) throw badMessage('the key of a lane is missing')
  const { port, identity } = key
  if (port < 1 || port > 65_535) throw badMessage('a lane has no such port')
  if (!LANE_IDENTITY.test(identity)) throw badMessage('the identity of a lane is not one')
  return { port, identity, secret: checkLength('the key', key.secret, LANE_SECRET_BYTES) }
}

export function writeKey({ port, identity, secret }: LaneKey) {
  return { port, identity, secret: Uint8Array.from(secret) }
}
