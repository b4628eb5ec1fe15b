// The history of a seed: what kind of world it is, and what happens in it. Pure.

import { Chance } from './chance.ts'
import type { Deed, History, Step } from './history.ts'
import { CONTENTS_COUNT, PATHS_COUNT } from './images.ts'

const SECOND_MS = 1000
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const BUCKET_MS = 65_536
/** One after the other, in which two nodes that were not connected tell each other everything. */
const ALL_MESSAGES = [0, 12] as const
/** After these it may be known that one of them is new, and not told what was deleted long ago. */
const KNOWN_MESSAGES = [4, 8] as const
/** A world grows by so many nodes. */
export const NODES_MORE = 2

export interface Size {
  /** From and to; few of the largest. */
  readonly nodes: readonly [number, number]
  readonly steps: readonly [number, number]
}

export const SHORT: Size = { nodes: [2, 7], steps: [40, 500] }

/** What may happen in a world beside writes and exchanges, and how often. */
const TROUBLES = {
  wire: 8,
  partition: 4,
  resend: 3,
  crash: 4,
  fail: 1,
  jump: 2,
  restore: 2,
  wipe: 1,
  copy: 1,
  twin: 1,
  join: 1,
  remove: 2
} as const

type Trouble = keyof typeof TROUBLES

export function planHistory(seed: number, size: Size = SHORT): History {
  const chance = new Chance(Math.imul(seed, 0x9e3779b1))
  for (let n = 0; n < 3; n++) chance.fraction()
  const nodes = between(chance, size.nodes, 4)
  const skew = chance.pick([0, 0, 3 * SECOND_MS, 5 * 60 * SECOND_MS])
  const world = {
    nodes,
    walls: planWalls(chance, nodes),
    skewMs: Array.from({ length: nodes + 2 }, () => Math.round((chance.fraction() * 2 - 1) * skew)),
    keepMs: chance.pick([1, 1, 2, 10]) * DAY_MS,
    delayMs: chance.pick([
      [0, 0],
      [0, 5],
      [0, 30],
      [20, 300]
    ] as const),
    dialLoss: chance.pick([0, 0, 0.1]),
    breakage: chance.pick([0, 0, 0.005, 0.03]),
    overtake: chance.fraction() < 0.5,
    diskMs: chance.pick([0, 0, 0, 20]),
    acquainted: chance.fraction() < 0.7,
    returns: chance.fraction() < 0.7,
    salt: saltOf(chance)
  }
  const course = new Course(chance, nodes, world.keepMs)
  const count = between(chance, size.steps, 8)
  return { ...world, steps: Array.from({ length: count }, () => course.next()) }
}

/** The higher `power`, the fewer large ones. */
function between(chance: Chance, [from, to]: readonly [number, number], power: number): number {
  return from + Math.floor(chance.fraction() ** power * (to - from + 1))
}

function saltOf(chance: Chance): number {
  return chance.below(2 ** 31)
}

/** Some worlds are a line, a ring, or two networks with one link between them. */
function planWalls(chance: Chance, count: number): (readonly [number, number])[] {
  const shape = chance.fraction()
  const isLinked = (a: number, b: number) => {
    if (shape < 0.65) return true
    if (shape < 0.8) return b - a === 1
    if (shape < 0.88) return b - a === 1 || b - a === count - 1
    return a % 2 === b % 2 || (a === 0 && b === 1)
  }
  const pairs = Array.from({ length: count }, (_, b) =>
    Array.from({ length: b }, (_, a) => [a, b] as const)
  )
  return pairs.flat().filter(([a, b]) => !isLinked(a, b))
}

/** What happens in one world, one thing after the other. */
class Course {
  readonly #chance: Chance
  /** Those that came later included. */
  #nodes: number
  readonly #nodesMax: number
  readonly #keepMs: number
  readonly #troubles: readonly Trouble[]
  readonly #paths: number
  readonly #paces: readonly number[]
  /** What comes next in any case, and the time that passes after it. */
  readonly #forced: (readonly [Deed, number])[] = []
  /** The first one with the identity of another, and that one. */
  #twins: readonly [number, number] | undefined
  /** How many were made so far. */
  #backups = 0
  /** A deletion in place of so many writes. */
  readonly #deletes: number

