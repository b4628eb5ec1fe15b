// Versions: 48 bits of milliseconds and 16 bits of counter in one unsigned 64-bit number.

import { WireError } from './wire-error.ts'

/** Milliseconds since 1970 << 16 | counter. Compare with < and >. */
export type Version = bigint

const COUNTER_BITS = 16n
export const VERSION_MAX: Version = (1n << 64n) - 1n

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
