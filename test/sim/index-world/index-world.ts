// A world of indexes: performs the steps of a history, and after each of them compares what nodes
// have with what they promised and believe.

import { EntriesClient } from '../../../protocols/entries/request.ts'
import type { Entry, ImageEntry } from '../../../protocols/entry.ts'
import { ENTRIES_ID } from '../../../protocols/ids.ts'
import type { ImagePath } from '../../../protocols/path.ts'
import { sleep } from '../../../src/base/clock.ts'
import { announce, removeMember } from '../../../src/flows/members.ts'
import { isClosed } from '../../../src/index/database-error.ts'
import { MemoryWire } from '../../../src/network/memory-wire.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { Chance } from './chance.ts'
import { Citizen } from './citizen.ts'
import { type History, hasOutdatedPast, type Step } from './history.ts'
import { draftOf, pathOf } from './images.ts'
import { INTRODUCED_MS_MAX, type IndexNode, type Sabotage } from './index-node.ts'
import { Inspection } from './inspection.ts'
import { Writes } from './promises.ts'
import type { Rows } from './world-level.ts'

const FULL = new Error('No space left on device')
const never = new AbortController().signal

export class IndexWorld {
  readonly clock = new ManualClock()
  readonly chance: Chance
  readonly wire: MemoryWire
  readonly history: History
  readonly citizens: Citizen[] = []
  readonly writes = new Writes()
  /** What is wrong; the first of it is enough. */
  readonly faults: string[] = []
  /** What was begun by nodes that live, and has not ended. */
  readonly #underWay = new Map<object, IndexNode>()
  readonly #inspection: Inspection
  /** Images that people have written: each has its number as the time of its creation. */
  #images = 0
  readonly #sabotage: Sabotage

  constructor(history: History, sabotage: Sabotage = {}) {
    this.history = history
    this.#sabotage = sabotage
    this.chance = new Chance(history.salt)
    const { delayMs, dialLoss, breakage, overtake } = history
    const parts = { clock: this.clock, random: this.chance }
    this.wire = new MemoryWire(parts, { delayMs, dialLoss, breakage, overtake })
    this.#inspection = new Inspection(this, hasOutdatedPast(history))
  }

  get unfinished(): number {
    return this.#underWay.size
  }

  isLinked(a: Citizen, b: Citizen): boolean {
    const [one, two] = [this.citizens.indexOf(a), this.citizens.indexOf(b)]
    const { walls } = this.history
    return !walls.some(([x, y]) => (x === one && y === two) || (x === two && y === one))
  }

  /** All nodes of the beginning. */
  async populate(): Promise<void> {
    for (let n = 0; n < this.history.nodes; n++) await this.add()
    if (this.history.acquainted) {
      this.meet()
      await this.clock.pass(100)
    }
    this.#inspection.look()
  }

  /** A new node, or one more with the identity and the folder of another. */
  async add(twinOf?: Citizen): Promise<Citizen> {
    const { diskMs, skewMs } = this.history
    const { clock, chance } = this
    const number = this.citizens.length
    const place = `n${number}`
    const citizen = new Citizen({
      ...{ id: twinOf?.node.id ?? place, place, wire: this.wire, clock, random: chance },
      skewMs: skewMs[number] ?? 0,
      pause: () => (diskMs > 0 ? sleep(clock, chance.below(diskMs)) : undefined),
      sabotage: this.#sabotage
    })
    citizen.watch(this.#inspection.watcherOf(citizen))
    if (twinOf !== undefined) {
      // the wire does not connect a node with itself, and tells nodes apart by their id
      for (const other of [citizen, twinOf]) other.hasTwin = true
      citizen.putFolder(twinOf.rows)
    }
    this.citizens.push(citizen)
    await this.start(citizen)
    return citizen
  }

  async start(citizen: Citizen, introducesAfterMs = 0): Promise<void> {
    await this.clock.run(() => citizen.start())
    this.begin(citizen, () => citizen.node.introduce(introducesAfterMs))
  }

  /** Time passes after the step, and then all must be right. */
  async perform(step: Step): Promise<void> {
    this.chance.begin(step.salt)
    await this.#act(step)
    await this.clock.pass(step.ms)
    this.#inspection.look()
  }

  /** Also what is not the consequence of a step. */
  look(): void {
    this.#inspection.look()
  }

  async #act(step: Step): Promise<void> {
    const { wire, citizens } = this
    switch (step.do) {
      case 'wait':
        return
      case 'heal':
        return wire.healAll()
      case 'partition':
        return this.#partition(step.groups)
      case 'join':
        await this.add()
        return
      case 'meet':
        return this.meet()
      case 'forget':
        for (const citizen of citizens) if (citizen.node.isUp) this.#collect(citizen)
        return
    }
    const citizen = citizens[step.node % citizens.length] as Citizen
    if (!('with' in step)) return this.#happen(step, citizen)
    const other = citizens[step.with % citizens.length] as Citizen
    if (citizen.node.id !== other.node.id) await this.#between(step, citizen, other)
  }

