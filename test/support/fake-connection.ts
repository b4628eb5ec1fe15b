// A libp2p connection whose other side is a test.

import type { Connection, Stream } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { FakeStream } from './fake-stream.ts'
import { settled } from './microtasks.ts'

export class FakeConnection {
  readonly remotePeer: { toString(): string }
  readonly remoteAddr = multiaddr('/ip4/192.168.7.9/tcp/4001')
  readonly direction: 'inbound' | 'outbound'
  /** Streams that were opened over it, and that it has not answered. */
  readonly streams: FakeStream[] = []
  status = 'open'
  closed = 0
  fault: Error | undefined

  constructor(peerId: string, direction: 'inbound' | 'outbound') {
    this.remotePeer = { toString: () => peerId }
    this.direction = direction
  }

  get asConnection(): Connection {
    return this as unknown as Connection
  }

  async newStream(): Promise<Stream> {
    const stream = new FakeStream()
    this.streams.push(stream)
    return stream.asStream
  }

  /** The other side answers what it was pinged with. */
  async answer(): Promise<void> {
    await settled()
    for (const stream of this.streams.splice(0)) {
      stream.receive(Buffer.concat(stream.sent))
      await settled()
      stream.receiveEnd()
    }
  }

  async close(): Promise<void> {
    this.closed++
  }

  abort(error: Error): void {
    this.fault ??= error
  }
}
