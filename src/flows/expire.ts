// The trash grows old: versions that were superseded or deleted long enough ago are let go, oldest
// first.

import type { ContentHash } from '../../protocols/hash.ts'
import type { PastVersion } from '../index/rows.ts'
import type { FlowParts } from './parts.ts'

export interface ExpireOptions {
  /** Everything older is let go. */
  readonly trashKeepMs: number
  /** More bytes than this in the trash: the oldest go first, whatever their age. */
  readonly trashBytesMax: number
  /** Whether the disk needs the room now. */
  readonly isUrgent?: boolean
}

/** What is remembered between two runs. */
export interface Fruitless {
  /** Bytes in the trash when no past version was left whose bytes would make room. */
  trashBytes?: number | undefined
  /** Until then, by the monotonic clock, the trash may hold too much. */
  restsUntilMs?: number | undefined
}

const GROUP_VERSIONS = 100
/**
 * Where so many versions were looked at in vain, as after many images were renamed, it rests for so
 * many times as long as that took: else a trash that is always at its bound would have it look
 * through all of them all the time.
 */
const VAIN_MAX = 2_000
const REST_FACTOR = 20

/** Lets go of what is too old or too much; returns how many versions. */
export async function expire(
  parts: FlowParts,
  { trashKeepMs, trashBytesMax, isUrgent = false }: ExpireOptions,
  signal: AbortSignal,
  fruitless: Fruitless = {}
): Promise<number> {
  const { index, clock, brakes } = parts
  if (brakes.all().length > 0) return 0
  const tooOld = clock.now() - trashKeepMs
  const beganMs = clock.monotonicMs()
  const rests = !isUrgent && beganMs < (fruitless.restsUntilMs ?? Number.NEGATIVE_INFINITY)
  let expired = 0
  let inVain = 0
  let group: PastVersion[] = []
  const isExcess = () => {
    const { trashBytes } = index.counts()
    return !rests && trashBytes > trashBytesMax && trashBytes !== fruitless.trashBytes
  }
  let isWhole = true
  for await (const version of index.pastBefore(Number.MAX_SAFE_INTEGER)) {
    isWhole = !signal.aborted && (version.sinceMs < tooOld || isExcess())
    if (!isWhole) break
    if (version.sinceMs >= tooOld) {
      const blob = index.blob(version.entry.hash as ContentHash)
      if (blob?.state !== 'trashed') {
        inVain++
        continue // letting go of it would make no room
      }
    }
    group.push(version)
    // one by one while the size decides, so that no more goes than must
    if (group.length < GROUP_VERSIONS && version.sinceMs < tooOld) continue
    expired += await letGo(parts, group)
    group = []
  }
  expired += await letGo(parts, group)
  if (inVain >= VAIN_MAX) {
    const nowMs = clock.monotonicMs()
    fruitless.restsUntilMs = nowMs + (nowMs - beganMs) * REST_FACTOR
  }
  if (isWhole && !rests) fruitless.trashBytes = isExcess() ? index.counts().trashBytes : undefined
  return expired
}

async function letGo(
  { index, settler }: FlowParts,
  versions: readonly PastVersion[]
): Promise<number> {
  if (versions.length === 0) return 0
  await index.change((tx) => {
    for (const version of versions) tx.dropPast(version)
  })
  const hashes = new Set(versions.map(({ entry }) => entry.hash as ContentHash))
  for (const hash of hashes) await settler.settleBlob(hash)
  return versions.length
}
