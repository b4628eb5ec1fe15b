// The small worlds of an ordinary test run. CI runs three thousand (.ci/run).

import { SMALL } from './run-seed.ts'
import type { Seeds } from './test-seeds.ts'

/**
 * Seeds that have found something, newest last. A change of the code gives each seed another
 * course, so a pin is worth most while what it found is being mended.
 */
const PINNED = [139, 194]

export const SMALL_WORLDS: Seeds = {
  size: SMALL,
  range: '1-300',
  variable: 'SEEDS',
  files: 'test/sim/worlds',
  pinned: PINNED
}
