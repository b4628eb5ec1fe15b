// What an exchange costs where little or nothing differs, between two large indexes on disk and
// over libp2p on 127.0.0.1.

import { exchange } from '../../../protocols/entries/exchange.ts'
import { EntriesClient } from '../../../protocols/entries/request.ts'
import { entriesProtocol } from '../../../protocols/entries/serve.ts'
import type { Entry } from '../../../protocols/entry.ts'
import { ENTRIES_ID } from '../../../protocols/ids.ts'
import type { ImageIndex } from '../../../src/index/image-index.ts'
import { NETWORK_WORLDS } from '../../support/network-worlds.ts'
import type { Workbench } from '../../support/real-node.ts'
import { printTable, short } from '../support/figures.ts'
import { type Making, madeEntry } from './made-entries.ts'
import { copyIndex, mergeAll, openAt } from './seed.ts'

const DIFFERENCES = 1000
const STEP = 7919
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
      'requests',
      'bytes asked',
      'bytes answered',
      'entries come',
      'entries gone'
    ]
  ]
  const compare = async (what: string) => rows.push([what, ...(await pair.compare())])
  await compare('nothing, first request of the stream')
  await compare('nothing')
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
  b.handle({
    id: ENTRIES_ID,
    streamsMax: entriesProtocol.limits.streamsMax,
    serve: (stream) => entriesProtocol.serve(stream, sourceOf(there), a.id)
  })
  await a.start()
  await b.start()
  await a.dial(b.addresses(), never)
  return {
    async compare(): Promise<(string | number)[]> {
      const before = a.traffic()
      const begun = performance.now()
      const client = new EntriesClient(await a.open(b.id, ENTRIES_ID, never))
      const apply = (entries: readonly Entry[]) => merge(here, entries)
      const done = await exchange(here.tree, client, apply, never)
      await client.end(never)
      const ms = performance.now() - begun
      if (!done.equal) throw new Error('the two are not the same')
      const { bytesIn, bytesOut } = a.traffic()
      const bytes = [bytesOut - before.bytesOut, bytesIn - before.bytesIn]
      return [short(ms), done.rounds, ...bytes, done.received, done.sent]
    },
    stop: () => world.stop()
  }
}

function sourceOf(index: ImageIndex) {
  const { tree } = index
  return {
    node: tree.node.bind(tree),
    children: tree.children.bind(tree),
    pairs: tree.pairs.bind(tree),
    range: tree.range.bind(tree),
    fetch: tree.fetch.bind(tree),
    push: (entries: readonly Entry[]) => merge(index, entries),
    status: () => ({ root: index.root(), wantsFiles: 0, wantsBytes: 0, wantRanges: [] })
  }
}

async function merge(index: ImageIndex, entries: readonly Entry[]): Promise<void> {
  await index.change((tx) => entries.filter((entry) => tx.merge(entry, 'peer')))
}
