// How much of a round of the scrub is due by now. Pure.

/** A file costs a seek, however small it is. */
const FILE_BYTES_MIN = 256 * 1024
/** A round ends this much before its time, so that one that was held up still ends in it. */
const SHARE_OF_INTERVAL = 0.8

/** What reading a blob counts as, in bytes. */
export function scrubCost(bytes: number): number {
  return Math.max(bytes, FILE_BYTES_MIN)
}

/** What reading all blobs counts as. */
export function scrubTotal({ blobs, blobBytes }: { blobs: number; blobBytes: number }): number {
  return blobBytes + blobs * FILE_BYTES_MIN
}

/** The cost that should be spent so long after a round began. */
export function scrubDue(total: number, elapsedMs: number, intervalMs: number): number {
  const share = elapsedMs / (intervalMs * SHARE_OF_INTERVAL)
  return total * Math.min(Math.max(share, 0), 1)
}
