// Tickets: what an invite holds in place of the secret. The node that made one gives the secret out
// to whoever shows its key, until its time is over or it was used often enough.

import { hash } from 'node:crypto'
import type { Invite, Ticket } from '../../protocols/invite.ts'
import { CLUSTER_NAME, SECRET_BYTES } from '../../protocols/secret/limits.ts'
import { saidAs } from '../base/cause.ts'
import { type Clock, type Random, sleep } from '../base/clock.ts'
import { NodeError } from '../base/errors.ts'
import type { ImageIndex } from '../index/image-index.ts'
import type { ClusterFacts } from './cluster.ts'

export const TICKET_MS = 24 * 3_600_000
export const TICKETS_MAX = 1000
/** For so long after its end it is known why a ticket is good no more, if they are not too many. */
const REMEMBERED_MS = 30 * 24 * 3_600_000
const ASK_MS = 5_000
/** Name of the row of this node that has them. */
const ROW = 'tickets'

interface TicketRow {
  /** Hex. */
  readonly key: string
  readonly expiresMs: number
  /** Undefined: as often as anybody likes. */
  readonly usesLeft?: number
  readonly isRevoked?: boolean
}

interface TicketAnswer {
  readonly status: 'ok' | 'expired' | 'used' | 'revoked'
  readonly cluster?: string
  /** Hex. */
  readonly secret?: string
  /** It took the place of another one. */
  readonly rotated?: boolean
  /** When it was decided on; nodes of earlier versions do not say so. */
  readonly decidedMs?: number
}

export interface TicketParts {
  readonly index: ImageIndex
  readonly clock: Clock
  readonly random: Random
  readonly cluster: () => ClusterFacts
}

export class Tickets {
  readonly #parts: TicketParts
  /** Of the tickets by their identities; undefined where some were made since. */
  #keys: Map<string, string> | undefined

  constructor(parts: TicketParts) {
    this.#parts = parts
  }

  /** A new key, 32 bytes. Errors: VALIDATION if too many are open. */
  async make(ticket: Pick<Ticket, 'expiresMs'> & { readonly uses?: number | undefined }) {
    const { index, clock, random } = this.#parts
    const key = random.bytes(SECRET_BYTES)
    const row: TicketRow = {
      key: Buffer.from(key).toString('hex'),
      expiresMs: ticket.expiresMs,
      ...(ticket.uses !== undefined && { usesLeft: ticket.uses })
    }
    await index.change((tx) => {
      const nowMs = clock.now()
      const since = nowMs - REMEMBERED_MS
      const rows = this.#rows(tx.meta(ROW)).filter(({ expiresMs }) => expiresMs > since)
      const open = rows.filter((one) => stateOf(one, nowMs) === 'ok')
      if (open.length >= TICKETS_MAX) {
        throw new NodeError(
          'VALIDATION',
          `There are ${TICKETS_MAX} invites already: revoke them.`,
          saidAs('invites_many', { max: TICKETS_MAX })
        )
      }
      const closed = rows.filter((one) => stateOf(one, nowMs) !== 'ok')
      tx.setMeta(ROW, [...closed, ...open, row].slice(-TICKETS_MAX))
    })
    this.#keys = undefined
    return key
  }

  /** No invite of this node is good any more; how many were. */
  async revoke(): Promise<number> {
    const nowMs = this.#parts.clock.now()
    return this.#parts.index.change((tx) => {
      const rows = this.#rows(tx.meta(ROW))
      tx.setMeta(
        ROW,
        rows.map((row) => ({ ...row, isRevoked: true }))
      )
      return rows.filter((row) => stateOf(row, nowMs) === 'ok').length
    })
  }

  /** As `SideDoor.open`: the key of a ticket with this identity, and what its holder is told. */
  open(identity: string) {
    const rows = () => this.#rows(this.#parts.index.meta(ROW))
    // anybody may knock, as often as he likes: he costs one look
    this.#keys ??= new Map(rows().map(({ key }) => [identityOf(key), key]))
    const key = this.#keys.get(identity)
    if (key === undefined) return undefined
    return { secret: Buffer.from(key, 'hex'), answer: () => this.#answer(key) }
  }

  async #answer(key: string): Promise<string> {
    const { index, clock, cluster } = this.#parts
    const status = await index.change((tx): TicketAnswer['status'] => {
      const rows = this.#rows(tx.meta(ROW))
      const row = rows.find((one) => one.key === key)
      if (row === undefined) return 'revoked'
      const state = stateOf(row, clock.now())
      if (state === 'ok' && row.usesLeft !== undefined) {
        const used = { ...row, usesLeft: row.usesLeft - 1 }
        tx.setMeta(
          ROW,
          rows.map((one) => (one.key === key ? used : one))
        )
      }
      return state
    })
    const { name, secret, isRotated, decidedMs } = cluster()
    const hex = secret && Buffer.from(secret).toString('hex')
    const facts = { cluster: name, secret: hex, decidedMs, ...(isRotated && { rotated: true }) }
    return JSON.stringify({ status, ...(status === 'ok' && facts) })
  }

  #rows(value: unknown): readonly TicketRow[] {
    return (value as readonly TicketRow[] | undefined) ?? []
  }
}

