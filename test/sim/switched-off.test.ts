// A simulation that would not notice what is missing shows nothing.

import { expect, test } from 'vitest'
import { runSeed } from './run-seed.ts'
import { SWITCHED_OFF } from './tamperings.ts'

const SEEDS_MAX = 40

test.each(Object.entries(SWITCHED_OFF))(
  'without %s some world is not right in the end',
  { timeout: 120_000 },
  async (_what, tampering) => {
    let seed = 0
    let faults: readonly string[] = []
    while (faults.length === 0 && seed < SEEDS_MAX) {
      ;({ faults } = await runSeed(++seed, { tampering }))
    }
    expect(faults).not.toEqual([])
  }
)

test('what happens in a world is told by its seed alone', async () => {
  for (const seed of [1, 2, 3, 4, 5]) {
    const [first, again] = [await runSeed(seed), await runSeed(seed)]
    expect(again.fingerprint).toBe(first.fingerprint)
  }
})
