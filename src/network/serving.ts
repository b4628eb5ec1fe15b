// Streams that others open, each given to its handler: what fails there is counted against the
// peer, and never more.

import type { Connection, Stream } from '@libp2p/interface'
import type { Libp2p } from 'libp2p'
import type { Log } from '../base/log.ts'
import type { CounterTable } from './counters.ts'
import type { ProtocolHandler } from './network.ts'
import type { PeerLink } from './peer-link.ts'

export interface ServingParts {
  readonly log: Log
  readonly counters: CounterTable
  readonly stopped: AbortSignal
  /** The link of a connection, which is up from now on: a stream is an answer as well. */
  enter(connection: Connection): PeerLink
}

export class Serving {
  readonly #parts: ServingParts
  readonly #running = new Set<Promise<void>>()

  constructor(parts: ServingParts) {
    this.#parts = parts
  }

  register(libp2p: Pick<Libp2p, 'handle'>, handler: ProtocolHandler): Promise<void> {
    const { id, streamsMax } = handler
    return libp2p.handle(
      id,
      (stream, connection) => {
        const serving = this.#serve(handler, stream, connection)
        this.#running.add(serving)
        serving.finally(() => this.#running.delete(serving))
      },
      { maxInboundStreams: streamsMax, maxOutboundStreams: streamsMax }
    )
  }

  /** Resolves when those that run now have ended. */
  async idle(): Promise<void> {
    await Promise.all(this.#running)
  }

  /** Never rejects. */
  async #serve(handler: ProtocolHandler, stream: Stream, connection: Connection): Promise<void> {
    const { log, counters, stopped, enter } = this.#parts
    const link = enter(connection)
    const adapted = link.adopt(stream)
    try {
      stopped.throwIfAborted()
      await handler.serve(adapted, link.peer)
      await adapted.end()
    } catch (error) {
      adapted.abort(error instanceof Error ? error : new Error(String(error)))
      if (stopped.aborted) return
      counters.fault(link.peer.id, error)
      log.debug({ err: error, peer: link.peer.id, protocol: handler.id }, 'a stream failed')
    }
  }
}
