// Under which name and secret this node meets others: set by hand, or taken over while it runs.

import { CLUSTER_NAME } from '../../protocols/secret/limits.ts'
import type { SecretOffer } from '../../protocols/secret/serve.ts'
import { NodeError } from '../base/errors.ts'
import { callOf } from '../base/how-called.ts'
import { type Admission, createAdmission } from '../network/admission.ts'

export interface ClusterFacts {
  readonly name: string
  /** 32 bytes; undefined: the local network may join. */
  readonly secret: Uint8Array | undefined
  /** Set by the configuration, which nobody but a person changes. */
  readonly isFixed: boolean
  /** When a person decided so; 0 where nobody has. */
  readonly decidedMs: number
}

/** What becomes of a secret that another node hands over, or that an invite holds. */
export type Taking = 'same' | 'take' | 'keep' | 'refuse'

/** Of two decisions the later counts, so that all nodes of a mesh end up with one secret. */
export function planTaking(mine: ClusterFacts, offer: SecretOffer): Taking {
  const order = mine.secret === undefined ? 1 : Buffer.compare(offer.secret, mine.secret)
  if (order === 0 && offer.cluster === mine.name) return 'same'
  if (mine.isFixed) return 'refuse'
  if (mine.secret === undefined || offer.decidedMs > mine.decidedMs) return 'take'
  return offer.decidedMs === mine.decidedMs && order > 0 ? 'take' : 'keep'
}

export function admissionOf({ name, secret }: ClusterFacts): Admission {
  return createAdmission(name, secret)
}

/** The text under which a secret that was taken over is kept in the data folder. */
export function clusterText({ cluster, secret, decidedMs }: SecretOffer): string {
  const hex = Buffer.from(secret).toString('hex')
  return `${JSON.stringify({ cluster, secret: hex, decided_ms: decidedMs })}\n`
}

/** Errors: BAD_CONFIG if the text is none. */
export function readClusterText(text: string, file: string): SecretOffer {
  try {
    const { cluster, secret, decided_ms: decidedMs } = JSON.parse(text)
    // a list of one text would pass for it in a pattern
    const texts = typeof cluster === 'string' && typeof secret === 'string'
    if (!texts || !CLUSTER_NAME.test(cluster) || !/^[0-9a-f]{64}$/.test(secret)) {
      throw new Error('fields')
    }
    const ms = Math.trunc(Number(decidedMs))
    const isTime = Number.isSafeInteger(ms) && ms > 0
    return { cluster, secret: Buffer.from(secret, 'hex'), decidedMs: isTime ? ms : 0 }
  } catch (cause) {
    throw new NodeError(
      'BAD_CONFIG',
      `${file} can't be read. Remove it and let this node join again with an invite: ${callOf('join', 'INVITE')}`,
      { file },
      { cause }
    )
  }
}
