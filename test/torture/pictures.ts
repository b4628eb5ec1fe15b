// Images of any size that are told apart by a number.

import { hash as digest } from 'node:crypto'
import type { Sha256 } from './model.ts'

export interface Picture {
  readonly bytes: Buffer
  readonly hash: Sha256
}

/** Most are small, few are larger than what is kept in memory. */
export function pictureOf(n: number, fraction: number): Picture {
  const length = Math.floor(300 + fraction ** 4 * 700_000)
  const filling = `${n} `.repeat(Math.ceil(length / `${n} `.length)).slice(0, length)
  const text = `<svg xmlns="http://www.w3.org/2000/svg" width="4" height="3"><!-- ${filling}--></svg>`
  const bytes = Buffer.from(text)
  return { bytes, hash: digest('sha256', bytes) }
}
