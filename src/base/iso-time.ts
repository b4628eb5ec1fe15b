// Times as programs read them.

/** The end of what Date can show. */
const CALENDAR_MS_MAX = 8.64e15

/** ISO 8601 in UTC; a time that no calendar has is shown as the last one that it has. */
export function isoTime(ms: number): string {
  return new Date(Math.min(ms, CALENDAR_MS_MAX)).toISOString()
}
