// What lies between the nodes of a simulation: a wire with delay, on which dials get lost, streams
// overtake each other, connections break and are doubled, sides are cut off and nodes die. One seed
// and one clock give one course of events.

import { type Clock, type Random, sleep } from '../base/clock.ts'
import { NodeError } from '../base/errors.ts'
import { planDoor } from './admission.ts'
import { type LinkParts, MemoryLink, never, type WireNode } from './memory-link.ts'

export interface MemoryWireOptions {
  /** From and to; each piece has its own. */
  readonly delayMs?: readonly [number, number]
  /** The share of dials that nobody answers. */
  readonly dialLoss?: number
  /** The share of pieces with which their connection breaks, often in the middle of something. */
  readonly breakage?: number
  /** What may be on its way and unread in one direction of a stream. */
  readonly bufferBytes?: number
  /** Whether streams of one connection overtake each other. */
  readonly overtake?: boolean
}

/** Until both sides have noticed that nothing comes any more. */
const NOTICE_MS = 25_000
const DEFAULTS: Required<MemoryWireOptions> = {
  delayMs: [0, 5],
  dialLoss: 0,
  breakage: 0,
  bufferBytes: 65_536,
  overtake: false
}

export class MemoryWire {
  readonly clock: Clock
  readonly random: Random
  readonly #parts: LinkParts
  #options: Required<MemoryWireOptions>
  readonly #places = new Map<string, WireNode>()
  readonly #links = new Set<MemoryLink>()
  readonly #cuts = new Set<string>()
  readonly #walls = new Set<string>()
  /** What each piece takes longer between two nodes. */
  readonly #slow = new Map<string, number>()

  constructor(parts: { clock: Clock; random: Random }, options: MemoryWireOptions = {}) {
    this.clock = parts.clock
    this.random = parts.random
    this.#options = { ...DEFAULTS, ...options }
    this.#parts = { ...parts, ...this.#options, travelMs: (link) => this.#travelMs(link) }
  }

  attach(node: WireNode): void {
    this.#places.set(node.place, node)
  }

