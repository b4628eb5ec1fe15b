// One libp2p connection with a peer: its open streams, and the signs of life that came over it.

import type { Connection, Stream } from '@libp2p/interface'
import type { ByteStream } from '../../protocols/byte-stream.ts'
import type { Clock } from '../base/clock.ts'
import type { CounterTable } from './counters.ts'
import type { ConnectedPeer } from './network.ts'
import { adaptStream } from './stream-adapter.ts'

const PING_ID = '/ipfs/ping/1.0.0'
export const PING_BYTES = 32

export class TooManyStreams extends Error {}

export class PeerLink {
  readonly connection: Connection
  readonly peer: ConnectedPeer
  readonly #counters: CounterTable
  readonly #clock: Pick<Clock, 'monotonicMs'>
  readonly #streams = new Set<ByteStream>()
  /** Streams that were opened here and have not closed, by protocol. */
  readonly #opened = new Map<string, number>()
  #signsOfLife = 0
  #pinging = false
  #latencyMs: number | undefined

  constructor(
    connection: Connection,
    counters: CounterTable,
    clock: Pick<Clock, 'now' | 'monotonicMs'>,
    isFormer = false
  ) {
    this.connection = connection
    this.#counters = counters
    this.#clock = clock
    const latencyMs = () => this.#latencyMs
    this.peer = {
      id: connection.remotePeer.toString(),
      address: connection.remoteAddr.toString(),
      dialled: connection.direction === 'outbound',
      sinceMs: clock.now(),
      isFormer,
      get latencyMs() {
        return latencyMs()
      }
    }
  }

  /** Whether a stream of ours is open on it, in either direction. */
  get busy(): boolean {
    return this.#streams.size > 0
  }

  /** How often anything came from the other side: more than before, and it is alive. */
  get signsOfLife(): number {
    return this.#signsOfLife
  }

  /** Opens a stream. Throws TooManyStreams if `streamsMax` of its protocol are open from here. */
  async open(protocolId: string, streamsMax: number, signal: AbortSignal): Promise<ByteStream> {
    const opened = this.#opened.get(protocolId) ?? 0
    if (opened >= streamsMax) throw new TooManyStreams()
    this.#opened.set(protocolId, opened + 1)
    const closed = () => this.#opened.set(protocolId, (this.#opened.get(protocolId) ?? 1) - 1)
    try {
      const stream = await this.connection.newStream(protocolId, { signal })
      // the limit of the other side shows only now
      if (stream.status !== 'open') throw new Error('the other side refused the stream')
      if (signal.aborted) stream.abort(new Error('nobody waits for the stream any more'))
      signal.throwIfAborted()
      stream.addEventListener('close', closed)
      return this.adopt(stream)
    } catch (error) {
      closed()
      throw error
    }
  }

  /** Takes over a stream of this connection and counts its bytes. */
  adopt(stream: Stream): ByteStream {
    const { id } = this.peer
    const { protocol } = stream
    const adapted = adaptStream(stream, {
      received: (bytes) => {
        this.#signsOfLife++
        this.#counters.received(id, bytes, protocol)
      },
      sent: (bytes, waited) => {
        if (waited) this.#signsOfLife++
        this.#counters.sent(id, bytes, protocol)
      }
    })
    if (stream.status === 'open') {
      this.#streams.add(adapted)
      stream.addEventListener('close', () => this.#streams.delete(adapted))
    }
    return adapted
  }

  /** Resolves when the other side has answered. Throws if it does not speak with us. */
  async ping(payload: Uint8Array, signal?: AbortSignal): Promise<void> {
    const stream = await this.connection.newStream(PING_ID, signal === undefined ? {} : { signal })
    const ping = adaptStream(stream, {
      received: () => {
        this.#signsOfLife++
      },
      sent: () => {}
    })
    const giveUp = () => ping.abort(new Error('the ping was given up'))
    signal?.addEventListener('abort', giveUp)
    try {
      const beganMs = this.#clock.monotonicMs()
      let answered = false
      await ping.write(payload.subarray(0, PING_BYTES))
      // ended only after the echo: one that has ended before its handler runs is never closed
      for await (const _ of ping.source) {
        if (!answered) this.#latencyMs = this.#clock.monotonicMs() - beganMs
        answered = true
        await ping.end()
      }
    } finally {
      signal?.removeEventListener('abort', giveUp)
    }
  }

  /** Pings unless a ping is under way; what comes of it is a sign of life. */
  pingQuietly(payload: Uint8Array): void {
    if (this.#pinging) return
    this.#pinging = true
    this.ping(payload)
      .catch(() => {})
      .finally(() => {
        this.#pinging = false
      })
  }

  abortStreams(error: Error): void {
    for (const stream of this.#streams) stream.abort(error)
  }

  /** Closes the connection when what was written is on its way. Open streams break. */
  async close(error: Error): Promise<void> {
    // closing a connection would end its streams as if they were complete
    this.abortStreams(error)
    try {
      await this.connection.close()
    } catch (cause) {
      this.connection.abort(cause instanceof Error ? cause : error)
    }
  }
}
