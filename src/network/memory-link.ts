// One connection of a simulation. Each side may see it as lost at another time.

import type { ByteStream } from '../../protocols/byte-stream.ts'
import type { Clock, Random } from '../base/clock.ts'
import type { Door } from './admission.ts'
import { type MemoryPair, memoryPair, type Travel } from './memory-stream.ts'
import type { StreamMeter } from './stream-adapter.ts'

export type Refusal = 'gone' | 'unknown' | 'busy'

export interface LinkMeter extends StreamMeter {
  closed(): void
}

/** What a node shows the wire. */
export interface WireNode {
  readonly id: string
  /** Where it is found; a name of any kind. */
  readonly place: string
  /** Nodes with no common one can't finish a handshake. */
  doors(): readonly Door[]
  admits(peerId: string): boolean
  up(link: MemoryLink): void
  down(link: MemoryLink): void
  /** Whether it serves one more stream of the protocol; undefined if it does. */
  accept(link: MemoryLink, protocolId: string): Refusal | undefined
  meter(link: MemoryLink, key: string): LinkMeter
  serve(link: MemoryLink, protocolId: string, stream: ByteStream): void
}

export interface LinkParts {
  readonly clock: Clock
  readonly random: Random
  readonly bufferBytes: number
  /** Whether streams of one connection overtake each other. */
  readonly overtake: boolean
  /** What the next piece takes. The connection may break with it. */
  travelMs(link: MemoryLink): number
}

/** What is sent in one of these arrives in order. */
interface Lane {
  /** When its last piece arrives. */
  arrivalMs: number
}

export class MemoryLink {
  /** The one that dialled comes first. */
  readonly nodes: readonly [WireNode, WireNode]
  /** Which of the doors it came by. */
  readonly door: string
  readonly #parts: LinkParts
  readonly #pairs = new Map<MemoryPair, WireNode>()
  readonly #open: Set<WireNode>
  readonly #lanes = new Map<WireNode, Lane>()
  #stalled = false

  constructor(parts: LinkParts, from: WireNode, to: WireNode, door: string) {
    this.#parts = parts
    this.door = door
    this.nodes = [from, to]
    this.#open = new Set(this.nodes)
  }

  /** Whether it works for both sides. */
  get whole(): boolean {
    return this.#open.size === this.nodes.length && !this.#stalled
  }

  get gone(): boolean {
    return this.#open.size === 0
  }

  has(id: string): boolean {
    return this.nodes.some((node) => node.id === id)
  }

  openFor(node: WireNode): boolean {
    return this.#open.has(node)
  }

  other(node: WireNode): WireNode {
    const [from, to] = this.nodes
    return node === from ? to : from
  }

  /** A stream that the other side serves. Rejects if it refuses; then nothing is left. */
  async openStream(
    opener: WireNode,
    protocolId: string,
    meter: LinkMeter,
    signal: AbortSignal
  ): Promise<ByteStream> {
    const other = this.other(opener)
    await this.pass(opener, signal)
    const refusal = other.accept(this, protocolId)
    if (refusal !== undefined) {
      await this.pass(other, signal)
      throw refused(refusal)
    }
    const meters = [meter, other.meter(this, `in ${protocolId}`)] as const
    let open = 2
    const pair = memoryPair([this.#travel(opener), this.#travel(other)], meters, (side) => {
      meters[side].closed()
      if (--open === 0) this.#pairs.delete(pair)
    })
    this.#pairs.set(pair, opener)
    const [own, served] = pair.sides
    other.serve(this, protocolId, served)
    try {
      await this.pass(other, signal)
    } catch (error) {
      own.abort(new Error('nobody waits for the stream any more'))
      throw error
    }
    return own
  }

  /** Resolves when something said by `from` has reached the other side; never if it does not. */
  pass(from: WireNode, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) reject(signal.reason)
      const onAbort = () => reject(signal.reason)
      signal.addEventListener('abort', onAbort, { once: true })
      this.#send(this.#laneOf(from), () => {
        signal.removeEventListener('abort', onAbort)
        resolve()
      })
    })
  }

  /** Nothing arrives any more. */
  stall(): void {
    this.#stalled = true
  }

  /** False if the node had lost it before. */
  lose(node: WireNode): boolean {
    if (!this.#open.delete(node)) return false
    const error = new Error('the stream broke: its connection was lost')
    for (const [pair, opener] of this.#pairs) pair.break(node === opener ? 0 : 1, error)
    return true
  }

  #travel(from: WireNode): Travel {
    const { random, bufferBytes } = this.#parts
    const lane = this.#laneOf(from)
    return { random, bufferBytes, send: (task) => this.#send(lane, task) }
  }

  #laneOf(from: WireNode): Lane {
    const lane = (!this.#parts.overtake && this.#lanes.get(from)) || { arrivalMs: 0 }
    this.#lanes.set(from, lane)
    return lane
  }

  #send(lane: Lane, task: () => void): void {
    const { clock, travelMs } = this.#parts
    const nowMs = clock.monotonicMs()
    lane.arrivalMs = Math.max(nowMs + travelMs(this), lane.arrivalMs)
    clock.after(lane.arrivalMs - nowMs, () => {
      if (!this.#stalled) task()
    })
  }
}

/** For the deadline of the one who waits. */
export function never(): Promise<never> {
  return new Promise(() => {})
}

function refused(why: Refusal): Error {
  const error = new Error(`the other side refused the stream: ${why}`)
  if (why === 'unknown') error.name = 'UnsupportedProtocolError'
  return error
}
