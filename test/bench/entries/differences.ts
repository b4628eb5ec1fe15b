// What an exchange costs where little or nothing differs, between two large indexes on disk and
// over libp2p on 127.0.0.1.

import { setTimeout as sleep } from 'node:timers/promises'
import type { Entry } from '../../../protocols/entry.ts'
import { systemClock, systemRandom } from '../../../src/base/clock.ts'
import { type Log, silentLog } from '../../../src/base/log.ts'
import type { ImageIndex } from '../../../src/index/image-index.ts'
import { IndexSync } from '../../../src/index-sync/index-sync.ts'
import { NETWORK_WORLDS } from '../../support/network-worlds.ts'
import type { Workbench } from '../../support/real-node.ts'
import { printTable, short } from '../support/figures.ts'
import { type Making, madeEntry } from './made-entries.ts'
import { copyIndex, mergeAll, openAt } from './seed.ts'

const DIFFERENCES = 1000
const STEP = 7919
/** By then both sides have compared for the first time. */
const CONNECTED_MS = 3000
const NO_WANTS = { wantsFiles: 0, wantsBytes: 0, wantRanges: [] }
const NOTHING_MOVED = { rounds: 1, received: 0, sent: 0 }
const never = new AbortController().signal

/** `folder`: that of an index with all the entries. */
export async function differences(bench: Workbench, folder: string, making: Making): Promise<void> {
  const [mine, theirs] = [bench.path('mine'), bench.path('theirs')]
  for (const copy of [mine, theirs]) copyIndex(folder, copy)
  const [here, there] = [await openAt(mine), await openAt(theirs)]
  const pair = await connect(here, there)
  const rows: (string | number)[][] = [
    [
      'what differs',
      'ms',
      'CPU ms of both',
      'requests',
      'bytes asked',
      'bytes answered',
      'entries come',
      'entries gone'
    ]
  ]
  const compare = async (what: string) => rows.push([what, ...(await pair.compare())])
  await compare('nothing')
  await compare('nothing, again')
  const some = Array.from({ length: DIFFERENCES }, (_, n) => (n * STEP) % making.count)
  await mergeEach(there, some, (n) => madeEntry(n, { ...making, series: 'more' }))
  await compare(`${DIFFERENCES} are missing here, of all times`)
  const newest = (n: number) => making.count + n
  await mergeEach(there, some, (_, n) => madeEntry(newest(n), { ...making, series: 'new' }))
  await compare(`${DIFFERENCES} are missing here, the newest`)
  await mergeEach(here, some, (_, n) => madeEntry(newest(n), { ...making, series: 'own' }))
  await compare(`${DIFFERENCES} are missing there, the newest`)
  const deletedAt = making.count + 2 * DIFFERENCES
  await mergeEach(there, some, (n, at) => madeEntry(n, making, deletedAt + at))
  await compare(`${DIFFERENCES} of all times were deleted there just now`)
  await compare('nothing')
  console.log(`two indexes of ${making.count} entries; bytes of streams, without encryption\n`)
  printTable(rows)
  await pair.stop()
  await here.close()
  await there.close()
}

async function mergeEach(
  index: ImageIndex,
  numbers: readonly number[],
  entryOf: (n: number, at: number) => Entry
): Promise<void> {
  await mergeAll(
    index,
    numbers.map((n, at) => entryOf(n, at).raw)
  )
}

async function connect(here: ImageIndex, there: ImageIndex) {
  const world = NETWORK_WORLDS.libp2p()
  const [a, b] = [await world.node(), await world.node()]
  let said = NOTHING_MOVED
  const log = {
    ...silentLog,
    info: (about: Partial<typeof NOTHING_MOVED>) => {
      if ('rounds' in about) said = { ...NOTHING_MOVED, ...about }
    }
  } as Log
  const members = { members: async () => new Map(), wasRemoved: () => false, hasRecord: () => true }
  const base = { clock: systemClock, random: systemRandom, ...members }
  const rest = { wants: async () => NO_WANTS, onMerged: () => {}, reportMsMax: 60_000 }
  const sync = new IndexSync({ ...base, ...rest, network: a, index: here, log })
  const other = new IndexSync({ ...base, ...rest, network: b, index: there, log: silentLog })
  await a.start()
  await b.start()
  await a.dial(b.addresses(), never)
  await sleep(CONNECTED_MS)
  return {
    async compare(): Promise<(string | number)[]> {
      said = NOTHING_MOVED
      const before = a.traffic()
      const used = process.cpuUsage()
      const begun = performance.now()
      await sync.compare(b.id)
      const ms = performance.now() - begun
      const { user, system } = process.cpuUsage(used)
      if (!sync.beliefs.report(b.id)?.equal) throw new Error('the two are not the same')
      const { bytesIn, bytesOut } = a.traffic()
      const bytes = [bytesOut - before.bytesOut, bytesIn - before.bytesIn]
      return [
        short(ms),
        short((user + system) / 1000),
        said.rounds,
        ...bytes,
        said.received,
        said.sent
      ]
    },
    async stop() {
      await Promise.all([sync.stop(), other.stop()])
      await world.stop()
    }
  }
}
