// One node of a world: its disk and its address outlive it, its lives end anywhere.

import { type Entry, isImage } from '../../protocols/entry.ts'
import type { ImagePath } from '../../protocols/path.ts'
import type { Clock, Random } from '../../src/base/clock.ts'
import { NodeError } from '../../src/base/errors.ts'
import { silentLog } from '../../src/base/log.ts'
import type { FlowParts } from '../../src/flows/parts.ts'
import { recover } from '../../src/flows/recover.ts'
import { remove } from '../../src/flows/remove.ts'
import { restore } from '../../src/flows/restore.ts'
import type { ImageIndex } from '../../src/index/image-index.ts'
import { createMesh, type Mesh } from '../../src/mesh/mesh.ts'
import { remoteOf } from '../../src/mesh/remote.ts'
import { createAdmission } from '../../src/network/admission.ts'
import { MemoryNetwork } from '../../src/network/memory-network.ts'
import type { MemoryWire } from '../../src/network/memory-wire.ts'
import type { Network } from '../../src/network/network.ts'
import { Death } from '../support/death.ts'
import {
  type MemoryDisk,
  type MemoryNode,
  makeMemoryDisk,
  openMemoryNode
} from '../support/memory-node.ts'

const SYNC = {
  enabled: true,
  batchSize: 10,
  syncIntervalMs: 5000,
  maxRetryAttempts: 3,
  retryDelayMs: 1000,
  verifyIntegrity: true
}
const SECRET = new Uint8Array(32)
const CLUSTER = { name: 'sim', secret: SECRET, isFixed: true, decidedMs: 0 }
const ADMISSION = createAdmission(CLUSTER.name, SECRET)
const nothing = async () => {}

/** Parts of a node in place of its own, to see that what they lack is noticed. */
export interface Tampering {
  readonly index?: (index: ImageIndex) => ImageIndex
  readonly network?: (network: Network) => Network
  readonly flows?: (flows: FlowParts) => FlowParts
  readonly recover?: (flows: FlowParts) => Promise<unknown>
  readonly fetchAll?: boolean
}

export interface SimNodeParts {
  readonly id: string
  readonly wire: MemoryWire
  readonly random: Random
  /** As this node sees the time. */
  readonly clock: Clock
  /** What each step of its disk takes. */
  readonly pause: () => Promise<void>
  readonly tampering: Tampering
}

interface Life {
  readonly node: MemoryNode
  readonly flows: FlowParts
  readonly network: Network
  readonly mesh: Mesh
  readonly death: Death
}

export class SimNode {
  readonly id: string
  readonly #parts: SimNodeParts
  #disk: MemoryDisk
  #life: Life | undefined
  #lives = 0
  #isInDoubt = false

  static async make(parts: SimNodeParts): Promise<SimNode> {
    return new SimNode(parts, await makeMemoryDisk())
  }

  private constructor(parts: SimNodeParts, disk: MemoryDisk) {
    this.id = parts.id
    this.#parts = parts
    this.#disk = disk
  }

  get isUp(): boolean {
    return this.#life !== undefined && !this.#life.death.hasCome
  }

  /** A write of its index failed: only its next start tells what is there. */
  get isInDoubt(): boolean {
    return this.#isInDoubt || this.life.flows.index.fault !== undefined
  }

  get disk(): MemoryDisk {
    return this.#disk
  }

  /** The last one, if it has ended. */
  get life(): Life {
    if (this.#life === undefined) throw new Error(`${this.id} never lived`)
    return this.#life
  }

  /** Under a new address if `moves`. Calls `onDeath` when the node dies. */
  async start(bootstrap: readonly string[], moves: boolean, onDeath: () => void): Promise<void> {
    const { id, wire, random, tampering, pause } = this.#parts
    this.#isInDoubt = false
    const death = new Death(undefined, pause)
    const clock = mortal(this.#parts.clock, death)
    this.#disk.level.pause = death.step
    const node = await openMemoryNode({
      ...{ name: id, peerId: id, disk: this.#disk, wrap: death.wrap, clock, random },
      ...(tampering.index && { wrapIndex: tampering.index })
    })
    if (moves) this.#lives++
    const place = `${id}.${this.#lives}`
    const own = new MemoryNetwork({ wire, log: silentLog }, { id, place, admission: ADMISSION })
    const network = tampering.network?.(own) ?? own
    let mesh: Mesh | undefined
    const remote = remoteOf(() => mesh, { index: node.flows.index, ownId: id })
    const flows = { ...(tampering.flows?.(node.flows) ?? node.flows), remote }
    const about = () => ({
      name: id,
      productVersion: '0',
      databaseId: String(flows.index.meta('database')),
      httpPort: undefined
    })
    mesh = createMesh(
      {
        ...{ network, flows, about, onListen: nothing, saveCluster: nothing, saveJoins: nothing },
        readJoins: () => [],
        resolve: async (target) => [target]
      },
      {
        ...{ sync: SYNC, cluster: CLUSTER, bootstrap, joins: [], syncTimeoutMs: 30_000 },
        fetchAll: tampering.fetchAll ?? true
      }
    )
    this.#life = { node, flows, network, mesh, death }
    void death.coming.then(onDeath)
    await (tampering.recover ?? recover)(flows)
    await mesh.start()
  }

  /**
   * After its death: what is left on the disk, of what was not synced this share. Only what was
   * synced of images/ if the power is cut. There is room on it again.
   */
  async bury(cutPower: boolean, share: number): Promise<void> {
    this.#disk.store.fault = undefined
    if (cutPower) this.#disk.view.cutPower()
    const level = await this.#disk.level.afterPowerCut(cutPower ? share : 1)
    this.#disk = { ...this.#disk, level }
  }

  async stop(): Promise<void> {
    const { mesh, node } = this.life
    await mesh.stop()
    await node.close()
  }

  /** Ends a full disk, and does what was left to do meanwhile. */
  async makeRoom(): Promise<void> {
    const { mesh, flows } = this.life
    const { store, level } = this.#disk
    level.spareNext()
    if (store.fault === undefined && flows.index.fault === undefined) return
    store.fault = undefined
    this.#isInDoubt = this.isInDoubt
    await flows.index.upkeep.reopen()
    void mesh.heal()
    await flows.settler.settleAll()
  }

  async put(path: ImagePath, bytes: Uint8Array): Promise<Entry> {
    return (await this.life.node.put(path, bytes)).entry
  }

  /** The tombstone; undefined if there was nothing to delete, or it is overwritten already. */
  async remove(path: ImagePath): Promise<Entry | undefined> {
    const { flows } = this.life
    const { outcome } = await remove(flows, { trashKeepMs: 1e9 }, path)
    const entry = outcome === 'deleted' ? flows.index.get(path) : undefined
    return entry?.writer === this.id && !isImage(entry) ? entry : undefined
  }

  /** Undefined if there is nothing to restore. */
  async restore(path: ImagePath): Promise<Entry | undefined> {
    try {
      return (await restore(this.life.flows, path)).entry
    } catch (error) {
      const codes = ['NOT_FOUND', 'NOT_AVAILABLE']
      if (error instanceof NodeError && codes.includes(error.code)) return undefined
      throw error
    }
  }
}

/** A clock whose timers end with the node. */
function mortal(clock: Clock, death: Death): Clock {
  return {
    now: () => clock.now(),
    monotonicMs: () => clock.monotonicMs(),
    after: (ms, task) =>
      clock.after(ms, () => {
        if (!death.hasCome) task()
      })
  }
}
