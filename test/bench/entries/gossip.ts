// What one new entry costs a mesh on the wire, in the simulation: real sync and protocols over a
// network in memory, so that meshes of any size and shape fit one process.

import { EntriesClient } from '../../../protocols/entries/request.ts'
import { systemRandom } from '../../../src/base/clock.ts'
import { silentLog } from '../../../src/base/log.ts'
import { IndexSync } from '../../../src/index-sync/index-sync.ts'
import { MemoryNetwork } from '../../../src/network/memory-network.ts'
import { MemoryWire } from '../../../src/network/memory-wire.ts'
import { BreakableLevel } from '../../support/breakable-level.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { openIndexOver, type TestIndex } from '../../support/open-index.ts'
import { SeededChance } from '../../support/seeded-chance.ts'
import { printTable, short } from '../support/figures.ts'
import { madeEntry } from './made-entries.ts'

const ENTRIES = 64
const HEARD_MS = 2_000
const NO_WANTS = { wantsFiles: 0, wantsBytes: 0, wantRanges: [] }
const never = new AbortController().signal

interface Shape {
  readonly name: string
  readonly nodes: number
  /** Undefined: everybody is connected with everybody. */
  readonly neighbours?: number
}

const SHAPES: readonly Shape[] = [
  { name: 'full', nodes: 3 },
  { name: 'a line', nodes: 3, neighbours: 1 },
  { name: 'full', nodes: 10 },
  { name: '4 neighbours', nodes: 10, neighbours: 4 },
  { name: 'full', nodes: 50 },
  { name: '6 neighbours', nodes: 50, neighbours: 6 },
  { name: '12 neighbours', nodes: 200, neighbours: 12 }
]

interface GossipNode {
  readonly network: MemoryNetwork
  readonly index: TestIndex
  readonly sync: IndexSync
}

export async function gossip(): Promise<void> {
  const rows: string[][] = []
  for (const shape of SHAPES) {
    for (const atOnce of [1, 32]) rows.push(await spreadIn(shape, atOnce))
  }
  console.log(
    `${ENTRIES} new entries, each written by any node; per entry, all nodes together; bytes of streams\n`
  )
  const each = ['pushes a node', 'bytes', 'bytes a node', 'ms until the last has it']
  printTable([['nodes', 'mesh', 'at once', 'pushes', ...each], ...rows])
}

async function spreadIn({ name, nodes: count, neighbours }: Shape, atOnce: number) {
  const clock = new ManualClock()
  const chance = new SeededChance(count)
  const wire = new MemoryWire({ clock, random: chance })
  const nodes = await clock.run(async () => {
    const made: GossipNode[] = []
    for (let n = 0; n < count; n++) made.push(await makeNode(n, wire, clock))
    for (const [a, b] of linksOf(count, neighbours, chance)) {
      await made[a]?.network.dial(made[b]?.network.addresses() ?? [], never)
    }
    return made
  })
  await clock.pass(10_000)
  const pushes = countPushes()
  const bytesBefore = bytesOf(nodes)
  let [lastMs, waitedMs] = [0, 0]
  for (const { index } of nodes) {
    index.index.onNews(() => {
      lastMs = clock.monotonicMs()
    })
  }
  for (let n = 0; n < ENTRIES; n += atOnce) {
    const begunMs = clock.monotonicMs()
    await clock.run(() => write(nodes, n, atOnce, chance))
    await clock.pass(HEARD_MS)
    waitedMs += lastMs - begunMs
  }
  const [sent, bytes] = [pushes.stop() / ENTRIES, (bytesOf(nodes) - bytesBefore) / ENTRIES]
  const live = nodes.map(({ index }) => index.index.root().live)
  if (live.some((one) => one !== ENTRIES)) throw new Error(`not all have all: ${live}`)
  await clock.run(async () => {
    for (const { sync, network } of nodes) {
      await sync.stop()
      await network.stop()
    }
  })
  for (const { index } of nodes) await index.close()
  const figures = [sent, sent / count, bytes, bytes / count, (waitedMs * atOnce) / ENTRIES]
  return [String(count), name, String(atOnce), ...figures.map(short)]
}

async function write(
  nodes: readonly GossipNode[],
  first: number,
  count: number,
  chance: SeededChance
): Promise<void> {
  const at = nodes[Math.floor(chance.fraction() * nodes.length)] as GossipNode
  const writes = Array.from({ length: count }, (_, n) => {
    const entry = madeEntry(first + n, { count: ENTRIES, everyMs: 1 })
    const { path, hash, md5, bytes, mediaType, width, height, createdMs } = entry
    const about = { bytes, mediaType, width, height, createdMs }
    return at.index.index.change((tx) =>
      tx.putImage({ path, hash, md5, ...about } as Parameters<typeof tx.putImage>[0])
    )
  })
  await Promise.all(writes)
}

async function makeNode(n: number, wire: MemoryWire, clock: ManualClock): Promise<GossipNode> {
  const level = new BreakableLevel()
  await level.open()
  const id = `12D3KooWBenchBenchBenchBenchBenchBenchBenchBench${String(n).padStart(4, '0')}`
  const index = await openIndexOver(level.database, { writer: id, parts: { clock } })
  const network = new MemoryNetwork({ wire, log: silentLog }, { id })
  const sync = new IndexSync({
    ...{ network, clock, random: systemRandom, log: silentLog, index: index.index },
    members: async () => new Map(),
    wasRemoved: () => false,
    hasRecord: () => true,
    wants: async () => NO_WANTS,
    onMerged: () => {},
    reportMsMax: 60_000
  })
  await network.start()
  return { network, index, sync }
}

/** A ring, and chords of any length until each has about so many neighbours; or all pairs. */
function linksOf(count: number, neighbours: number | undefined, chance: SeededChance) {
  const links = new Map<string, readonly [number, number]>()
  const add = (a: number, b: number) => {
    if (a !== b) links.set([a, b].sort((x, y) => x - y).join(), [a, b])
  }
  if (neighbours === undefined) {
    for (let b = 1; b < count; b++) for (let a = 0; a < b; a++) add(a, b)
  } else if (neighbours === 1) {
    for (let b = 1; b < count; b++) add(b - 1, b)
  } else {
    for (let n = 0; n < count; n++) add(n, (n + 1) % count)
    while (links.size < (count * neighbours) / 2) {
      add(Math.floor(chance.fraction() * count), Math.floor(chance.fraction() * count))
    }
  }
  return links.values()
}

function bytesOf(nodes: readonly GossipNode[]): number {
  return nodes.reduce((sum, { network }) => sum + network.traffic().bytesOut, 0)
}

function countPushes(): { stop(): number } {
  const { push } = EntriesClient.prototype
  let count = 0
  EntriesClient.prototype.push = function (...given) {
    count++
    return push.apply(this, given)
  }
  return {
    stop() {
      EntriesClient.prototype.push = push
      return count
    }
  }
}
