// Whatever way there is between two nodes, they hear of each other's images: at once, by pushes
// that are passed on, and after a time apart.

import { hash as digest } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { ContentHash } from '../../protocols/hash.ts'
import { parsePath } from '../../protocols/path.ts'
import { tinyImage } from '../support/memory-node.ts'
import { agree } from './faults.ts'
import type { SimNode, Tampering } from './sim-node.ts'
import { noExchange, noForwarding } from './tamperings.ts'
import { World } from './world.ts'

/** Pairs that have a way to each other. */
type Links = readonly (readonly [number, number])[]

const LINE: Links = [
  [0, 1],
  [1, 2],
  [2, 3]
]
const TOPOLOGIES: Readonly<Record<string, Links>> = {
  'a full mesh': [0, 1, 2, 3].flatMap((b) => Array.from({ length: b }, (_, a) => [a, b] as const)),
  'a line': LINE,
  'two networks with one link': [
    [0, 1],
    [0, 2],
    [1, 2],
    [2, 3],
    [3, 4],
    [3, 5],
    [4, 5]
  ]
}
const SEEDS = [1, 2, 3]
/** Long enough for pushes, and shorter than what lies between two exchanges. */
const HEARD_MS = 1000

async function worldOf(seed: number, links: Links, tampering: Tampering = {}): Promise<World> {
  const world = new World(seed, { tampering })
  const count = Math.max(...links.flat()) + 1
  const isLinked = (a: number, b: number) => links.some(([one, two]) => one === a && two === b)
  for (let b = 1; b < count; b++) {
    for (let a = 0; a < b; a++) if (!isLinked(a, b)) world.wire.wall(`node-${a}`, `node-${b}`)
  }
  for (let n = 0; n < count; n++) await world.add()
  await world.pass(6000) // all have compared with all their neighbours
  return world
}

function put(world: World, node: SimNode, path: string, n: number): void {
  const bytes = tinyImage(n)
  world.put(node, parsePath(path), bytes, digest('sha256', bytes) as ContentHash)
}

const first = ({ nodes }: World) => nodes[0] as SimNode
const last = ({ nodes }: World) => nodes.at(-1) as SimNode
const sees = ({ life }: SimNode, path: string) => life.flows.index.image(parsePath(path))

describe.each(Object.entries(TOPOLOGIES))('%s', (_name, links) => {
  test.each(SEEDS)(
    'hears of every image and every deletion within a second (seed %i)',
    async (s) => {
      const world = await worldOf(s, links)
      for (const [n, node] of world.nodes.entries()) put(world, node, `${n}.svg`, n)
      await world.pass(HEARD_MS)
      expect(agree(world.nodes)).toBe(true)
      expect(last(world).life.flows.index.counts()).toMatchObject({ images: world.nodes.length })
      world.remove(last(world), parsePath('0.svg'))
      put(world, first(world), '1.svg', 9)
      await world.pass(HEARD_MS)
      expect(agree(world.nodes)).toBe(true)
      expect([sees(first(world), '0.svg'), sees(last(world), '0.svg')]).toEqual([
        undefined,
        undefined
      ])
      expect(await world.settle()).toEqual([])
    }
  )

  test.each(SEEDS)('agrees after a time in which its halves were apart (seed %i)', async (s) => {
    const world = await worldOf(s, links)
    put(world, first(world), 'old.svg', 1)
    await world.pass(HEARD_MS)
    const ids = world.nodes.map(({ id }) => id)
    world.wire.partition(ids.slice(0, 2), ids.slice(2))
    world.remove(first(world), parsePath('old.svg'))
    put(world, first(world), 'left.svg', 2)
    put(world, last(world), 'right.svg', 3)
    await world.pass(40_000)
    expect(sees(first(world), 'right.svg')).toBeUndefined()
    expect(sees(last(world), 'old.svg')).toBeDefined()
    expect(await world.settle()).toEqual([])
    for (const node of world.nodes) expect(sees(node, 'old.svg')).toBeUndefined()
  })
})

describe('a push alone', () => {
  const reaches = async (tampering: Tampering) => {
    const world = await worldOf(1, LINE, tampering)
    put(world, first(world), 'a.svg', 1)
    await world.pass(HEARD_MS)
    return world.nodes.map((node) => sees(node, 'a.svg') !== undefined)
  }

  test('reaches the end of a line, since it is passed on', async () => {
    expect(await reaches(noExchange)).toEqual([true, true, true, true])
  })

  test('reaches neighbours only if nobody passes it on', async () => {
    const tampering = noForwarding(LINE.flat().map((n) => `node-${n}`))
    expect(await reaches(tampering)).toEqual([true, true, false, false])
  })
})

test('who is removed while it is off stays removed, wherever it comes back and whom it meets', async () => {
  const world = new World(1)
  const [one, other, gone] = [await world.add(), await world.add(), await world.add()]
  await world.pass(6000)
  for (const node of [other, gone]) await world.kill(node)
  await world.run(() => one.life.mesh.remove(gone.id))
  world.wire.partition([one.id], [other.id, gone.id])
  await world.revive(other)
  await world.revive(gone, { moves: true })
  await world.pass(HEARD_MS)
  const known = ({ life }: SimNode) => life.mesh.servers().map(({ peerId }) => peerId)
  expect(known(other)).toContain(gone.id)
  world.wire.healAll()
  await world.pass(90_000) // all members have been dialled
  expect([known(one), known(other)]).toEqual([[other.id], [one.id]])
})
