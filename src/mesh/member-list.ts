// Whom this node stays connected with, and whom it meets no more.

import { callOf } from '../base/how-called.ts'
import { oneAtATime } from '../base/one-at-a-time.ts'
import {
  announce,
  bringBack,
  listMembers,
  listRemoved,
  type Member,
  removeAgain
} from '../flows/members.ts'
import type { FlowParts } from '../flows/parts.ts'
import type { Network } from '../network/network.ts'
import type { Remembered } from '../network/plan-redial.ts'

export interface MemberListParts {
  readonly network: Network
  readonly flows: Pick<FlowParts, 'index' | 'log' | 'name' | 'journal'>
}

export class MemberList {
  readonly #parts: MemberListParts
  #members: readonly Member[] = []
  /** With the times of their removals: of several in a row, the first that was heard of. */
  #removed: ReadonlyMap<string, number> = new Map()
  /** Removed nodes that a person is about to meet. */
  readonly #expected = new Set<string>()
  #toldRemoved = false
  #awayUntilMs: number | undefined
  /** Reads the records anew: some have come. Removed nodes are met no more, others are again. */
  readonly refresh = oneAtATime(() => this.#refresh())

  constructor(parts: MemberListParts) {
    this.#parts = parts
  }

  /** All members but this node. */
  others(): readonly Member[] {
    return this.#members.filter(({ id }) => id !== this.#parts.network.id)
  }

  /** Whether a node belongs to the mesh, or will as soon as it is met. */
  has(id: string): boolean {
    return this.#expected.has(id) || this.others().some((one) => one.id === id)
  }

  remembered(): readonly Remembered[] {
    return this.others().filter(({ addresses }) => addresses.length > 0)
  }

  /** Whether the mesh has removed this node. */
  get isRemoved(): boolean {
    return this.#removed.has(this.#parts.network.id)
  }

  /** Says where this node is, if that has changed; one that was removed keeps silent. */
  async announceSelf({ evenRemoved = false } = {}): Promise<void> {
    const { network, flows } = this.#parts
    if (this.isRemoved && !evenRemoved) {
      if (this.#toldRemoved) return
      this.#toldRemoved = true
      flows.log.warn(
        'this node was removed from its mesh. To take it back, run on another node: ' +
          `${callOf('join', 'ADDRESS')}, with an address of this one`
      )
      return
    }
    await announce(flows.index, {
      id: network.id,
      name: flows.name,
      database: flows.index.databaseId(),
      addresses: network.addresses(),
      awayUntilMs: this.#awayUntilMs
    })
  }

  /** What it said last since the start. */
  get awayUntilMs(): number | undefined {
    return this.#awayUntilMs
  }

  /** Says that this node will be switched off until then, or is back; a start says so too. */
  async sayAway(untilMs: number | undefined): Promise<void> {
    this.#awayUntilMs = untilMs
    await this.announceSelf()
  }

  /**
   * Meets nodes of which some may have been removed: whoever is met belongs to the mesh again. Who
   * is not met stays removed.
   */
  async takeBack<Peer extends { readonly id: string }>(
    addresses: readonly string[],
    meet: () => Promise<Peer>
  ): Promise<Peer> {
    const { network, flows } = this.#parts
    const ids = new Set(addresses.map(peerIdIn))
    const removed = [...ids].filter((id) => id !== undefined && this.#removed.has(id)) as string[]
    for (const id of removed) {
      this.#expected.add(id)
      network.allow(id)
    }
    try {
      const peer = await meet()
      const { id } = peer
      if (removed.includes(id)) {
        const own = addresses.filter((address) => peerIdIn(address) === id)
        const about = { id, name: id.slice(-8), addresses: own }
        await bringBack(flows.index, about, this.#removed.get(id) ?? 0)
        await this.refresh()
      }
      return peer
    } finally {
      for (const id of removed) this.#expected.delete(id)
      for (const id of removed) if (this.#removed.has(id)) await network.deny(id)
    }
  }

  async #refresh(): Promise<void> {
    const { network, flows } = this.#parts
    const before = this.#removed
    for (const { id, name } of await listMembers(flows.index)) {
      const removedMs = before.get(id)
      if (removedMs === undefined || id === network.id) continue
      if (!(await removeAgain(flows.index, id, removedMs))) continue
      const note = 'it was removed and had not heard of it'
      flows.log.warn({ peer: id, name }, 'a removed server had not heard of it: removed again')
      flows.journal.add('removed-again', { server: id, note })
    }
    this.#members = await listMembers(flows.index)
    const removed = await listRemoved(flows.index)
    for (const [id, ms] of removed) removed.set(id, before.get(id) ?? ms)
    this.#removed = removed
    for (const id of before.keys()) if (!removed.has(id)) network.allow(id)
    for (const id of removed.keys()) {
      if (!before.has(id) && id !== network.id) await network.deny(id)
    }
  }
}

export function peerIdIn(address: string): string | undefined {
  return /\/p2p\/([A-Za-z0-9]+)$/.exec(address)?.[1]
}
