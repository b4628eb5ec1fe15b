// A new secret in the place of the one that holds: who is connected gets it at once, members that
// are away get it when they come by the one of before, which opens for members alone, and for a
// while.

import { SECRET_BYTES } from '../../protocols/secret/limits.ts'
import { type Cause, causeOf, saidAs } from '../base/cause.ts'
import { NodeError } from '../base/errors.ts'
import { callOf } from '../base/how-called.ts'
import type { FlowParts } from '../flows/parts.ts'
import type { SecretState } from '../http/ports.ts'
import { joinedMs, sumOf } from './cluster.ts'
import type { Meetings } from './meetings.ts'
import type { MemberList } from './member-list.ts'
import type { SecretKeeper } from './secret-keeper.ts'

export interface RotatingParts {
  readonly flows: Pick<FlowParts, 'clock' | 'random'>
  readonly keeper: SecretKeeper
  readonly members: MemberList
  readonly meetings: Meetings
}

export class Rotating {
  readonly #parts: RotatingParts

  constructor(parts: RotatingParts) {
    this.#parts = parts
  }

  state(): SecretState {
    const { keeper, members, meetings } = this.#parts
    const { secret, isFixed, decidedMs, former } = keeper.facts
    const servers = secret === undefined ? [] : members.others()
    return {
      origin: secret === undefined ? 'none' : isFixed ? 'file' : 'mesh',
      // who has joined by a line with the secret in it has not heard
      decidedMs: decidedMs <= joinedMs({ decidedMs: 0 }) ? undefined : decidedMs,
      formerUntilMs: former?.untilMs,
      servers: servers.map(({ id, name }) => ({
        ...{ id, name: meetings.heard(id)?.name ?? name, hasIt: keeper.hasIt(id) }
      }))
    }
  }

  /** `windowMs`: how long the one of before opens; 0 not at all. Errors: BAD_REQUEST. */
  async rotate(windowMs: number): Promise<SecretState> {
    const { flows, keeper } = this.#parts
    const { name: cluster, secret, isFixed, decidedMs } = keeper.facts
    if (isFixed) throw new NodeError('BAD_REQUEST', FIXED, saidAs('secret_fixed'))
    if (secret === undefined) throw new NodeError('BAD_REQUEST', NONE, saidAs('secret_none'))
    const nowMs = flows.clock.now()
    await keeper.take({
      cluster,
      secret: flows.random.bytes(SECRET_BYTES),
      // after every decision that is known here, whatever the clocks say
      decidedMs: Math.max(nowMs, decidedMs + 1),
      rotation: { formerUntilMs: windowMs === 0 ? 0 : nowMs + windowMs, former: sumOf(secret) }
    })
    await keeper.handOver()
    return this.state()
  }
}

/** What a person may want to know while members are without the secret. */
export function saySecret(state: SecretState | undefined): Cause | undefined {
  const lack = state?.servers.filter(({ hasIt }) => !hasIt).map(({ name }) => name) ?? []
  if (state?.formerUntilMs === undefined || lack.length === 0) return undefined
  const until = new Date(state.formerUntilMs).toISOString()
  const text = `The mesh has a new secret, which these servers are not known to have: ${lack.join(', ')}. They get it when they come, until ${until}; later, or if they have missed the one before it as well, they join again with an invite.`
  return causeOf('secret_exchanged', text, { servers: lack.join(', '), until })
}

const FIXED =
  'This node has its secret from a file, which only a person changes: put a new one (openssl rand -hex 32) into the secret file of every server, and restart one after the other. Those with the new one do not meet those with the old one meanwhile.'
const NONE = `This mesh has no secret yet: ${callOf('invite')} makes one.`
