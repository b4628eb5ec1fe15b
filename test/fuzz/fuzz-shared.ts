// What the thread that fuzzes and the one that watches it share.

export interface Work {
  readonly targets: readonly string[]
  readonly seconds: number
  readonly seed: number
  /** How many inputs were begun, and the length of the last; that one; the name of its target. */
  readonly shared: SharedArrayBuffer
}

export const HEAD_BYTES = 8
export const INPUT_BYTES_MAX = 64 * 1024
export const NAME_BYTES = 64
