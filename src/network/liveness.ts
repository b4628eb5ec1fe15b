// Notices peers that went away without a word: a machine that lost power, a cable that was pulled.

import type { Clock, Random } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { type Loop, startLoop } from '../base/loop.ts'
import type { PeerLink } from './peer-link.ts'

const TICK_MS = 5_000
/**
 * After so many ticks without a sign of life a connection is given up. Ticks and not time: a node
 * that was stopped for a while itself must not take all others for dead. Bytes of any stream are a
 * sign of life, since a ping may wait behind them on a slow line.
 */
const SILENT_TICKS_MAX = 3
const PING_BYTES = 32
/** After so many ticks all are pinged: the round trip of those that are busy is shown too. */
const MEASURE_TICKS = 12

export interface LivenessParts {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  links(): readonly PeerLink[]
}

export function startLiveness({ clock, random, log, links }: LivenessParts): Loop {
  const known = new WeakMap<PeerLink, { readonly signs: number; readonly silent: number }>()
  let tick = 0
  return startLoop(
    { clock, log },
    { name: 'liveness', firstMs: TICK_MS, everyMs: TICK_MS },
    async () => {
      tick++
      for (const link of links()) {
        const before = known.get(link)
        const signs = link.signsOfLife
        const silent = before?.signs === signs ? before.silent + 1 : 0
        known.set(link, { signs, silent })
        if (silent > SILENT_TICKS_MAX) {
          log.info({ peer: link.peer.id }, 'a node does not answer any more: connection given up')
          link.connection.abort(new Error('the other side does not answer'))
        } else if (silent > 0 || tick % MEASURE_TICKS === 0) {
          link.pingQuietly(random.bytes(PING_BYTES))
        }
      }
    }
  )
}
