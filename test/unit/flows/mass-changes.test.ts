import { afterEach, beforeEach, expect, test } from 'vitest'
import { parsePath } from '../../../protocols/path.ts'
import { imagesChangedSince } from '../../../src/flows/mass-changes.ts'
import { type MemoryNode, openMemoryNode, tinyImage } from '../../support/memory-node.ts'
import { SeededChance } from '../../support/seeded-chance.ts'

const PATHS = 12
const CHANGES = 200

let node: MemoryNode
beforeEach(async () => {
  node = await openMemoryNode()
})
afterEach(() => node.close())

test('of each path what it was at first is told once, however few paths are remembered', async () => {
  const { index } = node.flows
  const chance = new SeededChance(7)
  const before = new Map<string, string>()
  for (let n = 0; n < PATHS; n++) await node.put(`${n}.svg`, tinyImage(n))
  for (let n = 0; n < 40; n++) {
    node.clock.advance(10)
    await node.put(`${n % PATHS}.svg`, tinyImage(100 + n))
  }
  node.clock.advance(1000)
  const sinceMs = node.clock.now()
  for (let n = 0; n < PATHS; n++) {
    before.set(`${n}.svg`, index.image(parsePath(`${n}.svg`))?.hash as string)
  }
  for (let n = 0; n < CHANGES; n++) {
    node.clock.advance(Math.floor(chance.fraction() * 2)) // some at the same time
    const path = parsePath(`${Math.floor(chance.fraction() * PATHS)}.svg`)
    if (chance.fraction() < 0.3) await index.change((tx) => tx.deleteImage(path))
    else await node.put(path, tinyImage(1000 + n))
  }
  for (const seenMax of [1000, PATHS - 1, 3, 1, 0]) {
    const told = new Map<string, string>()
    let lines = 0
    for await (const { path, before } of imagesChangedSince(index, sinceMs, seenMax)) {
      told.set(path, before.hash)
      lines++
    }
    expect([seenMax, lines, told]).toEqual([seenMax, PATHS, before])
  }
})

test('no more paths are remembered where many change again and again', async () => {
  const { index } = node.flows
  const paths = Array.from({ length: PATHS }, (_, n) => parsePath(`${n}.svg`))
  const sinceMs = node.clock.now()
  for (let round = 0; round < 4; round++) {
    for (const [n, path] of paths.entries()) {
      node.clock.advance(10)
      await node.put(path, tinyImage(100 * round + n))
    }
  }
  let asked = 0
  const counted: Parameters<typeof imagesChangedSince>[0] = {
    pastSince: (ms) => index.pastSince(ms),
    get: (path) => index.get(path),
    pastOf: (path) => {
      asked++
      return index.pastOf(path)
    }
  }
  const told = await Array.fromAsync(imagesChangedSince(counted, sinceMs, 3))
  expect(told.map(({ path }) => path)).toEqual(paths)
  // each time but for the first four: until then all were remembered, and then no path still is
  expect(asked).toBe(3 * PATHS - 4)
})
