// Whole nodes in one process: real index, flows, sync and protocols over a wire in memory that is
// cut, loses connections and delays, on one clock. When it is quiet again all have the same.
//   SEEDS=1-1000 npx vitest run test/sim

import { hash as digest } from 'node:crypto'
import { expect, test } from 'vitest'
import { parsePath } from '../../protocols/path.ts'
import { silentLog } from '../../src/base/log.ts'
import { remove } from '../../src/flows/remove.ts'
import { createMesh, type Mesh, remoteOf } from '../../src/mesh/mesh.ts'
import { createAdmission } from '../../src/network/admission.ts'
import { MemoryNetwork } from '../../src/network/memory-network.ts'
import { MemoryWire } from '../../src/network/memory-wire.ts'
import { auditIndex } from '../support/audit-index.ts'
import { ManualClock } from '../support/manual-clock.ts'
import {
  type MemoryNode,
  makeMemoryDisk,
  openMemoryNode,
  tinyImage
} from '../support/memory-node.ts'
import { seededRandom } from '../support/seeded-random.ts'

const [FIRST = 1, LAST = 25] = (process.env.SEEDS ?? '1-25').split('-').map(Number)
const SYNC = {
  enabled: true,
  batchSize: 10,
  syncIntervalMs: 5000,
  maxRetryAttempts: 3,
  retryDelayMs: 1000,
  verifyIntegrity: true
}
const STEP_MS = 20
const PATHS = ['a.svg', 'b.svg', 'dir/c.svg', 'dir/d.svg', 'e.svg']

interface SimNode {
  readonly id: string
  readonly node: MemoryNode
  readonly mesh: Mesh
}

class World {
  readonly clock = new ManualClock()
  readonly chance: () => number
  readonly wire: MemoryWire
  readonly nodes: SimNode[] = []

  constructor(seed: number) {
    this.chance = seededRandom(seed)
    const random = { bytes: (n: number) => this.#bytes(n), fraction: this.chance }
    const options = { delayMs: [0, 30] as const, dialLoss: 0.1 }
    this.wire = new MemoryWire({ clock: this.clock, random }, options)
  }

  #bytes(count: number): Uint8Array {
    return Uint8Array.from({ length: count }, () => Math.floor(this.chance() * 256))
  }

  below(n: number): number {
    return Math.floor(this.chance() * n)
  }

  async add(): Promise<void> {
    const id = `node-${this.nodes.length}`
    const disk = { ...(await makeMemoryDisk()), clock: this.clock }
    const opened = await openMemoryNode({ name: id, peerId: id, disk })
    const admission = createAdmission('sim', new Uint8Array(32))
    const network = new MemoryNetwork({ wire: this.wire, log: silentLog }, { id, admission })
    let mesh: Mesh | undefined
    const flows = { ...opened.flows, remote: remoteOf(() => mesh) }
    const about = () => ({
      name: id,
      productVersion: '0',
      databaseId: id,
      httpPort: undefined
    })
    const bootstrap = this.nodes.flatMap(({ mesh: other }) => other.addresses())
    const nothing = async () => {}
    const parts = {
      ...{ network, flows, about, onListen: nothing, saveCluster: nothing, saveJoins: nothing },
      resolve: async (target: string) => [target]
    }
    const cluster = { name: 'sim', secret: new Uint8Array(32), isFixed: true, decidedMs: 0 }
    mesh = createMesh(parts, {
      ...{ sync: SYNC, bootstrap, joins: [], cluster },
      ...{ fetchAll: true, syncTimeoutMs: 30_000 }
    })
    this.nodes.push({ id, node: { ...opened, flows }, mesh })
    await this.during(mesh.start())
  }

  /** Moves the time on, a step whenever nothing is left to do at once. */
  async pass(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += STEP_MS) {
      for (let n = 0; n < 3; n++) await new Promise((resolve) => setImmediate(resolve))
      this.clock.advance(STEP_MS)
    }
  }

  async during<T>(work: Promise<T>): Promise<T> {
    let done = false
    const ended = work.finally(() => {
      done = true
    })
    ended.catch(() => {})
    for (let n = 0; !done && n < 20_000; n++) await this.pass(STEP_MS)
    return ended
  }

  async act(): Promise<void> {
    const { node, id } = this.nodes[this.below(this.nodes.length)] as SimNode
    const path = PATHS[this.below(PATHS.length)] as string
    const other = this.nodes[this.below(this.nodes.length)] as SimNode
    const what = this.chance()
    if (what < 0.5) await this.during(node.put(path, tinyImage(this.below(8))))
    else if (what < 0.7) {
      await this.during(remove(node.flows, { trashKeepMs: 1e9 }, parsePath(path)))
    } else if (what < 0.8) this.wire.lose(id, other.id)
    else if (what < 0.9) this.wire.cut(id, other.id)
    else this.wire.healAll()
    await this.pass(this.below(300))
  }

  async stop(): Promise<void> {
    for (const { mesh, node } of this.nodes) {
      await this.during(mesh.stop())
      await this.during(node.close())
    }
  }
}

/** What a node holds, as one text; and what is wrong with it by itself. */
async function stateOf({ node }: SimNode): Promise<{ content: string; faults: string[] }> {
  const { index } = node.flows
  const lines: string[] = []
  const faults = await auditIndex(node.database)
  for await (const { path, hash, id } of index.list()) {
    lines.push(`${path} ${digest('sha256', id)}`)
    if (index.blob(hash)?.state !== 'held') faults.push(`${path} is ${index.blob(hash)?.state}`)
    if (node.view.at(path) !== hash) faults.push(`images/${path} shows ${node.view.at(path)}`)
  }
  const { live, dead, liveSum, deadSum } = index.root()
  return { content: [...lines, live, dead, liveSum, deadSum].join('\n'), faults }
}

test.each(Array.from({ length: LAST - FIRST + 1 }, (_, n) => FIRST + n))(
  'world %i is the same everywhere when it is quiet',
  { timeout: 60_000 },
  async (seed) => {
    const world = new World(seed)
    const count = 2 + world.below(3)
    for (let n = 0; n < count; n++) await world.add()
    for (let n = 0; n < 25; n++) await world.act()
    world.wire.healAll()
    await world.pass(70_000) // the longest wait between two dials
    for (const { mesh } of world.nodes) await world.during(mesh.syncNow())
    await world.pass(5000)
    const states = await Promise.all(world.nodes.map(stateOf))
    for (const { content, faults } of states) {
      expect(faults).toEqual([])
      expect(content).toBe(states[0]?.content)
    }
    await world.stop()
  }
)
