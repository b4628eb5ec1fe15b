// What nodes say of themselves when they meet, and what was heard.

import type { Heard, Hello } from '../../protocols/hello/hello.ts'
import { ADDRESSES_MAX } from '../../protocols/hello/limits.ts'
import { requestHello } from '../../protocols/hello/request.ts'
import { type HelloSource, helloProtocol } from '../../protocols/hello/serve.ts'
import { BLOBS_ID, ENTRIES_ID, HELLO_ID } from '../../protocols/ids.ts'
import type { FlowParts } from '../flows/parts.ts'
import type { ConnectedPeer, Network } from '../network/network.ts'

const HELLO_MS_MAX = 10_000

export interface GreetingParts {
  readonly network: Network
  readonly flows: FlowParts
  /** What this node says of itself, but for what follows from its parts. */
  readonly about: () => Omit<Hello, 'protocols' | 'addresses' | 'hasImages'>
}

export interface Greetings {
  /** What a peer said last; undefined if it has not. */
  heard(peerId: string): Heard | undefined
  /** Says hello to a peer; a peer that does not answer is only logged. */
  greet(peer: ConnectedPeer): Promise<void>
  stop(): void
}

export function createGreetings({ network, flows, about }: GreetingParts): Greetings {
  const { clock, log, index } = flows
  const heard = new Map<string, Heard>()
  const stopped = new AbortController()
  const self: HelloSource = {
    hello: () => ({
      ...about(),
      protocols: [HELLO_ID, ENTRIES_ID, BLOBS_ID],
      addresses: network.addresses().slice(0, ADDRESSES_MAX),
      hasImages: index.counts().images > 0
    }),
    heard: (hello, from) => heard.set(from, hello),
    now: () => clock.now()
  }
  network.handle({
    id: HELLO_ID,
    streamsMax: helloProtocol.limits.streamsMax,
    serve: (stream, { id }) => helloProtocol.serve(stream, self, id)
  })
  return {
    heard: (peerId) => heard.get(peerId),
    async greet({ id }) {
      const late = new AbortController()
      const cancel = clock.after(HELLO_MS_MAX, () => late.abort(new Error('no answer')))
      const signal = AbortSignal.any([late.signal, stopped.signal])
      try {
        const stream = await network.open(id, HELLO_ID, signal)
        heard.set(id, await requestHello(stream, self.hello(), self.now, signal))
      } catch (error) {
        log.debug({ peer: id, err: error }, 'a peer did not answer a hello')
      } finally {
        cancel()
      }
    },
    stop: () => stopped.abort(new Error('the node is stopping'))
  }
}
