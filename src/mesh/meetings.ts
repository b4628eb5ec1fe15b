// Who is connected says hello; then it is of this mesh, or waits until a person lets the two merge.

import type { Heard } from '../../protocols/hello/hello.ts'
import { callOf } from '../base/how-called.ts'
import type { FlowParts } from '../flows/parts.ts'
import type { ConnectedPeer, Network } from '../network/network.ts'
import type { AdmittedNetwork } from './admitted-network.ts'
import type { ClusterIds } from './cluster-ids.ts'
import { type GreetingParts, Greetings } from './greetings.ts'
import { planMeeting } from './plan-meeting.ts'

/** A hello that went wrong is said again. */
const AGAIN_MS = 2_000
/**
 * Who did not dial says hello too if it has heard none by then. Of two dials that cross, each side
 * may see the other's first, and then neither has dialled.
 */
const UNHEARD_MS = 200
/** Of another mesh: whether that is still so. */
const WAITING_MS = 10_000
/** A member: its clock, name and addresses may have changed. */
const MEMBER_MS = 60_000

export interface MeetingParts extends Pick<GreetingParts, 'about'> {
  readonly network: Network
  readonly admitted: AdmittedNetwork
  readonly clusterIds: ClusterIds
  readonly flows: Pick<FlowParts, 'clock' | 'index' | 'log'>
  /** Whether a secret keeps strangers out. */
  readonly haveSecret: () => boolean
  /** Whether this node knows a peer as a member that was not removed. */
  readonly isMember: (peerId: string) => boolean
}

interface State {
  greetAtMs: number
  /** Of another mesh, with images of its own. */
  waits: boolean
  /** Calls off the look whether it was heard. */
  readonly cancel: () => void
}

export class Meetings {
  readonly #parts: MeetingParts
  readonly #greetings: Greetings
  readonly #states = new Map<string, State>()
  /** Peers that a person chose: whatever they hold, the two merge. */
  readonly #chosen = new Set<string>()
  readonly #judging = new Set<Promise<void>>()
  #stopped = false

  constructor(parts: MeetingParts) {
    this.#parts = parts
    const { network, clusterIds, flows } = parts
    this.#greetings = new Greetings({
      ...parts,
      clusterIds: () => (parts.haveSecret() ? [] : clusterIds.list()),
      onHeard: (peerId, hello) => this.#track(this.#judge(peerId, hello))
    })
    network.onPeer((peer, event) => this.#onPeer(peer, event))
    flows.index.onNews((news) => {
      // a mesh begins with its first image
      if (clusterIds.list().length > 0 || news.every(({ from }) => from !== undefined)) return
      this.#track(this.#begin())
    })
  }

  heard(peerId: string): Heard | undefined {
    return this.#greetings.heard(peerId)
  }

  /** Whether a connected peer is of another mesh and waits for a person. */
  waits(peerId: string): boolean {
    return this.#states.get(peerId)?.waits ?? false
  }

  /** What a data folder of an earlier run needs before others are met. */
  async prepare(): Promise<void> {
    await this.#parts.clusterIds.refresh()
    await this.#begin()
  }

  /** Says hello to whom it is due. */
  greetDue(): void {
    const { network, admitted, flows } = this.#parts
    const nowMs = flows.clock.monotonicMs()
    for (const { id, dialled } of network.peers()) {
      const state = this.#states.get(id)
      const isOurs = dialled || this.heard(id) === undefined
      if (!isOurs || state === undefined || state.greetAtMs > nowMs) continue
      const everyMs = admitted.has(id) ? MEMBER_MS : state.waits ? WAITING_MS : AGAIN_MS
      state.greetAtMs = nowMs + everyMs
      this.#track(this.#greet(id))
    }
  }

  /** A person chose this peer: merges with its mesh. Errors: those of Greetings.greet. */
  async merge(peerId: string): Promise<void> {
    this.#chosen.add(peerId)
    await this.#greetings.greetAnew(peerId)
    await Promise.all(this.#judging)
  }

  async stop(): Promise<void> {
    this.#stopped = true
    for (const { cancel } of this.#states.values()) cancel()
    this.#greetings.stop()
    await Promise.all(this.#judging)
  }

  #onPeer({ id, dialled, isFormer }: ConnectedPeer, event: 'up' | 'down'): void {
    if (event === 'down') {
      this.#states.get(id)?.cancel()
      this.#states.delete(id)
      return
    }
    if (this.#stopped) return
    const { network, flows, isMember } = this.#parts
    const { clock, log } = flows
    // a secret is exchanged because strangers may know the one of before
    if (isFormer && !isMember(id)) {
      log.warn({ peer: id }, 'a node that is no member came by the secret of before: let go')
      void network.hangUp(id)
      return
    }
    const greet = () => this.#track(this.#greet(id))
    const unheard = clock.after(UNHEARD_MS, () => {
      if (this.heard(id) === undefined) greet()
    })
    const greetAtMs = clock.monotonicMs() + AGAIN_MS
    this.#states.set(id, { greetAtMs, waits: false, cancel: unheard })
    if (dialled) greet()
  }

  /** Never rejects. */
  async #greet(peerId: string, { anew = false } = {}): Promise<void> {
    try {
      await (anew ? this.#greetings.greetAnew(peerId) : this.#greetings.greet(peerId))
    } catch (error) {
      this.#parts.flows.log.debug({ peer: peerId, err: error }, 'a peer did not answer a hello')
    }
  }

  async #judge(peerId: string, hello: Heard): Promise<void> {
    const { network, admitted, clusterIds, flows, haveSecret } = this.#parts
    const state = this.#states.get(peerId)
    if (state === undefined || this.#stopped) return
    const mine = { hasImages: flows.index.counts().images > 0, clusterIds: clusterIds.list() }
    const meeting = planMeeting(mine, hello, haveSecret())
    if (admitted.has(peerId)) {
      // It got its first image between two hellos, and takes this node for a stranger: from the ids
      // that this node tells next it sees that the two are one mesh.
      if (meeting === 'wait') await clusterIds.adopt(hello.clusterIds)
      return
    }
    if (meeting === 'wait' && !this.#chosen.has(peerId)) {
      if (!state.waits) flows.log.warn({ peer: peerId, name: hello.name }, strangers(hello.name))
      state.waits = true
      return
    }
    if (!haveSecret()) {
      // one of the two makes it, whoever dialled: of dials that cross neither may have
      const none = hello.clusterIds.length === 0
      if (none && network.id < peerId) await clusterIds.ensure()
      await clusterIds.adopt(hello.clusterIds)
    }
    state.waits = false
    admitted.admit(peerId)
    // the other side decides by the ids that this one has now
    if (meeting === 'wait') await this.#greet(peerId, { anew: true })
  }

  async #begin(): Promise<void> {
    const { clusterIds, flows, haveSecret } = this.#parts
    if (!haveSecret() && flows.index.counts().images > 0) await clusterIds.ensure()
  }

  #track(work: Promise<void>): void {
    const { log } = this.#parts.flows
    const tracked = work
      .catch((error) => log.error({ err: error }, 'a meeting could not be noted'))
      .finally(() => this.#judging.delete(tracked))
    this.#judging.add(tracked)
  }
}

function strangers(name: string): string {
  return (
    `met ${name}, which holds images of another mesh: the two stay apart. ` +
    `To merge them: ${callOf('join', 'ADDRESS')}, with an address of that node`
  )
}
