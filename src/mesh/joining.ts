// What a person decides about the mesh: meet a server, invite others, remove a member.

import {
  decodeInvite,
  encodeInvite,
  INVITE_ADDRESSES_MAX,
  type Invite,
  isInvite
} from '../../protocols/invite.ts'
import { SECRET_BYTES } from '../../protocols/secret/limits.ts'
import { saidAs } from '../base/cause.ts'
import { NodeError } from '../base/errors.ts'
import { removeMember } from '../flows/members.ts'
import type { FlowParts } from '../flows/parts.ts'
import type { Invitation, InviteWish, Met } from '../http/ports.ts'
import type { ConnectedPeer, Network } from '../network/network.ts'
import { isLoopback } from '../network/on-link.ts'
import { admissionOf, type ClusterFacts, factsAfter, joinedMs, ROTATED } from './cluster.ts'
import type { Meetings } from './meetings.ts'
import { type MemberList, peerIdIn } from './member-list.ts'
import type { Rotating } from './rotating.ts'
import type { SecretKeeper } from './secret-keeper.ts'
import { type AskSideDoor, type Entrance, redeem, TICKET_MS, type Tickets } from './tickets.ts'

/** For the first comparison with a server that was met; then it goes on without the caller. */
const COMPARE_MS_MAX = 5_000
/** For a server to hear that it was removed. */
const TELL_MS_MAX = 1_000

export interface JoiningParts {
  readonly network: Network
  readonly flows: Pick<FlowParts, 'index' | 'clock' | 'random'>
  readonly meetings: Meetings
  readonly members: MemberList
  readonly keeper: SecretKeeper
  readonly resolve: (target: string, signal: AbortSignal) => Promise<readonly string[]>
  readonly compare: (peerId: string) => Promise<void>
  /** How others get the secret from here for a while; undefined without lanes. */
  readonly tickets?: TicketOffice | undefined
}

export interface TicketOffice {
  readonly tickets: Tickets
  /** Undefined while nothing listens. */
  readonly port: () => number | undefined
  readonly ask: AskSideDoor
}

export class Joining {
  readonly #parts: JoiningParts
  /** One invite after the other: of two first ones both hold the secret that counts. */
  #inviting: Promise<unknown> = Promise.resolve()
  /** What the last invite gave that then led nowhere, for as long as nothing else holds here. */
  #entrance: (Entrance & { readonly text: string; readonly over: ClusterFacts }) | undefined

  constructor(parts: JoiningParts) {
    this.#parts = parts
  }

  /**
   * Meets a server and merges with its mesh, whatever both hold. The target is a multiaddr,
   * http://host:8000 or an invite. Errors: PEER_UNREACHABLE, SAME_NODE, BAD_REQUEST; WireError for
   * an invite that is none.
   */
  async meet(target: string, signal: AbortSignal): Promise<Met> {
    const { network, flows, meetings, members, resolve } = this.#parts
    const peer = isInvite(target)
      ? await this.#enter(target, signal)
      : await this.#dial(await resolve(target, signal), signal)
    if (members.isRemoved) await members.announceSelf({ evenRemoved: true })
    await meetings.merge(peer.id)
    await this.#compare(peer.id, COMPARE_MS_MAX)
    const { wants, wantBytes } = flows.index.counts()
    const hello = meetings.heard(peer.id)
    return {
      id: peer.id,
      name: hello?.name,
      address: network.peers().find(({ id }) => id === peer.id)?.address ?? peer.address,
      clockOffsetMs: hello && Math.round(hello.clockOffsetMs),
      wantsFiles: wants,
      wantsBytes: wantBytes
    }
  }

  /** One line that `join` takes anywhere. A mesh without a secret gets one, as do its members. */
  invite(wish: InviteWish = {}): Promise<Invitation> {
    const inviting = this.#inviting.then(() => this.#invite(wish))
    this.#inviting = inviting.catch(() => {})
    return inviting
  }

