// What was exchanged with each peer, as plain numbers since the start of the node.

import { Conduct, type ConductParts, isViolation } from './conduct.ts'

export interface PeerCounters {
  /** Bytes of streams, without what encryption and framing add. */
  readonly bytesIn: number
  readonly bytesOut: number
  /** Streams of the peer that ended in an error here. */
  readonly faults: number
}

/** Peers that are remembered; the one that was heard of longest ago is forgotten first. */
const PEERS_MAX = 1_000

type Counts = { -readonly [Key in keyof PeerCounters]: PeerCounters[Key] }

export class CounterTable {
  readonly #peers = new Map<string, Counts>()
  readonly #conduct: Conduct | undefined
  /** Hears of a peer that is to be let go. */
  onRest: (peerId: string) => void = () => {}
  /** Bytes by protocol and direction: `/tumesh/blobs/1 received`. */
  readonly #protocols = new Map<string, number>()
  #bytesIn = 0
  #bytesOut = 0

  /** Without them nobody rests. */
  constructor(parts?: ConductParts) {
    this.#conduct = parts && new Conduct(parts)
  }

  /** With all peers, also those that are forgotten. */
  get total(): Pick<PeerCounters, 'bytesIn' | 'bytesOut'> {
    return { bytesIn: this.#bytesIn, bytesOut: this.#bytesOut }
  }

  get(peerId: string): PeerCounters {
    return { ...(this.#peers.get(peerId) ?? { bytesIn: 0, bytesOut: 0, faults: 0 }) }
  }

  /** Of streams; lanes speak one protocol, and are not among them. */
  get protocols(): ReadonlyMap<string, number> {
    return this.#protocols
  }

  received(peerId: string, bytes: number, protocol?: string): void {
    this.#of(peerId).bytesIn += bytes
    this.#bytesIn += bytes
    this.#note(protocol, 'received', bytes)
  }

  sent(peerId: string, bytes: number, protocol?: string): void {
    this.#of(peerId).bytesOut += bytes
    this.#bytesOut += bytes
    this.#note(protocol, 'sent', bytes)
  }

  /** A stream of the peer ended in this error. */
  fault(peerId: string, error?: unknown): void {
    this.#of(peerId).faults++
    if (isViolation(error) && this.#conduct?.violated(peerId) === true) this.onRest(peerId)
  }

  /** Whether the peer is not let in for a while. */
  rests(peerId: string): boolean {
    return this.#conduct?.rests(peerId) ?? false
  }

  /** Protocols are those that this node speaks. */
  #note(protocol: string | undefined, how: 'received' | 'sent', bytes: number): void {
    if (protocol === undefined) return
    const key = `${protocol} ${how}`
    this.#protocols.set(key, (this.#protocols.get(key) ?? 0) + bytes)
  }

  #of(peerId: string): Counts {
    const counts = this.#peers.get(peerId) ?? { bytesIn: 0, bytesOut: 0, faults: 0 }
    // a map keeps the order of insertion: what is used goes to the end
    this.#peers.delete(peerId)
    this.#peers.set(peerId, counts)
    if (this.#peers.size > PEERS_MAX) this.#peers.delete(this.#peers.keys().next().value as string)
    return counts
  }
}