function stateOf({ expiresMs, usesLeft, isRevoked }: TicketRow, nowMs: number) {
  if (isRevoked) return 'revoked'
  if (nowMs >= expiresMs) return 'expired'
  return usesLeft === 0 ? 'used' : 'ok'
}

/** Under which the node that made it knows a ticket; it tells nothing of the key. */
function identityOf(key: string): string {
  return hash('sha256', `tumesh ticket ${key}`).slice(0, 32)
}

/** With what a mesh is entered. */
export interface Entrance {
  readonly cluster: string
  readonly secret: Uint8Array
  readonly isRotated: boolean
  /** When that was decided on; 0 where nobody says so. */
  readonly decidedMs: number
}

export type AskSideDoor = (
  key: { readonly port: number; readonly identity: string; readonly secret: Buffer },
  ip: string,
  signal: AbortSignal
) => Promise<string>

const REFUSALS: Readonly<Record<Exclude<TicketAnswer['status'], 'ok'>, string>> = {
  expired: 'This invite has expired.',
  used: 'This invite has been used as often as it may be.',
  revoked: 'This invite was revoked.'
}

/**
 * The secret of the mesh that an invite with a ticket leads to. Errors: BAD_INVITE if it is good no
 * more, PEER_UNREACHABLE.
 */
export async function redeem(
  { ask, clock }: { readonly ask: AskSideDoor; readonly clock: Clock },
  { secret: key, addresses, ticket }: Invite & { readonly ticket: Ticket },
  signal: AbortSignal
): Promise<Entrance> {
  const hex = Buffer.from(key).toString('hex')
  const laneKey = { port: ticket.port, identity: identityOf(hex), secret: Buffer.from(key) }
  const ips = new Set(addresses.map((one) => /^\/ip[46]\/([^/]+)/.exec(one)?.[1]))
  for (const ip of ips) {
    if (ip === undefined) continue
    const late = new AbortController()
    const ended = AbortSignal.any([signal, late.signal])
    void sleep(clock, ASK_MS, ended)
      .then(() => late.abort(new Error('no answer')))
      .catch(() => {})
    try {
      return readAnswer(await ask(laneKey, ip, ended))
    } catch (error) {
      if (error instanceof NodeError) throw error
      signal.throwIfAborted()
    } finally {
      late.abort(new Error('it has ended'))
    }
  }
  throw new NodeError(
    'PEER_UNREACHABLE',
    `The server that made this invite does not answer at ${[...ips].filter(Boolean).join(', ')}, ` +
      `port ${ticket.port}, or does not know the invite any more. Let it run and open that port ` +
      '(--lane-port), or make another with `npm run invite -- --permanent`, which needs no port.',
    saidAs('invite_silent', { port: ticket.port })
  )
}

function readAnswer(text: string): Entrance {
  const { status, cluster, secret, rotated, decidedMs = 0 } = JSON.parse(text) as TicketAnswer
  if (status !== 'ok') {
    const why = REFUSALS[status] ?? 'This invite is not good any more.'
    const word = status in REFUSALS ? `invite_${status}` : 'invite_over'
    throw new NodeError('BAD_INVITE', `${why} Ask for another: npm run invite`, saidAs(word))
  }
  if (typeof cluster !== 'string' || !CLUSTER_NAME.test(cluster)) throw new Error('no cluster')
  if (typeof secret !== 'string' || !/^[0-9a-f]{64}$/.test(secret)) throw new Error('no secret')
  if (!Number.isSafeInteger(decidedMs) || decidedMs < 0) throw new Error('no time')
  return { cluster, secret: Buffer.from(secret, 'hex'), isRotated: rotated === true, decidedMs }
}
