// Whole nodes in one process: real index, flows, sync and protocols over disks and a wire in
// memory, on one clock and one source of chance. A seed tells all that happens.

import { EntriesClient } from '../../protocols/entries/request.ts'
import type { Entry } from '../../protocols/entry.ts'
import type { ContentHash } from '../../protocols/hash.ts'
import { ENTRIES_ID } from '../../protocols/ids.ts'
import type { ImagePath } from '../../protocols/path.ts'
import { sleep } from '../../src/base/clock.ts'
import { NodeError } from '../../src/base/errors.ts'
import { verify } from '../../src/flows/verify.ts'
import { isClosed } from '../../src/index/database-error.ts'
import { MemoryWire, type MemoryWireOptions } from '../../src/network/memory-wire.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { SeededChance } from '../support/seeded-chance.ts'
import { faultsOf, unrestOf } from './faults.ts'
import { SimNode, type Tampering } from './sim-node.ts'
import { type Doubt, Writes } from './writes.ts'

export interface WorldOptions {
  readonly wire?: MemoryWireOptions
  /** Each step of a disk takes up to this long. */
  readonly diskMs?: number
  /** Clocks are wrong by up to this much. */
  readonly skewMs?: number
  readonly tampering?: Tampering
}

/** More than the longest wait of a node: a blob that nobody gave is tried again in ten minutes. */
const QUIET_MS_MAX = 15 * 60_000
const QUIET_STEP_MS = 250
/** What has no trace in an index is done by then. */
const QUIET_MS_MIN = 500
/** In which most nodes have found each other again. */
const CONNECT_MS = 2000
const FULL = new NodeError('DISK_FULL', 'The disk is full.')
const never = new AbortController().signal

export class World {
  readonly clock = new ManualClock()
  readonly chance: SeededChance
  readonly wire: MemoryWire
  readonly nodes: SimNode[] = []
  readonly writes = new Writes()
  /** What went wrong on the way. */
  readonly faults: string[] = []
  readonly #options: WorldOptions
  /** What was asked of nodes that live, and is not answered. */
  readonly #underWay = new Map<object, SimNode>()
  readonly #damaged = new Set<ContentHash>()

  constructor(seed: number, options: WorldOptions = {}) {
    this.chance = new SeededChance(seed)
    this.#options = options
    this.wire = new MemoryWire({ clock: this.clock, random: this.chance }, options.wire)
  }

  /** A whole number below `n`. */
  below(n: number): number {
    return Math.floor(this.chance.fraction() * n)
  }

  /** One of those that are up. */
  anyNode(): SimNode | undefined {
    return this.pick(this.nodes.filter(({ isUp }) => isUp))
  }

  pick<T>(all: readonly T[]): T | undefined {
    return all[this.below(all.length)]
  }

  /** Runs work to its end; time passes as it must. */
  run<T>(work: () => Promise<T>): Promise<T> {
    return this.clock.run(work)
  }

  pass(ms: number): Promise<void> {
    return this.clock.pass(ms)
  }

  async add(): Promise<SimNode> {
    const { diskMs = 0, skewMs = 0, tampering = {} } = this.#options
    const { clock, chance } = this
    const offsetMs = Math.round((chance.fraction() * 2 - 1) * skewMs)
    const node = await SimNode.make({
      id: `node-${this.nodes.length}`,
      wire: this.wire,
      random: chance,
      clock: {
        now: () => clock.now() + offsetMs,
        monotonicMs: () => clock.monotonicMs(),
        after: (ms, task) => clock.after(ms, task)
      },
      pause: async () => {
        if (diskMs > 0) await sleep(clock, this.below(diskMs))
      },
      tampering
    })
    this.nodes.push(node)
    await this.#start(node, false)
    return node
  }

  /** A node that died comes back, with what its disk has of it. */
  async revive(node: SimNode, { moves = false } = {}): Promise<void> {
    if (node.isUp) return
    await node.bury(this.chance.fraction() < 0.5, this.chance.fraction())
    await this.#start(node, moves)
  }

  async #start(node: SimNode, moves: boolean): Promise<void> {
    const others = this.nodes.filter((other) => other !== node && other.isUp)
    const bootstrap = others.flatMap(({ life }) => life.mesh.addresses())
    const onDeath = () => {
      for (const [call, asked] of this.#underWay) if (asked === node) this.#underWay.delete(call)
      this.wire.crash(node.id, { silent: this.chance.fraction() < 0.5 })
    }
    await this.run(() => node.start(bootstrap, moves, onDeath))
  }

  async kill(node: SimNode): Promise<void> {
    node.life.death.comeNow()
    await this.pass(0)
  }

  /** Begins a write; it may end at any time, or never. */
  put(node: SimNode, path: ImagePath, bytes: Uint8Array, hash: ContentHash): void {
    this.#write(node, [{ path, writer: node.id, hash }], () => node.put(path, bytes))
  }

  remove(node: SimNode, path: ImagePath): void {
    this.#write(node, [{ path, writer: node.id, hash: undefined }], () => node.remove(path))
  }

