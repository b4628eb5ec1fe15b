// What nodes say of themselves when they meet, and what was heard.

import type { Heard, Hello } from '../../protocols/hello/hello.ts'
import { ADDRESSES_MAX } from '../../protocols/hello/limits.ts'
import { requestHello } from '../../protocols/hello/request.ts'
import { type HelloSource, helloProtocol } from '../../protocols/hello/serve.ts'
import { BLOBS_ID, ENTRIES_ID, HELLO_ID, SECRET_ID } from '../../protocols/ids.ts'
import type { FlowParts } from '../flows/parts.ts'
import type { Network } from '../network/network.ts'

const HELLO_MS_MAX = 10_000

export interface GreetingParts {
  readonly network: Network
  readonly flows: Pick<FlowParts, 'clock' | 'index'>
  /** What this node says of itself, but for what follows from its parts. */
  readonly about: () => Omit<Hello, 'protocols' | 'addresses' | 'hasImages' | 'clusterIds'>
  readonly clusterIds: () => readonly string[]
  /** Hears what a peer says of itself; must not throw. */
  readonly onHeard: (peerId: string, hello: Heard) => void
}

export class Greetings {
  readonly #parts: GreetingParts
  readonly #heard = new Map<string, Heard>()
  readonly #greeting = new Map<string, Promise<Heard>>()
  readonly #stopped = new AbortController()
  readonly #self: HelloSource

  constructor(parts: GreetingParts) {
    this.#parts = parts
    this.#self = {
      hello: () => this.#hello(),
      heard: (hello, from) => this.#hear(from, hello),
      now: () => parts.flows.clock.now()
    }
    parts.network.handle({
      id: HELLO_ID,
      streamsMax: helloProtocol.limits.streamsMax,
      serve: (stream, { id }) => helloProtocol.serve(stream, this.#self, id)
    })
    parts.network.onPeer(({ id }, event) => {
      if (event === 'down') this.#heard.delete(id)
    })
  }

  /** What a connected peer said last; undefined if it has not. */
  heard(peerId: string): Heard | undefined {
    return this.#heard.get(peerId)
  }

  /**
   * Says hello to a peer, once at a time. Errors: PEER_UNREACHABLE, and those of requestHello.
   */
  greet(peerId: string): Promise<Heard> {
    let greeting = this.#greeting.get(peerId)
    if (greeting === undefined) {
      greeting = this.#greet(peerId).finally(() => this.#greeting.delete(peerId))
      this.#greeting.set(peerId, greeting)
    }
    return greeting
  }

  /** After one that is under way, which may have said what holds no more. */
  async greetAnew(peerId: string): Promise<Heard> {
    await this.#greeting.get(peerId)?.catch(() => {})
    return this.greet(peerId)
  }

  stop(): void {
    this.#stopped.abort(new Error('the node is stopping'))
  }

  async #greet(peerId: string): Promise<Heard> {
    const { network, flows } = this.#parts
    const late = new AbortController()
    const cancel = flows.clock.after(HELLO_MS_MAX, () => late.abort(new Error('no answer')))
    const signal = AbortSignal.any([late.signal, this.#stopped.signal])
    try {
      const stream = await network.open(peerId, HELLO_ID, signal)
      const hello = await requestHello(stream, this.#hello(), this.#self.now, signal)
      this.#hear(peerId, hello)
      return hello
    } finally {
      cancel()
    }
  }

  #hello(): Hello {
    const { network, flows, about, clusterIds } = this.#parts
    return {
      ...about(),
      protocols: [HELLO_ID, SECRET_ID, ENTRIES_ID, BLOBS_ID],
      addresses: network.addresses().slice(0, ADDRESSES_MAX),
      clusterIds: clusterIds(),
      hasImages: flows.index.counts().images > 0
    }
  }

  #hear(peerId: string, hello: Heard): void {
    // what a connection had delivered is read even after it is gone, and would never be forgotten
    if (!this.#parts.network.peers().some(({ id }) => id === peerId)) return
    this.#heard.set(peerId, hello)
    this.#parts.onHeard(peerId, hello)
  }
}
