// Versions: 48 bits of milliseconds and 16 bits of counter in one unsigned 64-bit number.

import { WireError } from './wire-error.ts'

/** Milliseconds since 1970 << 16 | counter. Compare with < and >. */
export type Version = bigint

const COUNTER_BITS = 16n
export const VERSION_MAX: Version = (1n << 64n) - 1n

const YEAR_MS = 365.25 * 86_400_000
/** No clock is right that says less than 2026. */
const CLOCK_MS_MIN = 1_767_225_600_000
/** How far ahead of the clock an entry of another node may be: far beyond any error. */
const AHEAD_MS_MAX = 100 * YEAR_MS

/** What an author's clock says at most: a broken one must not make entries that nobody takes. */
export const CLOCK_MS_MAX = CLOCK_MS_MIN + 80 * YEAR_MS

/**
 * Whether an entry of another node may be taken in by a clock. Without this one entry with the
 * highest version there is could never be replaced, by nobody. The limit moves with the time, so
 * what is taken leaves room above it, and what is refused by a clock that is behind is taken later.
 */
export function isWithinReach(version: Version, nowMs: number): boolean {
  return versionMs(version) <= Math.max(nowMs, CLOCK_MS_MIN) + AHEAD_MS_MAX
}

export function versionAt(ms: number): Version {
  return BigInt(Math.max(0, Math.trunc(ms))) << COUNTER_BITS
}

/** The milliseconds of a version. */
export function versionMs(version: Version): number {
  return Number(version >> COUNTER_BITS)
}

/** 16 hex digits, which sort like the versions themselves. */
export function versionKey(version: Version): string {
  return version.toString(16).padStart(16, '0')
}

/** Back from `versionKey`. Throws WireError BAD_VERSION. */
export function parseVersionKey(text: string): Version {
  if (!/^[0-9a-f]{16}$/.test(text)) {
    throw new WireError('BAD_VERSION', `not a version: ${JSON.stringify(text.slice(0, 40))}`)
  }
  return BigInt(`0x${text}`)
}
