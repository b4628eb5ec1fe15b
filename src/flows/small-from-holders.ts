// A small blob that a reader waits for: whoever sends it first, also where replication has asked
// for it already.

import type { ContentHash } from '../../protocols/hash.ts'
import type { ComingBlob, ComingBlobs } from '../blob-sync/coming-blobs.ts'
import { firstOf, type Holder, type Progress } from '../blob-sync/first-of.ts'
import type { ReaderLines } from '../blob-sync/reader-lines.ts'
import type { NamelessBlob, StagedBlob } from '../store/blob-store.ts'
import type { FlowParts } from './parts.ts'

export interface SmallFromHoldersParts {
  readonly flows: Pick<FlowParts, 'clock' | 'store'>
  /** What replication has asked for. */
  readonly coming: Pick<ComingBlobs, 'join'>
  readonly lines: Pick<ReaderLines, 'patienceMs'>
  /** Whom to ask, one after the other. */
  readonly holders: (hash: ContentHash, tried: ReadonlySet<string>) => Generator<Holder, undefined>
  /** Undefined if the peer does not give it. Throws only what is not the peer's fault. */
  readonly stageFrom: (
    peerId: string,
    blob: { readonly hash: ContentHash; readonly bytes: number },
    progress: Progress
  ) => Promise<StagedBlob | undefined>
  /** Whether it is kept. */
  readonly keep: (peerId: string, blob: NamelessBlob) => Promise<boolean>
}

/** A blob, and the peer that it came from. */
export interface Come {
  readonly peerId: string
  readonly whole: Uint8Array
}

interface Got {
  /** Undefined where it is read from the disk. */
  readonly whole: Uint8Array | undefined
  /** Whether it is kept, in the end. */
  keep(): Promise<boolean>
  /** Another one was faster. */
  leave(): void
}

export class SmallFromHolders {
  readonly #parts: SmallFromHoldersParts
  /** Questions, also those that nobody waits for any more. */
  readonly #asking = new Set<Promise<unknown>>()

  constructor(parts: SmallFromHoldersParts) {
    this.#parts = parts
  }

  /**
   * `come`: as soon as its bytes are known to be right. `kept`: the peer that gave it, once it is
   * kept; undefined if none does. Both throw what this node's own disk has against it.
   */
  get(
    hash: ContentHash,
    bytes: number
  ): { readonly come: Promise<Come | undefined>; readonly kept: Promise<string | undefined> } {
    const first = this.#first(hash, bytes)
    const come = first.then((it) => it?.got.whole && { peerId: it.peerId, whole: it.got.whole })
    come.catch(() => {}) // who waits for it hears of it
    const kept = first.then(async (it) => ((await it?.got.keep()) ? it?.peerId : undefined))
    return { come, kept }
  }

  /** Resolves when nobody is asked any more. */
  async idle(): Promise<void> {
    await Promise.allSettled(this.#asking)
  }

  #first(hash: ContentHash, bytes: number) {
    const { flows, coming, lines, holders } = this.#parts
    let joined = coming.join(hash)
    return firstOf<Got>({
      clock: flows.clock,
      holders: startingWith(joined, (tried) => holders(hash, tried)),
      ask: (peerId, progress) => {
        const asked = joined
        joined = undefined
        return this.#tracked(
          asked ? join(asked, progress) : this.#getFrom(peerId, { hash, bytes }, progress)
        )
      },
      patienceMs: (peerId) => lines.patienceMs(peerId),
      leave: (late) => late.leave()
    })
  }

  async #getFrom(
    peerId: string,
    blob: { readonly hash: ContentHash; readonly bytes: number },
    progress: Progress
  ): Promise<Got | undefined> {
    const { flows, stageFrom, keep } = this.#parts
    const staged = await stageFrom(peerId, blob, progress)
    if (staged === undefined) return undefined
    const leave = () => flows.store.finish(staged)
    return { whole: staged.whole, keep: () => keep(peerId, staged), leave }
  }

  #tracked<T>(asking: Promise<T>): Promise<T> {
    this.#asking.add(asking)
    const end = () => this.#asking.delete(asking)
    asking.then(end, end)
    return asking
  }
}

/**
 * What replication has asked for is waited for as if it were the first holder. Only when all others
 * have been asked, that one is asked by the reader, too.
 */
function* startingWith(
  coming: ComingBlob | undefined,
  holders: (tried: ReadonlySet<string>) => Iterable<Holder>
): Generator<Holder, undefined> {
  const tried = new Set<string>()
  if (coming !== undefined) {
    tried.add(coming.peerId)
    yield { peerId: coming.peerId, isLast: false }
    for (const holder of holders(tried)) {
      tried.add(holder.peerId)
      yield holder
    }
    tried.delete(coming.peerId)
  }
  yield* holders(tried)
}

async function join({ whole, kept }: ComingBlob, progress: Progress): Promise<Got | undefined> {
  progress.asked()
  const come = await whole
  // what another thread has written is kept, and was never here
  if (come === undefined && !(await kept)) return undefined
  return { whole: come, keep: () => kept, leave() {} }
}