  async revokeInvites(): Promise<number> {
    return (await this.#parts.tickets?.tickets.revoke()) ?? 0
  }

  /** With a ticket where one can be made, and the secret itself only for who asks for that. */
  async #line(secret: Uint8Array, { validMs = TICKET_MS, uses, isPermanent }: InviteWish) {
    const { network, keeper, tickets, flows } = this.#parts
    const about = {
      cluster: keeper.facts.name,
      addresses: invitingAddresses(network.addresses())
    }
    const port = tickets?.port()
    if (isPermanent || tickets === undefined || port === undefined) {
      return { line: encodeInvite({ ...about, secret }), expiresMs: undefined }
    }
    const expiresMs = Math.ceil((flows.clock.now() + validMs) / 1000) * 1000
    const key = await tickets.tickets.make({ expiresMs, uses })
    return { line: encodeInvite({ ...about, secret: key, ticket: { port, expiresMs } }), expiresMs }
  }

  async #invite(wish: InviteWish): Promise<Invitation> {
    const { flows, members, meetings, keeper } = this.#parts
    const made = keeper.facts.secret === undefined
    let handed = { handedTo: [] as readonly string[], notReached: [] as readonly string[] }
    if (made) {
      await keeper.take({
        cluster: keeper.facts.name,
        secret: flows.random.bytes(SECRET_BYTES),
        decidedMs: this.#decidedMs()
      })
      handed = await keeper.handOver()
    }
    const { secret } = keeper.facts
    if (secret === undefined) throw new NodeError('INTERNAL', 'The mesh has no secret.')
    const others = members.others()
    const nameOf = (id: string) =>
      meetings.heard(id)?.name ?? others.find((one) => one.id === id)?.name ?? id
    const away = others.map(({ id }) => id).filter((id) => !handed.handedTo.includes(id))
    return {
      ...(await this.#line(secret, wish)),
      made,
      handedTo: handed.handedTo.map(nameOf),
      notReached: made ? [...new Set([...handed.notReached, ...away])].map(nameOf) : []
    }
  }

  /** Removes a member: no node of the mesh meets it any more. False if there is none. */
  async remove(id: string): Promise<boolean> {
    const { flows, network, members } = this.#parts
    if (id === network.id) {
      throw new NodeError(
        'SAME_NODE',
        'This is the node itself. To take it out of the mesh, ask another node to remove it.',
        { id, ...saidAs('remove_self') }
      )
    }
    const removed = await removeMember(flows.index, id)
    if (!removed) return false
    // before this node hangs up: it can say so itself then, and nobody else would tell it
    await this.#compare(id, TELL_MS_MAX)
    await members.refresh()
    return true
  }

