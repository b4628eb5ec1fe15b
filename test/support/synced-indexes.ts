// Indexes in memory that push and compare, over the network of the simulation, all with all.

import { type Log, silentLog } from '../../src/base/log.ts'
import { hasRecord, memberDatabases, wasRemoved } from '../../src/flows/members.ts'
import { IndexSync } from '../../src/index-sync/index-sync.ts'
import { MemoryNetwork } from '../../src/network/memory-network.ts'
import { MemoryWire } from '../../src/network/memory-wire.ts'
import { ManualClock } from './manual-clock.ts'
import { openMemoryIndex, type TestIndex } from './open-index.ts'
import { SeededChance } from './seeded-chance.ts'

export interface SyncedIndex extends TestIndex {
  readonly sync: IndexSync
  readonly network: MemoryNetwork
}

export class SyncedIndexes {
  readonly clock: ManualClock
  /** What was logged at level debug or warn. */
  readonly lines: { readonly level: string; readonly about: object }[] = []
  readonly #wire: MemoryWire
  readonly #opened: SyncedIndex[] = []

  constructor(nowMs?: number) {
    this.clock = new ManualClock(nowMs)
    this.#wire = new MemoryWire({ clock: this.clock, random: new SeededChance(1) }, {})
  }

  async join(id: string): Promise<SyncedIndex> {
    const { clock } = this
    const test = await openMemoryIndex(id, clock)
    const note = (level: string) => (about: object) => this.lines.push({ level, about })
    const log = { ...silentLog, warn: note('warn'), debug: note('debug') } as unknown as Log
    const network = new MemoryNetwork({ wire: this.#wire, log: silentLog }, { id })
    const sync = new IndexSync({
      ...{ network, index: test.index, clock, log, random: new SeededChance(1) },
      ...{ members: memberDatabases, wasRemoved, hasRecord },
      ...{ onMerged: () => {}, reportMsMax: 86_400_000 },
      wants: async () => ({ wantsFiles: 0, wantsBytes: 0, wantRanges: [] })
    })
    await network.start()
    const joined = { ...test, sync, network }
    for (const { network: other } of this.#opened) {
      const { signal } = new AbortController()
      await clock.run(() => network.dial(other.addresses(), signal))
    }
    this.#opened.push(joined)
    await clock.pass(60_000) // both have compared
    return joined
  }

  async close(): Promise<void> {
    for (const { sync, network, close } of this.#opened.splice(0)) {
      await this.clock.run(() => sync.stop())
      await this.clock.run(() => network.stop())
      await close()
    }
  }
}