  constructor(chance: Chance, nodes: number, keepMs: number) {
    this.#keepMs = keepMs
    this.#chance = chance
    this.#nodes = nodes
    this.#nodesMax = nodes + NODES_MORE
    const all = Object.entries(TROUBLES) as [Trouble, number][]
    this.#troubles = all.flatMap(([trouble, weight]) =>
      chance.fraction() < 0.35 ? Array.from({ length: weight }, () => trouble) : []
    )
    this.#paths = 1 + chance.below(PATHS_COUNT)
    this.#deletes = chance.pick([0.2, 0.4, 0.5])
    this.#paces = chance.pick([
      [0, 30, 1500],
      [0, 100, 5 * SECOND_MS, 2 * BUCKET_MS, 2 * DAY_MS],
      [0, 1500, 2 * BUCKET_MS, HOUR_MS, 2 * DAY_MS],
      [0, 3 * BUCKET_MS, DAY_MS, 4 * DAY_MS],
      [0, 3 * BUCKET_MS, 2 * DAY_MS, 120 * DAY_MS]
    ])
  }

  next(): Step {
    const [deed, ms = this.#pause()] = this.#forced.shift() ?? [this.#deed()]
    return { ...deed, ms, salt: saltOf(this.#chance) }
  }

  #pause(): number {
    const chance = this.#chance
    const luck = chance.fraction()
    if (luck < 0.3) return 0
    if (luck < 0.7) return chance.below(this.#paces[1] as number)
    return chance.below(chance.pick(this.#paces) + 1)
  }

  #deed(): Deed {
    const chance = this.#chance
    const node = chance.below(this.#nodes)
    const luck = chance.fraction()
    if (luck < 0.33) {
      const path = chance.below(this.#paths)
      if (chance.fraction() < this.#deletes) return { do: 'delete', node, path }
      return { do: 'write', node, path, content: chance.below(CONTENTS_COUNT) }
    }
    const other = this.#other(node)
    if (luck < 0.45) return { do: 'compare', node, with: other }
    if (luck < 0.55) return { do: 'meet' }
    if (luck < 0.6) return { do: 'collect', node }
    if (luck < 0.65) return { do: 'forget' }
    if (luck < 0.7 || this.#troubles.length === 0) return { do: 'wait' }
    return this.#trouble(chance.pick(this.#troubles), node, other)
  }

  #other(node: number): number {
    return (node + 1 + this.#chance.below(this.#nodes - 1)) % this.#nodes
  }

  #trouble(trouble: Trouble, node: number, other: number): Deed {
    const chance = this.#chance
    const half = chance.fraction() < 0.5
    switch (trouble) {
      case 'wire':
        return this.#wire(node, other)
      case 'partition': {
        if (half) return { do: 'heal' }
        const groups = Array.from({ length: this.#nodes }, () => chance.below(3) % 2)
        return { do: 'partition', groups }
      }
      case 'resend':
        return { do: 'resend', node, with: other, which: chance.below(1000) }
      case 'crash':
        if (half) return { do: 'start', node }
        return { do: 'crash', node, share: chance.pick([0, 0, 0.5, 1]) }
      case 'fail':
        return { do: 'fail', node, isWritten: half }
      case 'jump':
        if (half) return { do: 'jump', node, byMs: this.#jump() }
        return this.#writeInThePast(node, other)
      case 'restore':
        if (chance.fraction() < 0.2) return this.#restoreTheForgotten(other)
        if (half) return this.#backup()
        return chance.fraction() < 0.7
          ? { do: 'restore', node: 0, which: chance.below(100) }
          : { do: 'review', node, restores: chance.fraction() < 0.5 }
      case 'wipe':
        return half ? { do: 'wipe', node: 1 } : this.#forgetBeforeTheNewKnows(node === 1 ? 0 : node)
      case 'copy':
        return { do: 'copy', node, from: other }
      case 'twin':
        return this.#twin(node)
      case 'join':
        if (this.#nodes === this.#nodesMax) return { do: 'wait' }
        this.#nodes++
        return { do: 'join' }
      case 'remove':
        return { do: half ? 'remove' : 'return', node, member: other }
    }
  }

  /** Once there are twins, they write under one path at the same moment. */
  #twin(node: number): Deed {
    const path = this.#chance.below(this.#paths)
    if (this.#twins !== undefined) {
      const [one, two] = this.#twins
      this.#forced.push([{ do: 'write', node: one, path, content: 0 }, 0])
      this.#forced.push([{ do: 'write', node: two, path, content: 1 }, this.#pause()])
      return { do: 'wait' }
    }
    if (this.#nodes === this.#nodesMax) return { do: 'wait' }
    this.#twins = [node, this.#nodes++]
    return { do: 'twin', node }
  }

  /** A deletion is old by then, and all are known to have it. Before it this is done. */
  #deleteLongAgo(node: number, before: Deed = { do: 'wait' }): void {
    const path = this.#chance.below(this.#paths)
    this.#forced.push([{ do: 'write', node, path, content: 3 }, this.#chance.below(SECOND_MS)])
    this.#forced.push([before, 0])
    this.#forced.push([{ do: 'delete', node, path }, this.#chance.below(SECOND_MS)])
    this.#forced.push([{ do: 'meet' }, this.#keepMs + DAY_MS])
    this.#forced.push([{ do: 'meet' }, 2 * SECOND_MS])
  }

  #backup(): Deed {
    this.#backups++
    return { do: 'backup', node: 0 }
  }

  /** A folder comes back from before a deletion that all have forgotten. */
  #restoreTheForgotten(other: number): Deed {
    const which = this.#chance.fraction() < 0.5 ? this.#backups : this.#chance.below(100)
    this.#deleteLongAgo(other, this.#backup())
    this.#forced.push([{ do: 'forget' }, SECOND_MS])
    this.#forced.push([{ do: 'restore', node: 0, which }, 0])
    this.#forced.push([{ do: 'meet' }, this.#pause()])
    return { do: 'meet' }
  }

  /** All forget while a node that lost its folder is being told of everything. */
  #forgetBeforeTheNewKnows(node: number): Deed {
    this.#deleteLongAgo(node)
    this.#forced.push([{ do: 'wipe', node: 1 }, SECOND_MS])
    const byMs = this.#chance.below(SECOND_MS)
    const [from, to] = this.#chance.pick([KNOWN_MESSAGES, ALL_MESSAGES])
    const ms = Math.round(byMs * (from + (to - from) * this.#chance.fraction()))
    this.#forced.push([{ do: 'slow', node, with: 1, byMs }, 0])
    this.#forced.push([{ do: 'compare', node, with: 1 }, ms])
    this.#forced.push([{ do: 'forget' }, 0])
    return { do: 'meet' }
  }

  /** Two have just proved that they have the same, and the clock of one goes back. */
  #writeInThePast(node: number, other: number): Deed {
    const path = this.#chance.below(this.#paths)
    this.#forced.push([{ do: 'jump', node, byMs: -Math.abs(this.#jump()) }, 0])
    this.#forced.push([{ do: 'write', node, path, content: 2 }, this.#pause()])
    return { do: 'compare', node, with: other }
  }

  #wire(node: number, other: number): Deed {
    const chance = this.#chance
    const luck = chance.fraction()
    if (luck < 0.3) return { do: 'lose', node, with: other }
    if (luck < 0.5) return { do: 'double', node, with: other }
    if (luck < 0.7) return { do: 'slow', node, with: other, byMs: chance.below(3000) }
    if (luck < 0.8) return { do: 'heal' }
    return { do: 'cut', node, with: other }
  }

  #jump(): number {
    const far = this.#chance.pick([5 * SECOND_MS, 5 * 60 * SECOND_MS, 3 * HOUR_MS])
    return Math.round((this.#chance.fraction() * 2 - 1) * far)
  }
}
