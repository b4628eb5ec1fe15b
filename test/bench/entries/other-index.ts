// The other one of two large indexes, in a process of its own: node other-index.ts FOLDER. Does
// what it is told by messages, and answers each with what it has used of the processors so far.

import { systemClock, systemRandom } from '../../../src/base/clock.ts'
import { silentLog } from '../../../src/base/log.ts'
import type { ImageIndex } from '../../../src/index/image-index.ts'
import { IndexSync } from '../../../src/index-sync/index-sync.ts'
import type { Network } from '../../../src/network/network.ts'
import { NETWORK_WORLDS } from '../../support/network-worlds.ts'
import { type Making, madeEntry } from './made-entries.ts'
import { mergeAll, openAt } from './seed.ts'

/** Entries to be merged: the n-th, or its tombstone. */
export type ToMerge = readonly {
  readonly n: number
  readonly making: Making
  readonly deletedAt?: number
}[]

export interface Answer {
  readonly cpuMs: number
  readonly id: string
  readonly addresses: readonly string[]
}

const NO_WANTS = { wantsFiles: 0, wantsBytes: 0, wantRanges: [] }

export function mergeMade(index: ImageIndex, entries: ToMerge): Promise<void> {
  return mergeAll(
    index,
    entries.map(({ n, making, deletedAt }) => madeEntry(n, making, deletedAt).raw)
  )
}

/** As a node compares its index with others. */
export function syncOf(network: Network, index: ImageIndex, log = silentLog): IndexSync {
  const members = { members: async () => new Map(), wasRemoved: () => false, hasRecord: () => true }
  const base = { clock: systemClock, random: systemRandom, ...members }
  const rest = { wants: async () => NO_WANTS, onMerged: () => {}, reportMsMax: 60_000 }
  return new IndexSync({ ...base, ...rest, network, index, log })
}

async function run(folder: string): Promise<void> {
  const index = await openAt(folder)
  const world = NETWORK_WORLDS.libp2p()
  const network = await world.node()
  const sync = syncOf(network, index)
  await network.start()
  process.on('message', async (told: ToMerge | 'cpu' | 'end') => {
    if (told === 'end') {
      await sync.stop()
      await world.stop()
      await index.close()
      process.disconnect()
      return
    }
    if (told !== 'cpu') await mergeMade(index, told)
    const { user, system } = process.cpuUsage()
    const answer: Answer = {
      ...{ cpuMs: (user + system) / 1000, id: network.id },
      addresses: network.addresses()
    }
    process.send?.(answer)
  })
}

const [, script, folder] = process.argv
if (script === import.meta.filename && folder !== undefined) await run(folder)
