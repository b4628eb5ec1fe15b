// What this node says of the blobs that it lacks.

import { WANT_RANGES_MAX } from '../../protocols/entries/limits.ts'
import type { EntriesStatus, WantRange } from '../../protocols/entries/source.ts'
import type { ImageEntry } from '../../protocols/entry.ts'
import { BUCKET_MAX, bucketAt, bucketOf } from '../../protocols/time-tree-shape.ts'
import { parseVersionKey, versionMs } from '../../protocols/version.ts'
import type { FlowParts } from '../flows/parts.ts'
import { planWantRanges } from '../index-sync/plan-want-ranges.ts'

type WantsTold = Pick<EntriesStatus, 'wantsFiles' | 'wantsBytes' | 'wantRanges'>

/** Newest wants that are looked at one by one; the rest is told as one range. */
const WANTS_MAX = 5000
/** Live paths of one blob that are looked at. */
const PATHS_MAX = 64
/** A look that took longer than this is followed by a rest of so many times as long. */
const QUICK_MS = 20
const REST_FACTOR = 40
const VERSION_KEY_LENGTH = 16
/** Claims nothing. */
const EVERYTHING: readonly WantRange[] = [{ from: 0, to: BUCKET_MAX }]

export type WantParts = Pick<FlowParts, 'index' | 'clock' | 'brakes' | 'store'>

/**
 * Where the wants lie, by the versions of the entries that name them. It is looked for anew when
 * the index has changed; with very many wants in an index that changes all the time, now and then
 * nothing is claimed instead.
 */
export class OwnWants {
  readonly #parts: WantParts
  #known: { readonly revision: number; readonly ranges: readonly WantRange[] } | undefined
  #looking: Promise<readonly WantRange[]> | undefined
  #restsUntilMs = Number.NEGATIVE_INFINITY

  constructor(parts: WantParts) {
    this.#parts = parts
  }

  async tell(): Promise<WantsTold> {
    const { index, brakes, store } = this.#parts
    const { wants: wantsFiles, wantBytes: wantsBytes } = index.counts()
    const isInDoubt = brakes.engaged('loss') !== undefined || !store.isPresent
    if (isInDoubt) return { wantsFiles, wantsBytes, wantRanges: EVERYTHING }
    return { wantsFiles, wantsBytes, wantRanges: wantsFiles === 0 ? [] : await this.#ranges() }
  }

  async #ranges(): Promise<readonly WantRange[]> {
    const { index, clock } = this.#parts
    // a look that has begun may have missed what the caller knows of
    while (this.#looking !== undefined) await this.#looking.catch(() => {})
    if (this.#known?.revision === index.revision) return this.#known.ranges
    if (clock.monotonicMs() < this.#restsUntilMs) return EVERYTHING
    this.#looking = this.#look().finally(() => {
      this.#looking = undefined
    })
    return this.#looking
  }

  async #look(): Promise<readonly WantRange[]> {
    const { index, clock } = this.#parts
    const { revision } = index
    const beganMs = clock.monotonicMs()
    const buckets = new Set<number>()
    let upTo: number | undefined
    let looked = 0
    for await (const hash of index.wants({ newestFirst: true })) {
      const want = index.blob(hash)?.want
      if (want === undefined) continue // it has come meanwhile
      const paths = looked < WANTS_MAX ? await index.pathsOf(hash, PATHS_MAX) : []
      for (const path of paths) addBucket(buckets, index.image(path))
      // no live entry of it is newer than a want
      if (looked === WANTS_MAX || paths.length === PATHS_MAX) {
        upTo = Math.max(upTo ?? 0, bucketAt(wantMs(want)))
      }
      if (looked++ === WANTS_MAX) break
    }
    const ranges = planWantRanges(buckets, upTo, WANT_RANGES_MAX)
    this.#known = { revision, ranges }
    const tookMs = clock.monotonicMs() - beganMs
    if (tookMs > QUICK_MS) this.#restsUntilMs = beganMs + tookMs * REST_FACTOR
    return ranges
  }
}

function addBucket(buckets: Set<number>, entry: ImageEntry | undefined): void {
  if (entry !== undefined) buckets.add(bucketOf(entry.version))
}

/** The time of the newest live entry that wanted the blob; later where it was here and was lost. */
export function wantMs(key: string): number {
  return versionMs(parseVersionKey(key.slice(0, VERSION_KEY_LENGTH)))
}
