// Under which name and secret this node meets others: set by hand, or taken over while it runs.

import { hash } from 'node:crypto'
import { CLUSTER_NAME, FORMER_BYTES } from '../../protocols/secret/limits.ts'
import type { SecretOffer } from '../../protocols/secret/serve.ts'
import { NodeError } from '../base/errors.ts'
import { callOf } from '../base/how-called.ts'
import { type Admission, createAdmission } from '../network/admission.ts'

/** The secret of before, which still lets members in for a while. */
export interface FormerSecret {
  readonly secret: Uint8Array
  readonly untilMs: number
  /** It had taken the place of another one itself. */
  readonly isRotated: boolean
}

export interface ClusterFacts {
  readonly name: string
  /** 32 bytes; undefined: the local network may join. */
  readonly secret: Uint8Array | undefined
  /** Set by the configuration, which nobody but a person changes. */
  readonly isFixed: boolean
  /** When a person decided so; 0 where nobody has. */
  readonly decidedMs: number
  /** It took the place of another one. */
  readonly isRotated?: boolean | undefined
  readonly former?: FormerSecret | undefined
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

/**
 * As when the secret of an invite counts as decided on: later than what holds here, so that the
 * members of before come along, and no later. Who joins decides nothing for the mesh that he joins:
 * one with a clock ahead, or an old invite, would undo the exchange of its secret.
 */
export function joinedMs({ decidedMs }: Pick<ClusterFacts, 'decidedMs'>): number {
  return decidedMs + 1
}

/** What holds here once an offer is taken: what was before opens on, if it is meant. */
export function factsAfter(mine: ClusterFacts, offer: SecretOffer, nowMs: number): ClusterFacts {
  const { cluster: name, secret, decidedMs, rotation } = offer
  const facts = { name, secret, decidedMs, isFixed: false, isRotated: rotation !== undefined }
  if (rotation === undefined || mine.secret === undefined || mine.name !== name) return facts
  // of two decisions at once both mean the one of before
  const meant = [mine, mine.former].find((one) => isNamedBy(rotation.former, one))
  if (meant?.secret === undefined || rotation.formerUntilMs <= nowMs) return facts
  const { isRotated = false } = meant
  return { ...facts, former: { secret: meant.secret, untilMs: rotation.formerUntilMs, isRotated } }
}

type Opening = Pick<ClusterFacts, 'secret' | 'isRotated'>

function isNamedBy(sum: Uint8Array, one: Opening | undefined): boolean {
  return one?.secret !== undefined && Buffer.compare(sumOf(one.secret), sum) === 0
}

/** What this node hands to others; undefined without a secret. */
export function offerOf(facts: ClusterFacts): SecretOffer | undefined {
  const { name: cluster, secret, decidedMs, isRotated, former } = facts
  if (secret === undefined) return undefined
  const rotation =
    former === undefined ? ROTATED : { formerUntilMs: former.untilMs, former: sumOf(former.secret) }
  return { cluster, secret, decidedMs, ...(isRotated && { rotation }) }
}

/** Of a secret of which nobody says whether it has taken the place of another: it may have. */
export const ROTATED = { formerUntilMs: 0, former: new Uint8Array(FORMER_BYTES) }

/** Tells which secret is meant, and nothing else of it. */
export function sumOf(secret: Uint8Array): Uint8Array {
  return hash('sha256', secret, 'buffer').subarray(0, FORMER_BYTES)
}

export function admissionOf({ name, secret, isRotated = false, former }: ClusterFacts): Admission {
  return createAdmission(name, secret, { isRotated, former })
}

/** The text under which a secret that was taken over is kept in the data folder. */
export function clusterText({ name, secret, decidedMs, isRotated, former }: ClusterFacts): string {
  const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
  const about = {
    ...{ cluster: name, secret: hex(secret ?? new Uint8Array(0)), decided_ms: decidedMs },
    ...(isRotated && { rotated: true }),
    ...(former !== undefined && {
      former: {
        ...{ secret: hex(former.secret), until_ms: former.untilMs },
        ...(former.isRotated && { rotated: true })
      }
    })
  }
  return `${JSON.stringify(about)}\n`
}

/** Errors: BAD_CONFIG if the text is none. */
export function readClusterText(text: string, file: string): ClusterFacts {
  try {
    const { cluster, secret, decided_ms: decidedMs, rotated, former } = JSON.parse(text)
    if (typeof cluster !== 'string' || !CLUSTER_NAME.test(cluster)) throw new Error('fields')
    return {
      ...{ name: cluster, secret: secretOf(secret), decidedMs: timeOf(decidedMs), isFixed: false },
      ...(rotated === true && { isRotated: true }),
      ...(former !== undefined && {
        former: {
          ...{ secret: secretOf(former.secret), untilMs: timeOf(former.until_ms) },
          isRotated: former.rotated === true
        }
      })
    }
  } catch (cause) {
    throw new NodeError(
      'BAD_CONFIG',
      `${file} can't be read. Remove it and let this node join again with an invite: ${callOf('join', 'INVITE')}`,
      { file },
      { cause }
    )
  }
}

/** A list of one text would pass for it in a pattern. */
function secretOf(value: unknown): Uint8Array {
  if (typeof value !== 'string' || !/^[0-9a-f]{64}$/.test(value)) throw new Error('no secret')
  return Buffer.from(value, 'hex')
}

function timeOf(value: unknown): number {
  const ms = Math.trunc(Number(value))
  return Number.isSafeInteger(ms) && ms > 0 ? ms : 0
}
