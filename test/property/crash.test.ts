// Killed anywhere, also by a power cut, a node comes back with all that it acknowledged and nothing
// half-done.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { ContentHash } from '../../protocols/hash.ts'
import type { Version } from '../../protocols/version.ts'
import { recover } from '../../src/flows/recover.ts'
import { Death } from '../support/death.ts'
import { type MemoryDisk, makeMemoryDisk, openMemoryNode } from '../support/memory-node.ts'
import { faultsOf, randomRounds, type Step, take } from '../support/random-flows.ts'

interface World {
  readonly rounds: Step[][]
  readonly stepsToDeath: number
  /** kill -9, or a power cut that keeps this share of what was not synced. */
  readonly end: 'kill' | number
}

const worldOf = (rounds: fc.Arbitrary<Step[][]>): fc.Arbitrary<World> =>
  fc.record({
    rounds,
    stepsToDeath: fc.nat(150),
    end: fc.oneof(fc.constant('kill' as const), fc.constantFrom(0, 0.5, 1))
  })

/** Runs a node to its death; the version of each path that somebody was told of. */
async function live(disk: MemoryDisk, { rounds, stepsToDeath }: World) {
  const told = new Map<string, Version>()
  const death = new Death(stepsToDeath)
  const dying = await openMemoryNode({ disk, wrap: death.wrap })
  disk.level.pause = death.step
  const tell = async (step: Step) => {
    await take(dying, step)
    for (const path of [step.path, step.to]) {
      const { version } = dying.flows.index.get(path) ?? {}
      if (version !== undefined) told.set(path, version)
    }
  }
  for (const steps of rounds) {
    await Promise.race([death.coming, Promise.all(steps.map(tell))])
  }
  await new Promise((resolve) => setImmediate(resolve)) // what was past its last step ends
  disk.level.pause = async () => {}
  return told
}

async function diskAfter({ end }: World, disk: MemoryDisk): Promise<MemoryDisk> {
  if (end !== 'kill') {
    disk.view.cutPower()
    return { ...disk, level: await disk.level.afterPowerCut(end) }
  }
  await disk.level.close()
  await disk.level.open()
  return disk
}

test.each([
  ['a node that was killed anywhere', randomRounds({})],
  ['a node that was killed on a full disk', randomRounds({ fill: true })]
])('%s has lost nothing and left nothing half-done', async (_what, rounds) => {
  await fc.assert(
    fc.asyncProperty(worldOf(rounds), async (world) => {
      const disk = await makeMemoryDisk()
      const told = await live(disk, world)
      const node = await openMemoryNode({ disk: await diskAfter(world, disk) })
      const { index, store } = node.flows
      await recover(node.flows)
      for (const [path, version] of told) {
        expect(index.get(path as never)?.version).toBeGreaterThanOrEqual(version)
      }
      for await (const { hash } of index.list()) {
        expect((await store.rehash(hash as ContentHash))?.hash).toBe(hash)
      }
      expect(await faultsOf(node)).toEqual([])
      await node.close()
    }),
    { numRuns: Number(process.env.RUNS ?? 300) }
  )
})
