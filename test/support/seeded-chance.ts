// The Random that parts take, repeated by a seed.

import type { Random } from '../../src/base/clock.ts'
import { seededRandom } from './seeded-random.ts'

export class SeededChance implements Random {
  readonly fraction: () => number

  constructor(seed: number) {
    this.fraction = seededRandom(seed)
  }

  bytes(count: number): Uint8Array {
    return Uint8Array.from({ length: count }, () => Math.floor(this.fraction() * 256))
  }
}
