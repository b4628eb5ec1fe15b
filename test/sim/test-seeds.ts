// The seeds of a test run, in blocks, shared by files that run side by side.
//
//   npx vitest run test/sim                          all
//   SEEDS=17 npx vitest run test/sim/worlds          one, as a failure says
//   SEEDS=1-1000000 npx vitest run test/sim/worlds   a campaign, for a night

import { expect, test } from 'vitest'
import { runSeed, type Size } from './run-seed.ts'

const BLOCK_SEEDS = 250
const BLOCK_MS_MAX = 240_000
/** Faults are alike: the first ones are enough. */
const TOLD_MAX = 3

export interface Seeds {
  readonly size: Size
  /** The first and the last, unless the environment says others. */
  readonly range: string
  /** The variable of the environment that does. */
  readonly variable: string
  /** The tests that run them, as the command of a failure names them. */
  readonly files: string
  /** Those that always run. */
  readonly pinned?: readonly number[]
}

/** Tests of the blocks that fall to one of so many files. */
export function testSeeds(seeds: Seeds, part = 0, parts = 1): void {
  const { pinned = [], range, variable } = seeds
  const blocks = [...blocksOf(process.env[variable] ?? range)].filter((_, n) => n % parts === part)
  if (part === 0 && pinned.length > 0) blocks.unshift(pinned)
  if (blocks.length === 0) test.skip('no seeds are left for this file', () => {})
  for (const block of blocks) {
    const name = block === pinned ? 'that are pinned' : `${block[0]} to ${block.at(-1)}`
    test(`worlds ${name} are the same everywhere once it is quiet`, { timeout: BLOCK_MS_MAX }, () =>
      runBlock(block, seeds)
    )
  }
}

async function runBlock(block: readonly number[], { size, variable, files }: Seeds): Promise<void> {
  const told: string[] = []
  for (const seed of block) {
    const faults = await faultsOf(seed, size)
    const again = `${variable}=${seed} npx vitest run ${files}`
    if (faults.length > 0) told.push([`World ${seed}:`, ...faults, again].join('\n'))
    if (told.length >= TOLD_MAX) break
    // no world waits for the event loop, and the runner must hear from this process
    await new Promise((resolve) => setImmediate(resolve))
  }
  expect(told.join('\n\n')).toBe('')
}

async function faultsOf(seed: number, size: Size): Promise<readonly string[]> {
  try {
    return (await runSeed(seed, { size })).faults
  } catch (error) {
    return [error instanceof Error ? (error.stack ?? error.message) : String(error)]
  }
}

/** `17`, or `1-1000` in blocks. */
function* blocksOf(range: string): Generator<readonly number[]> {
  const [first = 1, last = first] = range.split('-').map(Number)
  for (let from = first; from <= last; from += BLOCK_SEEDS) {
    const count = Math.min(BLOCK_SEEDS, last - from + 1)
    yield Array.from({ length: count }, (_, n) => from + n)
  }
}
