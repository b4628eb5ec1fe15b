// Three nodes in a line, of which none knows what a later version writes: it passes through them
// unharmed, byte for byte, by pushes as well as by exchanges.

import { afterEach, beforeEach, expect, test } from 'vitest'
import { EntriesClient } from '../../../protocols/entries/request.ts'
import { decodeEntry, encodeEntry, KIND_RECORD } from '../../../protocols/entry.ts'
import { ENTRIES_ID } from '../../../protocols/ids.ts'
import { versionAt } from '../../../protocols/version.ts'
import { silentLog } from '../../../src/base/log.ts'
import { openTables } from '../../../src/index/tables.ts'
import { IndexSync } from '../../../src/index-sync/index-sync.ts'
import { MemoryNetwork } from '../../../src/network/memory-network.ts'
import { MemoryWire } from '../../../src/network/memory-wire.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { imageEntry } from '../../support/memory-entries.ts'
import { openMemoryIndex, type TestIndex } from '../../support/open-index.ts'
import { SeededChance } from '../../support/seeded-chance.ts'

const NOW_MS = 1_700_000_000_000
const never = new AbortController().signal

/** Field 200 as bytes, field 201 as a number: nobody knows them. */
const LATER_FIELDS = Buffer.from('c20c03616263c80cb960', 'hex')

const withFields = (raw: Uint8Array) => Buffer.concat([raw, LATER_FIELDS])
const record = (kind: number, path: string) =>
  encodeEntry({
    ...{ kind, path, deleted: false, version: versionAt(NOW_MS), writer: 'newer' },
    ...{ bytes: 0, mediaType: '', createdMs: NOW_MS, value: Uint8Array.of(1, 2, 3) }
  })

const image = imageEntry('a.png', versionAt(NOW_MS), { writer: 'newer' })
const LATER: readonly Uint8Array[] = [
  withFields(image.raw),
  withFields(imageEntry('b.png', versionAt(NOW_MS), { deleted: true, writer: 'newer' }).raw),
  withFields(record(KIND_RECORD, 'member/newer').raw),
  record(3, 'of a later kind').raw,
  withFields(record(4_000_000_000, 'of a much later kind').raw),
  // a field that is known, once more: the author's way to write it stays
  Buffer.concat([image.raw.subarray(0, 2), imageEntry('c.png', versionAt(NOW_MS)).raw])
]

interface Node {
  readonly network: MemoryNetwork
  readonly test: TestIndex
  readonly sync: IndexSync
}

let clock: ManualClock
let wire: MemoryWire
let nodes: Node[]

beforeEach(async () => {
  clock = new ManualClock(NOW_MS)
  wire = new MemoryWire({ clock, random: new SeededChance(1) }, { delayMs: [1, 1] })
  nodes = []
  for (const id of ['a', 'b', 'c']) nodes.push(await start(id))
})

afterEach(() =>
  clock.run(async () => {
    for (const { sync, network, test } of nodes) {
      await sync.stop()
      await network.stop()
      await test.close()
    }
  })
)

async function start(id: string): Promise<Node> {
  const test = await openMemoryIndex(id)
  const network = new MemoryNetwork({ wire, log: silentLog }, { id })
  const sync = new IndexSync({
    ...{ network, index: test.index, clock, random: new SeededChance(2), log: silentLog },
    wants: async () => ({ wantsFiles: 0, wantsBytes: 0, wantRanges: [] }),
    onMerged: () => {},
    members: async () => new Map(),
    wasRemoved: () => false,
    hasRecord: () => true,
    reportMsMax: 60_000
  })
  await network.start()
  return { network, test, sync }
}

async function connect(from: number, to: number): Promise<void> {
  const [one, other] = [nodes[from] as Node, nodes[to] as Node]
  await one.network.dial(other.network.addresses(), never)
}

/** A node of a later version tells the first one. */
async function tell(entries: readonly Uint8Array[]): Promise<void> {
  const newer = new MemoryNetwork({ wire, log: silentLog }, { id: 'newer' })
  await newer.start()
  await newer.dial((nodes[0] as Node).network.addresses(), never)
  const client = new EntriesClient(await newer.open('a', ENTRIES_ID, never))
  expect(await client.push(entries, [], never)).toMatchObject({ accepted: entries.length })
  await client.end(never)
  await newer.stop()
}

/** As they lie in the index, in hex. */
async function rawsOf({ test }: Node): Promise<string[]> {
  const { entry } = await openTables(test.database)
  const rows = (await entry.values().all()) as Uint8Array[]
  return rows.map((raw) => Buffer.from(raw).toString('hex')).sort()
}

async function expectEverywhere(entries: readonly Uint8Array[]): Promise<void> {
  const wanted = entries.map((raw) => Buffer.from(raw).toString('hex')).sort()
  for (const node of nodes) expect(await rawsOf(node)).toEqual(wanted)
  const [first, ...others] = nodes.map(({ test }) => test.index.root())
  for (const other of others) expect(other).toEqual(first)
}

const pause = (ms: number) => new Promise<void>((resolve) => clock.after(ms, resolve))

test('each of these is read by this version, and is none of its own', () => {
  for (const raw of LATER) expect(decodeEntry(raw).raw).toEqual(raw)
})

test('by pushes', () =>
  clock.run(async () => {
    await connect(0, 1)
    await connect(1, 2)
    await pause(3000) // the exchanges of new connections are over
    await tell(LATER)
    await pause(500)
    await expectEverywhere(LATER)
  }))

test('by exchanges', () =>
  clock.run(async () => {
    await tell(LATER)
    await connect(0, 1)
    await pause(3000)
    await connect(2, 1)
    await pause(3000)
    await expectEverywhere(LATER)
  }))

test('and what a later version replaces goes, and comes back no more', () =>
  clock.run(async () => {
    await tell(LATER)
    await connect(0, 1)
    await connect(1, 2)
    await pause(3000)
    const newer = LATER.map((raw) => {
      const { raw: _, id, ...fields } = decodeEntry(raw)
      return withFields(encodeEntry({ ...fields, version: versionAt(NOW_MS + 1000) }).raw)
    })
    await tell(newer)
    await pause(500)
    await expectEverywhere(newer)
  }))
