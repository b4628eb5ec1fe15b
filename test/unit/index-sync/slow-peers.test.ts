import { afterEach, beforeEach, expect, test } from 'vitest'
import { PAGE_ENTRIES_MAX } from '../../../protocols/entries/limits.ts'
import { entriesProtocol } from '../../../protocols/entries/serve.ts'
import { versionAt } from '../../../protocols/version.ts'
import { sleep } from '../../../src/base/clock.ts'
import { silentLog } from '../../../src/base/log.ts'
import { IndexSync } from '../../../src/index-sync/index-sync.ts'
import { MemoryNetwork } from '../../../src/network/memory-network.ts'
import { MemoryWire } from '../../../src/network/memory-wire.ts'
import { imageEntry, MemoryEntries } from '../../support/memory-entries.ts'
import { openMemoryIndex, type TestIndex } from '../../support/open-index.ts'
import { SeededChance } from '../../support/seeded-chance.ts'

const MINUTE_MS = 60_000
const NOW_MS = 1_700_000_000_000
const signal = new AbortController().signal
const entries = Array.from({ length: 3 * PAGE_ENTRIES_MAX }, (_, n) =>
  imageEntry(`${n}.png`, versionAt(NOW_MS - 1000))
)

let node: TestIndex
let sync: IndexSync
let networks: MemoryNetwork[]
let pages: number

/** A peer of which each page takes so long. */
async function meet(pageMs: number) {
  const { clock, index } = node
  const wire = new MemoryWire({ clock, random: new SeededChance(1) })
  class Slow extends MemoryEntries {
    override async *range(...about: Parameters<MemoryEntries['range']>) {
      pages++
      await sleep(clock, pageMs, signal)
      yield* super.range(...about)
    }
  }
  const [own, peer] = ['own', 'p'].map((id) => new MemoryNetwork({ wire, log: silentLog }, { id }))
  networks = [own as MemoryNetwork, peer as MemoryNetwork]
  const source = new Slow(entries)
  networks[1]?.handle({
    ...{ id: entriesProtocol.id, streamsMax: 8 },
    serve: (stream) => entriesProtocol.serve(stream, source, 'own')
  })
  sync = new IndexSync({
    ...{ network: networks[0] as MemoryNetwork, index, clock, log: silentLog },
    ...{ random: new SeededChance(1), onMerged: () => {}, reportMsMax: MINUTE_MS },
    wants: async () => ({ wantsFiles: 0, wantsBytes: 0, wantRanges: [] }),
    ...{ members: async () => new Map(), wasRemoved: () => false, hasRecord: () => true }
  })
  for (const network of networks) await network.start()
  await clock.run(() => (networks[0] as MemoryNetwork).dial(['/memory/p'], signal))
}

beforeEach(async () => {
  pages = 0
  node = await openMemoryIndex('own')
})
afterEach(async () => {
  await node.clock.run(() => sync.stop())
  for (const network of networks) await node.clock.run(() => network.stop())
  await node.close()
})

test('an exchange that goes on may take as long as it takes', async () => {
  await meet(4 * MINUTE_MS)
  await node.clock.run(() => sync.compare('p'))
  expect(node.index.root().live).toBe(entries.length)
  expect(pages).toBe(4)
})

test('one that does not is broken off', async () => {
  await meet(60 * MINUTE_MS)
  const begunMs = node.clock.monotonicMs()
  await node.clock.run(() => sync.compare('p'))
  expect(node.clock.monotonicMs() - begunMs).toBeLessThan(25 * MINUTE_MS) // begun twice
  expect(node.index.root().live).toBe(0)
})