  /** The node says goodbye: what is on its way from it is lost, and all others notice soon. */
  detach(node: WireNode): void {
    if (this.#places.get(node.place) === node) this.#places.delete(node.place)
    for (const link of this.#linksOf(node.id)) {
      if (link.nodes.includes(node)) this.#breakLink(link, node, () => this.#delayMs())
    }
  }

  /**
   * The node is gone in the middle of everything; what it still does has no effect. `silent`: as a
   * machine that lost power, which the others notice only after a while.
   */
  crash(id: string, { silent = false } = {}): void {
    for (const node of [...this.#places.values()]) {
      if (node.id === id) this.#places.delete(node.place)
    }
    for (const link of this.#linksOf(id)) {
      const node = link.nodes.find((one) => one.id === id)
      this.#breakLink(link, node, () => (silent ? this.#noticeMs() : this.#delayMs()))
    }
  }

  /** One side closes the connection: it is lost there at once. */
  hangUp(node: WireNode, peerId: string): void {
    for (const link of this.#linksOf(peerId)) {
      if (link.nodes.includes(node)) this.#breakLink(link, node, () => this.#delayMs())
    }
  }

  /** Breaks the connection between two nodes; nothing keeps them from making another. */
  lose(a: string, b: string): void {
    for (const link of this.#linksOf(a)) {
      if (link.has(b)) this.#lose(link)
    }
  }

  /**
   * Connects two nodes once more, as when dials cross each other: new streams take the new
   * connection, and the old one goes.
   */
  double(a: string, b: string): void {
    for (const link of this.#linksOf(a)) {
      if (!link.has(b) || !link.whole) continue
      const again = new MemoryLink(this.#parts, ...link.nodes, link.door)
      this.#links.add(again)
      for (const node of link.nodes) node.up(again)
      this.#lose(link)
    }
  }

  /** From now on nothing passes between two nodes. */
  cut(a: string, b: string): void {
    this.#cuts.add(pairOf(a, b))
    for (const link of this.#linksOf(a)) {
      if (link.has(b)) this.#breakLink(link, undefined, () => this.#noticeMs())
    }
  }

  /** From now on each piece takes so much longer between two nodes. */
  slow(a: string, b: string, byMs: number): void {
    this.#slow.set(pairOf(a, b), byMs)
  }

  /** There is no way between two nodes, and never will be. */
  wall(a: string, b: string): void {
    this.#walls.add(pairOf(a, b))
    this.cut(a, b)
  }

  heal(a: string, b: string): void {
    this.#cuts.delete(pairOf(a, b))
    this.#slow.delete(pairOf(a, b))
  }

  /** Cuts the groups off from each other; within each nothing changes. */
  partition(...groups: readonly (readonly string[])[]): void {
    for (const [at, group] of groups.entries()) {
      const others = groups.slice(at + 1).flat()
      for (const a of group) for (const b of others) this.cut(a, b)
    }
  }

  /** All but walls. */
  healAll(): void {
    this.#cuts.clear()
    this.#slow.clear()
  }

  /** From now on no dial is lost and no connection breaks by itself. */
  calm(): void {
    this.#options = { ...this.#options, dialLoss: 0, breakage: 0 }
  }

  /** Pairs of nodes that are connected. */
  connections(): readonly (readonly [string, string])[] {
    const whole = [...this.#links].filter((link) => link.whole)
    return whole.map(({ nodes: [a, b] }) => [a.id, b.id])
  }

  /** A connection with the node at a place. Rejects with PEER_UNREACHABLE or SAME_NODE. */
  async connect(from: WireNode, address: string, signal: AbortSignal): Promise<MemoryLink> {
    const { place, id } = readMemoryAddress(address)
    await sleep(this.clock, this.#delayMs(), signal)
    if (this.#places.get(from.place) !== from) await never()
    const node = this.#places.get(place)
    const lost = this.random.fraction() < this.#options.dialLoss
    if (lost || (node !== undefined && !this.#isOpen(from.id, node.id))) await never()
    if (node === undefined) throw unreachable('refused', `Nothing listens at ${address}.`)
    if (node.id === from.id) throw new NodeError('SAME_NODE', `${address} is the node itself.`)
    if (id !== undefined && id !== node.id)
      throw unreachable('other-node', `At ${address} is another node.`)
    const door = planDoor(from.doors(), node.doors())
    if (door === undefined)
      throw unreachable('other-cluster', `${address} is of another cluster or has another secret.`)
    if (!node.admits(from.id) || !from.admits(node.id))
      throw unreachable('not-admitted', `${address} does not admit this node.`)
    const first = this.#linkOf(from, node, door)
    await first.pass(node, signal)
    const link = this.#wholeOf(from, node) ?? first // it may have been doubled meanwhile
    if (!link.openFor(from)) throw unreachable('hung-up', `The connection with ${address} broke.`)
    from.up(link)
    return link
  }

  /** The one that dialled first serves both if dials cross each other. */
  #linkOf(from: WireNode, to: WireNode, door: string): MemoryLink {
    const known = this.#wholeOf(from, to)
    if (known !== undefined) return known
    const link = new MemoryLink(this.#parts, from, to, door)
    this.#links.add(link)
    to.up(link)
    return link
  }

  #wholeOf(from: WireNode, to: WireNode): MemoryLink | undefined {
    for (const link of this.#links) {
      if (link.nodes.includes(from) && link.nodes.includes(to) && link.whole) return link
    }
    return undefined
  }

  #isOpen(a: string, b: string): boolean {
    const pair = pairOf(a, b)
    return !this.#cuts.has(pair) && !this.#walls.has(pair)
  }

  #linksOf(id: string): readonly MemoryLink[] {
    return [...this.#links].filter((link) => link.has(id))
  }

  #lose(link: MemoryLink): void {
    this.#breakLink(link, undefined, () => this.#delayMs())
  }

  /** At once for `first`, for the others when `waitMs` has passed. Nothing arrives meanwhile. */
  #breakLink(link: MemoryLink, first: WireNode | undefined, waitMs: () => number): void {
    link.stall()
    const lose = (node: WireNode) => {
      if (!link.lose(node)) return
      if (link.gone) this.#links.delete(link)
      node.down(link)
    }
    if (first !== undefined) lose(first)
    for (const node of link.nodes) {
      if (node !== first) this.clock.after(waitMs(), () => lose(node))
    }
  }

  #delayMs(): number {
    const [from, to] = this.#options.delayMs
    return from + Math.floor(this.random.fraction() * (to - from + 1))
  }

  #travelMs(link: MemoryLink): number {
    if (this.random.fraction() < this.#options.breakage) this.#lose(link)
    const [a, b] = link.nodes
    return this.#delayMs() + (this.#slow.get(pairOf(a.id, b.id)) ?? 0)
  }

  #noticeMs(): number {
    return Math.floor(this.random.fraction() * NOTICE_MS)
  }
}

/** `/memory/PLACE` or `/memory/PLACE/p2p/ID`. Throws PEER_UNREACHABLE for anything else. */
export function readMemoryAddress(address: string): { place: string; id: string | undefined } {
  const [, place, id] = /^\/memory\/([^/]+)(?:\/p2p\/([^/]+))?$/.exec(address) ?? []
  if (place === undefined) throw unreachable('no-address', `${address} is not an address.`)
  return { place, id }
}

function unreachable(reason: string, message: string): NodeError {
  return new NodeError('PEER_UNREACHABLE', message, { reason })
}

function pairOf(a: string, b: string): string {
  return a < b ? `${a} ${b}` : `${b} ${a}`
}
