// One random world, from its seed to what is wrong with it in the end.

import { hash as digest } from 'node:crypto'
import type { ContentHash } from '../../protocols/hash.ts'
import { type ImagePath, parsePath } from '../../protocols/path.ts'
import { SeededChance } from '../support/seeded-chance.ts'
import type { SimNode, Tampering } from './sim-node.ts'
import { World, type WorldOptions } from './world.ts'

const FAULTS = [
  'lose',
  'cut',
  'partition',
  'slow',
  'double',
  'resend',
  'kill',
  'kill in the middle',
  'damage',
  'fill',
  'join'
] as const

type Fault = (typeof FAULTS)[number]

export interface Size {
  /** From and to; few of the largest. */
  readonly nodes: readonly [number, number]
  readonly deeds: number
  readonly imageBytesMax: number
}

export const SMALL: Size = { nodes: [2, 4], deeds: 12, imageBytesMax: 2000 }
export const LARGE: Size = { nodes: [3, 6], deeds: 80, imageBytesMax: 300_000 }

export interface Outcome {
  readonly faults: readonly string[]
  readonly fingerprint: string
}

interface Image {
  readonly bytes: Uint8Array
  readonly hash: ContentHash
}

const PATHS = ['a.svg', 'b.svg', 'c/d.svg', 'c/e.svg'].map(parsePath)
const IMAGES = 6

export async function runSeed(
  seed: number,
  { size = SMALL, tampering = {} }: { size?: Size; tampering?: Tampering } = {}
): Promise<Outcome> {
  const weather = new SeededChance(-seed)
  const world = new World(seed, { ...optionsOf(weather, size), tampering })
  const [fewest, most] = size.nodes
  const count = fewest + Math.floor(weather.fraction() ** 2 * (most - fewest + 1))
  wallOff(world, weather, count)
  for (let n = 0; n < count; n++) await world.add()
  const course = new Course(world, weather, size)
  for (let n = 0; n < size.deeds; n++) await course.act()
  const faults = await world.settle()
  const fingerprint = world.fingerprint()
  await world.stop() // signals that nobody aborts are kept for ever, and their world with them
  return { faults, fingerprint }
}

/** What is bad in this world, and how bad. */
function optionsOf(weather: SeededChance, { imageBytesMax }: Size): WorldOptions {
  const oneOf = <T>(...all: readonly T[]) => all[Math.floor(weather.fraction() * all.length)] as T
  return {
    wire: {
      delayMs: oneOf([0, 0], [0, 5], [0, 30], [20, 300]),
      dialLoss: oneOf(0, 0.1),
      breakage: oneOf(0, 0, 0.002, 0.01),
      bufferBytes: oneOf(imageBytesMax / 4, 65_536),
      overtake: oneOf(true, false)
    },
    diskMs: oneOf(0, 0, 0, 20),
    skewMs: oneOf(0, 0, 5000)
  }
}

/** Some worlds are a line, or two networks with one link between them. */
function wallOff({ wire }: World, weather: SeededChance, count: number): void {
  const shape = weather.fraction()
  const isLinked = (a: number, b: number) =>
    shape < 0.7 || (shape < 0.85 ? b - a === 1 : a % 2 === b % 2 || b === 1)
  for (let b = 1; b < count; b++) {
    for (let a = 0; a < b; a++) if (!isLinked(a, b)) wire.wall(`node-${a}`, `node-${b}`)
  }
}

/** What people do in a world, and what happens to it. */
class Course {
  readonly #world: World
  readonly #size: Size
  readonly #faults: readonly Fault[]
  readonly #images: readonly Image[]

  constructor(world: World, weather: SeededChance, size: Size) {
    this.#world = world
    this.#size = size
    this.#faults = FAULTS.filter(() => weather.fraction() < 0.4)
    this.#images = Array.from({ length: IMAGES }, (_, n) => {
      const bytes = imageOf(n, Math.floor(weather.fraction() ** 3 * size.imageBytesMax))
      return { bytes, hash: digest('sha256', bytes) as ContentHash }
    })
  }

  async act(): Promise<void> {
    const world = this.#world
    const node = world.anyNode()
    const fault = world.chance.fraction() < 0.4 ? world.pick(this.#faults) : undefined
    if (node === undefined) await world.heal()
    else if (fault === undefined) this.#write(node)
    else await this.#harm(fault, node)
    if (fault !== undefined && world.below(5) === 0) await world.heal()
    const pause = world.chance.fraction()
    if (pause > 0.3) await world.pass(world.below(pause < 0.8 ? 30 : 1500))
  }

  #write(node: SimNode): void {
    const world = this.#world
    const path = world.pick(PATHS) as ImagePath
    const image = world.pick(this.#images) as Image
    const deed = world.chance.fraction()
    if (deed < 0.6) world.put(node, path, image.bytes, image.hash)
    else if (deed < 0.9) world.remove(node, path)
    else {
      const hashes = this.#images.map(({ hash }) => hash)
      world.restore(node, path, hashes)
    }
  }

  async #harm(fault: Fault, node: SimNode): Promise<void> {
    const world = this.#world
    const { wire, nodes, writes } = world
    const other = world.anyNode() as SimNode
    switch (fault) {
      case 'lose':
        return wire.lose(node.id, other.id)
      case 'cut':
        return wire.cut(node.id, other.id)
      case 'partition':
        return wire.partition(...halvesOf(world))
      case 'slow':
        return wire.slow(node.id, other.id, world.below(3000))
      case 'double':
        return wire.double(node.id, other.id)
      case 'resend': {
        const entry = world.pick(writes.all)
        if (entry !== undefined && other !== node) world.resend(entry, node, other)
        return
      }
      case 'kill':
        return world.kill(node)
      case 'kill in the middle':
        node.life.death.comeAfter(world.below(12))
        return this.#write(node)
      case 'damage':
        return world.damage(node)
      case 'fill':
        world.fill(node)
        return this.#write(node)
      case 'join':
        if (nodes.length < this.#size.nodes[1]) await world.add()
        return
      default:
        return fault satisfies never
    }
  }
}

function halvesOf({ nodes, chance }: World): readonly [string[], string[]] {
  const halves: [string[], string[]] = [[], []]
  for (const { id } of nodes) halves[chance.fraction() < 0.5 ? 0 : 1].push(id)
  return halves
}

function imageOf(n: number, bytes: number): Uint8Array {
  const filling = `${n}`.padEnd(bytes, '.')
  return Buffer.from(
    `<svg xmlns="http://www.w3.org/2000/svg" width="4" height="3"><!--${filling}--></svg>`
  )
}
