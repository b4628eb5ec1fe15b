// Sizes and durations as people write them, read strictly: what is not understood is refused, never
// guessed.

const SIZE_UNITS: Readonly<Record<string, number>> = {
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KIB: 2 ** 10,
  MIB: 2 ** 20,
  GIB: 2 ** 30,
  TIB: 2 ** 40
}
const DURATION_UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1e3,
  m: 60e3,
  h: 3600e3,
  d: 86_400e3
}

/** Bytes of "100MB" (10^8), "100MiB" (104,857,600), "512" or 512. Undefined if it is not a size. */
export function parseSize(value: string | number): number | undefined {
  return parseQuantity(String(value).toUpperCase(), SIZE_UNITS, 1)
}

/**
 * Milliseconds of "30s", "1.5h", "7d", "200ms"; bare numbers are seconds. Undefined if it is not a
 * duration.
 */
export function parseDuration(value: string | number): number | undefined {
  return parseQuantity(String(value), DURATION_UNITS, 1e3)
}

function parseQuantity(
  text: string,
  units: Readonly<Record<string, number>>,
  bareUnit: number
): number | undefined {
  const [, number, unit] = /^\s*(\d+(?:\.\d+)?)\s*([A-Za-z]*)\s*$/.exec(text) ?? []
  if (number === undefined || unit === undefined) return undefined
  const scale = unit === '' ? bareUnit : Object.hasOwn(units, unit) ? units[unit] : undefined
  if (scale === undefined) return undefined
  const result = Math.round(Number(number) * scale)
  return Number.isSafeInteger(result) ? result : undefined
}

/** "1.5 MB", "812 B": decimal units, two significant digits or more. */
export function formatSize(bytes: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB', 'PB']
  let value = bytes
  let at = 0
  while (value >= 1000 && at < units.length - 1) {
    value /= 1000
    at++
  }
  return `${at === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[at]}`
}
