// Serves a protocol at one end of a stream in memory, as a network does.

import type { Protocol } from '../../protocols/protocol.ts'
import { type PairOptions, type StreamEnd, streamPair } from './stream-pair.ts'

export interface Served {
  /** The asking end. */
  readonly stream: StreamEnd
  readonly server: StreamEnd
  /** What `serve` came to: undefined, or what it threw. */
  readonly outcome: Promise<unknown>
}

export function servePair<Source>(
  protocol: Protocol<Source>,
  source: Source,
  options: PairOptions = {}
): Served {
  const { left, right } = streamPair(options)
  const outcome = protocol.serve(right, source, 'asker').then(
    () => undefined,
    (error: Error) => {
      right.abort(error)
      return error
    }
  )
  return { stream: left, server: right, outcome }
}

/** For calls that no test means to break off. */
export const never = new AbortController().signal
