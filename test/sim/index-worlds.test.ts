// A sample of the worlds of indexes (README.md): `npm run sim` runs more of them.

import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { commandOf } from './campaign/run-campaign.ts'
import type { History } from './index-world/history.ts'
import { planHistory } from './index-world/plan-history.ts'
import { runHistory } from './index-world/run-history.ts'
import { SABOTAGES } from './index-world/sabotages.ts'

const BLOCKS = 8
const BLOCK_SEEDS = 40
const BLOCK_MS_MAX = 180_000
const PINNED = new URL('index-world/pinned/', import.meta.url)

/** Those that few worlds are enough to miss, and how many are tried. */
const MISSED_SOON = [
  'exchange',
  'forwarding',
  'tombstones of others',
  'newer versions of others',
  'tie by writer',
  'sync before an answer',
  'lowering of watermarks',
  'watermarks, collecting by age alone',
  'collection',
  'horizon in an exchange'
]
const SABOTAGED_SEEDS = 80

describe('worlds of indexes keep what they promise after every step', () => {
  test.each(Array.from({ length: BLOCKS }, (_, n) => n))(
    'block %i',
    { timeout: BLOCK_MS_MAX },
    async (block) => {
      const told: string[] = []
      for (let n = 1; n <= BLOCK_SEEDS; n++) {
        const seed = block * BLOCK_SEEDS + n
        const { faults } = await runHistory(planHistory(seed))
        if (faults.length > 0) told.push([...faults, commandOf(seed)].join('\n'))
        // no world waits for the event loop, and the runner must hear from this process
        await new Promise((resolve) => setImmediate(resolve))
      }
      expect(told).toEqual([])
    }
  )

  test.each(readdirSync(PINNED))('%s', async (file) => {
    const history: History = JSON.parse(readFileSync(new URL(file, PINNED), 'utf8'))
    expect((await runHistory(history)).faults).toEqual([])
  })
})

test.each(MISSED_SOON)('%s: is missed when it is off', { timeout: BLOCK_MS_MAX }, async (name) => {
  let faults: readonly string[] = []
  for (let seed = 1; faults.length === 0 && seed <= SABOTAGED_SEEDS; seed++) {
    ;({ faults } = await runHistory(planHistory(seed), SABOTAGES[name]))
  }
  expect(faults).not.toEqual([])
})

test('what happens in a world is told by its history alone', async () => {
  for (const seed of [1, 2, 3, 4, 5]) {
    const [first, again] = [
      await runHistory(planHistory(seed)),
      await runHistory(planHistory(seed))
    ]
    expect(again).toEqual(first)
  }
})