  async #between(step: Step & { with: number }, citizen: Citizen, other: Citizen): Promise<void> {
    const { wire } = this
    const [a, b] = [citizen.node.id, other.node.id]
    switch (step.do) {
      case 'compare':
        return this.compare(citizen, other)
      case 'lose':
        return wire.lose(a, b)
      case 'double':
        return wire.double(a, b)
      case 'slow':
        return wire.slow(a, b, step.byMs)
      case 'cut':
        return wire.cut(a, b)
      case 'resend':
        return this.#resend(citizen, other, step.which)
    }
  }

  async #happen(step: Step, citizen: Citizen): Promise<void> {
    switch (step.do) {
      case 'start':
        return this.revive(citizen)
      case 'backup':
        citizen.backups.push(citizen.rows)
        return
      case 'restore': {
        const rows = citizen.backups[step.which % citizen.backups.length]
        if (rows !== undefined) await this.#replaceFolder(citizen, rows)
        return
      }
      case 'wipe':
        return this.#replaceFolder(citizen, new Map())
      case 'copy': {
        const from = this.citizens[step.from % this.citizens.length] as Citizen
        if (from !== citizen) await this.#replaceFolder(citizen, from.rows)
        return
      }
      case 'twin':
        if (!this.citizens.some(({ hasTwin }) => hasTwin)) await this.add(citizen)
        return
      case 'jump':
        return citizen.node.jump(step.byMs)
    }
    if (citizen.node.isUp) await this.#ask(step, citizen)
  }

  /** What only a node that is up can do. */
  async #ask(step: Step, citizen: Citizen): Promise<void> {
    const { node } = citizen
    switch (step.do) {
      case 'write':
        return this.write(citizen, step.path, step.content)
      case 'delete':
        return this.#delete(citizen, pathOf(step.path))
      case 'crash':
        return this.kill(citizen, step.share)
      case 'fail':
        return node.level.failNext(FULL, step.isWritten)
      case 'collect':
        return this.#collect(citizen)
      case 'review':
        return this.#review(citizen, step.restores)
      case 'remove':
      case 'return': {
        const member = this.citizens[step.member % this.citizens.length] as Citizen
        if (member.node.id !== node.id) this.admit(citizen, member, step.do === 'return')
      }
    }
  }

  write(citizen: Citizen, path: number, content: number): void {
    this.begin(citizen, async () => {
      const draft = draftOf(path, content, ++this.#images)
      const { entry } = await citizen.node.life.index.change((tx) => tx.putImage(draft))
      this.#end(citizen, entry)
    })
  }

  #delete(citizen: Citizen, path: ImagePath): void {
    this.begin(citizen, async () => {
      const entry = await citizen.node.life.index.change((tx) => tx.deleteImage(path))
      if (entry !== undefined) this.#end(citizen, entry)
    })
  }

  /** A person restores all that was put to review, or discards it. */
  #review(citizen: Citizen, restores: boolean): void {
    this.begin(citizen, async () => {
      const { index } = citizen.node.life
      for await (const { entry } of index.reviewed()) {
        const restored = await index.change((tx) => {
          if (!tx.discardReviewed(entry.path as ImagePath) || !restores) return undefined
          return tx.putImage({ ...(entry as ImageEntry), createdMs: ++this.#images }).entry
        })
        if (restored !== undefined) this.#end(citizen, restored)
      }
    })
  }

  #end(citizen: Citizen, entry: Entry): void {
    citizen.promises.promise(entry)
    if (entry.writer === citizen.node.id) this.writes.end(entry)
  }

  /** Begins it; connects them first, which compares as well. Others can't tell twins apart. */
  compare(one: Citizen, two: Citizen): void {
    const [citizen, other] = two.hasTwin ? [two, one] : [one, two]
    if (citizen.node.id === other.node.id) return
    if (!citizen.node.isUp || !other.node.isUp || !this.isLinked(citizen, other)) return
    const { network, sync } = citizen.node.life
    const { id, address } = other.node
    const isConnected = network.peers().some((peer) => peer.id === id)
    this.begin(citizen, async () => {
      if (isConnected) return sync.compare(id)
      await network.dial([address], never).catch(() => {})
    })
  }

  /** All that are up and can see each other. */
  meet(): void {
    for (const [b, two] of this.citizens.entries()) {
      for (const one of this.citizens.slice(0, b)) this.compare(one, two)
    }
  }

  #collect(citizen: Citizen): void {
    this.begin(citizen, () => citizen.collect(this.history.keepMs))
  }

  #partition(groups: readonly number[]): void {
    const ids = new Map<number, string[]>()
    for (const [n, { node }] of this.citizens.entries()) {
      const group = groups[n % groups.length] as number
      ids.set(group, [...(ids.get(group) ?? []), node.id])
    }
    this.wire.partition(...ids.values())
  }

  #resend(citizen: Citizen, other: Citizen, which: number): void {
    const entry = this.writes.all[which % this.writes.all.length]
    if (entry === undefined || !citizen.node.isUp || !other.node.isUp) return
    // messages do not travel long enough for a new node to hear what was deleted before it came
    if (this.citizens.indexOf(other) >= this.history.nodes) return
    // what it sends again it had once, and so has it still or what beats it
    if (!citizen.view.has(entry)) return
    this.begin(citizen, async () => {
      try {
        const stream = await citizen.node.life.network.open(other.node.id, ENTRIES_ID, never)
        const client = new EntriesClient(stream)
        await client.push([entry.raw], [], never)
        await client.end(never)
      } catch {} // the connection may break
    })
  }

  kill(citizen: Citizen, share: number): void {
    this.#forget(citizen)
    citizen.die(share)
  }

  async revive(citizen: Citizen): Promise<void> {
    const { node } = citizen
    if (!node.isUp) await this.start(citizen)
    else {
      node.level.spareNext()
      await this.clock.run(() => citizen.heal())
    }
  }

  async #replaceFolder(citizen: Citizen, rows: Rows): Promise<void> {
    const isUp = citizen.node.isUp
    if (isUp) this.kill(citizen, 1)
    citizen.putFolder(rows)
    const others = this.citizens.filter((other) => other !== citizen)
    this.writes.takeFolder(others.map(({ view }) => view))
    if (isUp) await this.start(citizen, this.chance.below(INTRODUCED_MS_MAX))
  }

  /** A person removes a member, or brings it back. */
  admit(citizen: Citizen, member: Citizen, isBack: boolean): void {
    const { id } = member.node
    this.begin(citizen, async () => {
      const { index } = citizen.node.life
      if (isBack) await announce(index, { id, name: id, addresses: [] })
      else await removeMember(index, id)
    })
  }

  begin(citizen: Citizen, work: () => Promise<void>): void {
    const call = {}
    const { life } = citizen.node
    this.#underWay.set(call, citizen.node)
    work()
      .catch((error) => {
        const isCurrent = citizen.node.isUp && citizen.node.life === life
        if (isCurrent && !isRefusal(error))
          this.faults.push(`${citizen.node.place}: ${error.stack}`)
      })
      .finally(() => this.#underWay.delete(call))
  }

  /** Nobody waits for what it was doing. */
  #forget({ node }: Citizen): void {
    for (const [call, asked] of this.#underWay) if (asked === node) this.#underWay.delete(call)
  }
}

/** A full disk, or an index that is being opened anew after one. */
function isRefusal(error: unknown): boolean {
  return (error as { code?: unknown }).code === 'DISK_FULL' || isClosed(error)
}
