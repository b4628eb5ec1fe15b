// The end of a world: all that was wrong with wires and disks ends, the nodes compare until they
// agree, and then all must be as it was promised. After that deletions are forgotten, and it must
// still be so.

import { isTombstone } from '../../../protocols/entry.ts'
import { auditIndex } from '../../support/audit-index.ts'
import type { Citizen } from './citizen.ts'
import { CONTENTS_COUNT, PATHS_COUNT } from './images.ts'
import type { IndexWorld } from './index-world.ts'
import { liveOf } from './inspection.ts'

/** Streams and dials that hang are given up by then. */
const HANGING_MS = 45_000
/** In which nodes compare that have connected, and the side that was dialled does so too. */
const ROUND_MS = 2500
/** Beyond the longest way through a world, for what each exchange may find anew. */
const ROUNDS_MORE = 8
/** In which a push has come from one node to the next, without any exchange. */
const HEARD_MS = 100
/** A stream is opened, and the push passes it. */
const HEARD_PIECES = 3
/** Two nodes prove something once in a bucket of the time tree. */
const TWO_BUCKETS_MS = 131_072
/** Versions of nodes whose clocks were wrong lie in the past by then. */
const AHEAD_MS = 5 * 24 * 3_600_000

export class Quiet {
  readonly #world: IndexWorld
  #members: readonly Citizen[] = []

  constructor(world: IndexWorld) {
    this.#world = world
  }

  async settle(): Promise<void> {
    await this.#heal()
    await this.#world.clock.pass(HANGING_MS)
    await this.#heal() // a write that was under way may have failed since
    await this.#gather()
    if (!(await this.#agree())) return
    this.#judge()
    if (this.#world.faults.length > 0) return
    await this.#spread()
    await this.#forget()
    await this.#end()
  }

  /** Who has been removed stays outside from now on, or is brought back. */
  async #gather(): Promise<void> {
    const world = this.#world
    this.#members = world.citizens
    for (let round = 0; round < ROUNDS_MORE && !this.#isOpen(); round++) {
      world.chance.begin(round)
      await this.#compareAll()
      if (world.history.returns) this.#takeBack()
    }
    if (this.#isOpen()) return
    const members = membersOf(world.citizens, world)
    const outside = world.citizens.filter((one) => !members.includes(one))
    for (const citizen of outside) world.kill(citizen, 1)
    this.#members = members
    world.writes.takeFolder(members.map(({ view }) => view))
  }

  /** Whether nobody has heard that anybody was removed. */
  #isOpen(): boolean {
    const all = this.#world.citizens
    const isRemoved = ({ view }: Citizen, { node }: Citizen) =>
      view.entries.get(`2/member/${node.id}`)?.deleted
    return !all.some((one) => all.some((other) => isRemoved(one, other)))
  }

  #takeBack(): void {
    const world = this.#world
    for (const one of world.citizens) {
      for (const other of world.citizens) {
        if (!admits(one, other)) world.admit(one, other, true)
      }
    }
  }

  async #heal(): Promise<void> {
    const { wire, citizens } = this.#world
    wire.healAll()
    wire.calm()
    for (const citizen of citizens) {
      citizen.node.setClock()
      await this.#world.revive(citizen)
    }
  }

  /** False if they do not come to agree; then that is a fault. */
  async #agree(): Promise<boolean> {
    const world = this.#world
    const rounds = this.#members.length + ROUNDS_MORE
    for (let round = 0; round < rounds; round++) {
      world.chance.begin(round)
      await this.#compareAll()
      if (world.faults.length > 0) return false
      if (new Set(this.#members.map(liveOf)).size <= 1) return true
    }
    const states = this.#members.map((one) => `${one.node.place} has:\n${liveOf(one)}`)
    world.faults.push(`the nodes do not agree:\n${states.join('\n')}`)
    return false
  }

  async #compareAll(): Promise<void> {
    const world = this.#world
    for (const [one, two] of this.#pairs()) world.compare(one, two)
    await world.clock.pass(ROUND_MS)
    world.look()
  }

  /** Who asks, and who is asked. */
  #pairs(): readonly (readonly [Citizen, Citizen])[] {
    const all = this.#members
    return all.flatMap((two, b) => all.slice(0, b).map((one) => [one, two] as const))
  }

