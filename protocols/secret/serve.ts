// The side that is handed a secret.

import { SECRET_ID } from '../ids.ts'
import {
  badMessage,
  checkLength,
  checkNumber,
  encodeMessage,
  headOf,
  parseMessage
} from '../message.ts'
import type { Protocol } from '../protocol.ts'
import { serveRequests } from '../serve-requests.ts'
import { STATUS } from '../status.ts'
import { CLUSTER_NAME, FORMER_BYTES, SECRET_BYTES, SECRET_LIMITS } from './limits.ts'
import { RequestSchema, ResponseSchema } from './messages_pb.ts'

/** Under which name and secret a mesh is entered from now on. */
export interface SecretOffer {
  readonly cluster: string
  /** 32 bytes. */
  readonly secret: Uint8Array
  /** When a person decided so, milliseconds since 1970. */
  readonly decidedMs: number
  /** It took the place of another one; until when that still lets in, 0 where it does not. */
  readonly rotation?: { readonly formerUntilMs: number; readonly former: Uint8Array } | undefined
}

export interface SecretSource {
  /** Resolves once the secret is kept durably. May throw StatusError: then that is the answer. */
  take(offer: SecretOffer, from: string): Promise<void>
}

export const secretProtocol: Protocol<SecretSource> = {
  id: SECRET_ID,
  limits: SECRET_LIMITS,
  serve: (stream, source, from) =>
    serveRequests(stream, {
      requestBytesMax: SECRET_LIMITS.requestBytesMax,
      parse: readOffer,
      perform: async (offer) => {
        await source.take(offer, from)
        return encodeMessage(ResponseSchema, { status: STATUS.OK })
      },
      failure: (error) => encodeMessage(ResponseSchema, headOf(error))
    })
}

function readOffer(frame: Uint8Array): SecretOffer {
  const message = parseMessage(RequestSchema, frame)
  const { cluster, secret, decidedMs, rotated, formerUntilMs, former } = message
  if (!CLUSTER_NAME.test(cluster)) throw badMessage('a secret without a name of its cluster')
  return {
    cluster,
    secret: Uint8Array.from(checkLength('a secret', secret, SECRET_BYTES)),
    decidedMs: checkNumber('the time', decidedMs),
    rotation: rotated
      ? {
          formerUntilMs: checkNumber('the time', formerUntilMs),
          former: Uint8Array.from(checkLength('a sum', former, FORMER_BYTES))
        }
      : undefined
  }
}