  /** Resolves when a peer was compared with, or after so long. */
  async #compare(peerId: string, msMax: number): Promise<void> {
    const { flows, compare } = this.#parts
    await new Promise<void>((done) => {
      const cancel = flows.clock.after(msMax, done)
      void compare(peerId).then(cancel).then(done)
    })
  }

  /** With the secret of an invite. An invite that leads nowhere changes nothing. */
  async #enter(text: string, signal: AbortSignal): Promise<ConnectedPeer> {
    const { network, keeper } = this.#parts
    const { addresses } = decodeInvite(text)
    const { facts } = keeper
    const kept = this.#entrance
    const isKept = kept?.text === text && kept.over === facts
    const { cluster, secret, isRotated, decidedMs } = isKept
      ? kept
      : await this.#redeem(text, signal)
    const same = facts.secret !== undefined && Buffer.compare(facts.secret, secret) === 0
    if (same && facts.name === cluster) return this.#dial(addresses, signal)
    if (facts.isFixed) {
      throw new NodeError(
        'BAD_REQUEST',
        'This node has its secret from a file, which only its configuration can change. Start it ' +
          'without --secret-file and join again, or start it with the secret of the other mesh.',
        saidAs('secret_from_file')
      )
    }
    const offer = {
      ...{ cluster, secret, decidedMs: Math.max(joinedMs(facts), decidedMs) },
      ...(isRotated && { rotation: ROTATED })
    }
    await network.admit(admissionOf(factsAfter(facts, offer, this.#parts.flows.clock.now())))
    let peer: ConnectedPeer | undefined
    try {
      await this.#leave(addresses)
      peer = await this.#dial(addresses, signal)
      await keeper.take(offer)
    } catch (error) {
      if (peer !== undefined) await network.hangUp(peer.id)
      await network.admit(admissionOf(keeper.facts))
      if (!isKept || (error as NodeError).details?.reason !== 'other-cluster') throw error
      // its secret may have been exchanged since
      this.#entrance = undefined
      return this.#enter(text, signal)
    }
    this.#entrance = undefined
    await keeper.handOver([peer.id])
    return peer
  }

  /** A use of the invite is gone with it, so that the next try must not need another. */
  async #redeem(text: string, signal: AbortSignal): Promise<Entrance> {
    const { facts: over } = this.#parts.keeper
    const entrance = await this.#secretOf(decodeInvite(text), signal)
    this.#entrance = { ...entrance, text, over }
    return entrance
  }

  /** Errors: those of redeem. */
  async #secretOf(
    { cluster, secret, addresses, ticket }: Invite,
    signal: AbortSignal
  ): Promise<Entrance> {
    // the line does not say whether it is the first one
    if (ticket === undefined) return { cluster, secret, isRotated: true, decidedMs: 0 }
    const { tickets, flows } = this.#parts
    if (tickets === undefined) {
      const sentence = 'This node has no lanes, which this invite needs.'
      throw new NodeError('PEER_UNREACHABLE', sentence, saidAs('invite_no_lanes'))
    }
    const invite = { cluster, secret, addresses, ticket }
    return redeem({ ask: tickets.ask, clock: flows.clock }, invite, signal)
  }

  /** A connection by another secret shows nothing of the one that an invite holds. */
  async #leave(addresses: readonly string[]): Promise<void> {
    const { network } = this.#parts
    const ids = new Set(addresses.map(peerIdIn))
    const left = network.peers().filter(({ id }) => ids.has(id))
    await Promise.all(left.map(({ id }) => network.hangUp(id)))
  }

  async #dial(addresses: readonly string[], signal: AbortSignal): Promise<ConnectedPeer> {
    const { network, members } = this.#parts
    return members.takeBack(addresses, () => network.dial(addresses, signal))
  }

  /** After every decision that is known here, whatever the clocks say. */
  #decidedMs(): number {
    const { flows, keeper } = this.#parts
    return Math.max(flows.clock.now(), keeper.facts.decidedMs + 1)
  }
}

/** What a person decides, as it is asked for from outside. */
export type Decisions = Pick<Joining, 'meet' | 'invite' | 'revokeInvites' | 'remove'> & {
  readonly rotate: Rotating['rotate']
  readonly secretState: Rotating['state']
}

export function decisionsOf(joining: Joining, rotating: Rotating): Decisions {
  return {
    rotate: (windowMs) => rotating.rotate(windowMs),
    secretState: () => rotating.state(),
    meet: (target, signal) => joining.meet(target, signal),
    invite: (wish) => joining.invite(wish),
    revokeInvites: () => joining.revokeInvites(),
    remove: (id) => joining.remove(id)
  }
}

/** Those that lead here from elsewhere; the others only where there are no such. */
function invitingAddresses(addresses: readonly string[]): readonly string[] {
  const host = (address: string) => /^\/ip[46]\/([^/]+)/.exec(address)?.[1] ?? ''
  const outside = addresses.filter((address) => !isLoopback(host(address)))
  return (outside.length > 0 ? outside : addresses).slice(0, INVITE_ADDRESSES_MAX)
}