  /** What everybody has now is what was promised. */
  #judge(): void {
    const [first] = this.#members
    if (first === undefined) return
    for (const { view } of this.#members) {
      // a deletion that failed may be there all the same, and nobody was told of it
      for (const entry of view.entries.values()) {
        if (isTombstone(entry)) this.#world.writes.see(entry)
      }
    }
    for (const latest of this.#world.writes.latest()) {
      const final = first.view.entries.get(`${latest.kind}/${latest.path}`)
      const fault = this.#world.writes.faultOf(latest, final)
      if (fault !== undefined) this.#world.faults.push(fault)
    }
  }

  /** A push alone reaches everybody. */
  async #spread(): Promise<void> {
    const world = this.#world
    const from = this.#outermost()
    if (from === undefined || !this.#isConnected()) return
    world.write(from, world.chance.below(PATHS_COUNT), world.chance.below(CONTENTS_COUNT))
    const { delayMs, diskMs } = world.history
    const hopMs = HEARD_MS + HEARD_PIECES * delayMs[1] + 2 * diskMs
    await world.clock.pass(this.#members.length * hopMs)
    if (new Set(this.#members.map(liveOf)).size > 1) {
      world.faults.push(`a push of ${from.node.place} does not reach everybody`)
    }
    world.look()
  }

  /** From which a push has the longest way. */
  #outermost(): Citizen | undefined {
    const peers = ({ node }: Citizen) => node.life.network.peers().length
    return this.#members.toSorted((one, other) => peers(one) - peers(other))[0]
  }

  /** Whether all that can be are connected, which a wire that loses dials delays. */
  #isConnected(): boolean {
    const world = this.#world
    if (this.#members.some(({ hasTwin }) => hasTwin)) return false // one of them is not heard
    return this.#members.every((one) => {
      const peers = new Set(one.node.life.network.peers().map(({ id }) => id))
      return this.#members.every(
        (other) => other === one || !world.isLinked(one, other) || peers.has(other.node.id)
      )
    })
  }

  /** Long after, all forget what was deleted, and agree on what is left. */
  async #forget(): Promise<void> {
    const world = this.#world
    // what others believe of twins is true of one of them at a time
    const isClear = this.#members.every(({ hasTwin }) => !hasTwin)
    await world.clock.pass(world.history.keepMs + AHEAD_MS)
    await this.#introduce()
    await this.#forgetOnce(this.#members.slice(0, 1))
    const unequal = isClear ? this.#unequal() : undefined
    if (unequal !== undefined) world.faults.push(`${unequal}, when only one has forgotten`)
    for (let round = 0; round <= this.#members.length && this.#remembers(); round++) {
      await this.#forgetOnce(this.#members)
    }
    const fault = (this.#waitsForNobody() ? this.#remembers() : undefined) ?? this.#unequal()
    if (isClear && fault !== undefined) world.faults.push(fault)
    if (await this.#agree()) this.#judge()
  }

  /** A folder that was replaced may have an older database than others have heard of. */
  async #introduce(): Promise<void> {
    for (const member of this.#members) {
      if (!member.hasTwin) this.#world.begin(member, () => member.node.introduce())
    }
    await this.#compareAll()
  }

  /** Each exchange proves only what one's neighbours have. */
  async #forgetOnce(members: readonly Citizen[]): Promise<void> {
    const world = this.#world
    for (const member of members) {
      world.begin(member, () => member.collect(world.history.keepMs))
    }
    await world.clock.pass(TWO_BUCKETS_MS)
    await this.#compareAll()
  }

  /** Whether all who are outside have been removed. */
  #waitsForNobody(): boolean {
    const outside = this.#world.citizens.filter((one) => !this.#members.includes(one))
    const isRemoved = ({ node }: Citizen) =>
      this.#members[0]?.view.entries.get(`2/member/${node.id}`)?.deleted
    return outside.every(isRemoved)
  }

  #remembers(): string | undefined {
    for (const { node } of this.#members) {
      const { tombstones } = node.life.index.counts()
      if (tombstones > 0) return `${node.place} still remembers ${tombstones} deletions`
    }
    return undefined
  }

  #unequal(): string | undefined {
    for (const [one, two] of this.#pairs()) {
      const report = one.node.life.sync.beliefs.report(two.node.id)
      if (report?.equal === false) return `${one.node.place} and ${two.node.place} are not the same`
    }
    return undefined
  }

  /** Nothing goes on that nobody would wait for. */
  async #end(): Promise<void> {
    const world = this.#world
    await world.clock.pass(HANGING_MS)
    const audited = world.chance.pick(this.#members)
    for (const fault of await auditIndex(audited.node.level.database)) {
      world.faults.push(`${audited.node.place}: ${fault}`)
    }
    if (world.unfinished > 0) world.faults.push(`${world.unfinished} calls have not ended`)
    if (world.clock.pending > 0) world.faults.push(`${world.clock.pending} timers are left`)
    for (const { node } of this.#members) await world.clock.run(() => node.stop())
    world.look()
  }
}

function admits({ node }: Citizen, other: Citizen): boolean {
  return node.id === other.node.id || node.life.network.admits(other.node.id)
}

/** Nodes of which nobody has removed another, and that hear of each other. */
function membersOf(citizens: readonly Citizen[], world: IndexWorld): readonly Citizen[] {
  const members: Citizen[] = []
  const denials = (one: Citizen) => citizens.filter((other) => !admits(other, one)).length
  for (const one of citizens.toSorted((a, b) => denials(a) - denials(b))) {
    const canHear = (other: Citizen) => other.node.id !== one.node.id && world.isLinked(one, other)
    const isLinked = members.length === 0 || members.some(canHear)
    if (isLinked && members.every((other) => admits(one, other) && admits(other, one))) {
      members.push(one)
    }
  }
  return members
}