  restore(node: SimNode, path: ImagePath, hashes: readonly ContentHash[]): void {
    const doubts = hashes.map((hash) => ({ path, writer: node.id, hash }))
    this.#write(node, doubts, () => node.restore(path))
  }

  /** Hands an entry of long ago to a node once more. */
  resend(entry: Entry, from: SimNode, to: SimNode): void {
    this.#begin(from, async () => {
      try {
        const stream = await from.life.network.open(to.id, ENTRIES_ID, never)
        await new EntriesClient(stream).push([entry.raw], [], never)
      } catch {} // the connection may break
    })
  }

  /** Harms one copy of a blob of which another node has a good one, if there is such a blob. */
  damage(node: SimNode): void {
    const { store } = node.disk
    const isHeld = ({ life }: SimNode, hash: ContentHash) =>
      life.flows.index.blob(hash)?.state === 'held'
    const others = this.nodes.filter((other) => other !== node && other.isUp)
    const hash = this.writes.hashes().find((one) => {
      if (this.#damaged.has(one) || !isHeld(node, one)) return false
      return store.placeOf(one) === 'blobs' && others.some((other) => isHeld(other, one))
    })
    if (hash === undefined) return
    this.#damaged.add(hash)
    if (this.chance.fraction() < 0.2) store.lose(hash)
    else store.damage(hash, this.chance.fraction() < 0.5 ? 'silently' : 'by writing')
  }

  /** The disk of a node is full: for blobs, or for the next batch of its index. */
  fill({ disk }: SimNode): void {
    if (this.chance.fraction() < 0.5) disk.store.fault = FULL
    else {
      const error = new Error('No space left on device')
      void disk.level.failNext(error, { isWritten: this.chance.fraction() < 0.5 })
    }
  }

  /** All that is wrong outside of the nodes ends. */
  async heal(): Promise<void> {
    this.wire.healAll()
    for (const { life } of this.nodes) life.death.comeAfter(Number.POSITIVE_INFINITY)
    for (const node of this.nodes) {
      await this.revive(node, { moves: this.chance.fraction() < 0.5 })
      await this.run(() => node.makeRoom())
    }
  }

  /** Heals, waits until all nodes have the same, and says what is wrong then. */
  async settle(): Promise<readonly string[]> {
    await this.heal()
    if (this.#damaged.size > 0) {
      await this.pass(CONNECT_MS)
      await this.#repair()
    }
    await this.#untilQuiet()
    const inDoubt = this.nodes.filter(({ isInDoubt }) => isInDoubt)
    for (const node of inDoubt) await this.kill(node)
    for (const node of inDoubt) await this.revive(node)
    if (inDoubt.length > 0) await this.#untilQuiet()
    if (this.#damaged.size > 0) {
      await this.#repair() // of what came out of the trash since
      await this.#untilQuiet()
    }
    return [...this.faults, ...(await faultsOf(this.nodes, this.writes))]
  }

  /** Tells two worlds apart. */
  fingerprint(): string {
    const sums = this.nodes.map(({ life }) => JSON.stringify(life.flows.index.root(), text))
    return [this.clock.now(), this.chance.fraction(), ...sums].join('\n')
  }

  async stop(): Promise<void> {
    for (const node of this.nodes) await this.run(() => node.stop())
  }

  /** What was damaged silently shows only to who reads it again. */
  async #repair(): Promise<void> {
    for (const node of this.nodes) await this.run(() => node.makeRoom())
    for (const { life } of this.nodes) {
      const control = { signal: never, onFile: () => {} }
      await this.run(() => verify(life.flows, { all: true }, control))
    }
  }

  async #untilQuiet(): Promise<void> {
    let unrest: string | undefined
    let quietMs = 0
    for (let ms = 0; ms < QUIET_MS_MAX && quietMs < QUIET_MS_MIN; ms += QUIET_STEP_MS) {
      await this.pass(QUIET_STEP_MS)
      for (const node of this.nodes) await this.run(() => node.makeRoom())
      const calls = this.#underWay.size
      unrest = calls > 0 ? `${calls} calls have not ended` : await unrestOf(this.nodes)
      quietMs = unrest === undefined ? quietMs + QUIET_STEP_MS : 0
    }
    if (unrest !== undefined) this.faults.push(`after ${QUIET_MS_MAX} ms ${unrest}`)
  }

  #write(node: SimNode, doubts: readonly Doubt[], work: () => Promise<Entry | undefined>): void {
    for (const doubt of doubts) this.writes.begin(doubt)
    this.#begin(node, async () => {
      let entry: Entry | undefined
      try {
        entry = await work()
      } catch (error) {
        if (!isRefusal(error)) throw error
        return // whether it is there after all shows later
      }
      for (const doubt of doubts) this.writes.end(doubt, entry)
    })
  }

  #begin(node: SimNode, work: () => Promise<void>): void {
    const call = {}
    this.#underWay.set(call, node)
    work()
      .catch((error) => this.faults.push(`${node.id}: ${error}`))
      .finally(() => this.#underWay.delete(call))
  }
}

/** A full disk, or an index that is being opened anew after one. */
function isRefusal(error: unknown): boolean {
  return (error as { code?: unknown }).code === 'DISK_FULL' || isClosed(error)
}

function text(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value
}
