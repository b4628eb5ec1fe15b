// One blob, or a few, on a stream of its own: it waits for no other, and no other for it.

import type { BlobItem } from '../../protocols/blobs/parse-request.ts'
import type { BlobAnswer, BlobsClient } from '../../protocols/blobs/request.ts'
import type { Clock } from '../base/clock.ts'
import { askAllWays } from './ask-all-ways.ts'
import type { BlobPeers, FetchOptions } from './blob-peers.ts'
import { StallWatch } from './stall-watch.ts'

export interface AskAloneParts {
  readonly peers: Pick<BlobPeers, 'openOwn' | 'ways'>
  readonly clock: Clock
  /** Ends it. */
  readonly signal: AbortSignal
}

export interface AskAloneOptions {
  /** A peer from which nothing comes for so long has failed. */
  readonly stallMs: number
  /** The same for the first answer. */
  readonly firstMs?: number
  /** Whether others can be asked, where it sends far too little. */
  readonly isElsewhere?: (() => boolean) | undefined
}

/** A holder has not begun within its time, and may do so later. */
export class Slow extends Error {
  readonly waitedMs: number

  constructor(waitedMs: number) {
    super(`no answer within ${waitedMs} ms`)
    this.waitedMs = waitedMs
  }
}

/**
 * Throws as BlobsClient.fetch, and what `take` throws; Slow after a shorter time for the first, and
 * TooSlow.
 */
export function askAlone(
  parts: AskAloneParts,
  peerId: string,
  item: BlobItem,
  take: (answer: BlobAnswer) => Promise<void>,
  options: AskAloneOptions
): Promise<void> {
  return askAllWays(parts.peers.ways(peerId), [item], take, (items, onBlob, way) =>
    askOn(parts, { peerId, way }, items, onBlob, options)
  )
}

/** Asks over a long-lived stream, as BlobPeers.fetch: what is missing there on others, too. */
export function askTogether(
  { peers, clock }: Omit<AskAloneParts, 'signal'> & { readonly peers: Pick<BlobPeers, 'fetch'> },
  peerId: string,
  items: readonly BlobItem[],
  take: (answer: BlobAnswer) => Promise<void>,
  options: FetchOptions
): Promise<void> {
  const { signal } = options
  return askAllWays(peers.ways(peerId), items, take, (some, onBlob, way) =>
    way === undefined
      ? peers.fetch(peerId, some, onBlob, options)
      : askOn({ peers, clock, signal }, { peerId, way }, some, onBlob, options)
  )
}

/** Some blobs on a stream of their own, over one of the peer's connections. */
async function askOn(
  { peers, clock, signal: ending }: AskAloneParts,
  { peerId, way }: { readonly peerId: string; readonly way: number | undefined },
  items: readonly BlobItem[],
  take: (answer: BlobAnswer) => Promise<void>,
  { stallMs, firstMs = stallMs, isElsewhere }: AskAloneOptions
): Promise<void> {
  const late = new AbortController()
  let hasBegun = false
  const onStall = (why: Error) =>
    late.abort(hasBegun || firstMs >= stallMs ? why : new Slow(firstMs))
  const watch = new StallWatch({ clock, stallMs, onStall, isElsewhere })
  const signal = AbortSignal.any([late.signal, ending])
  let client: BlobsClient | undefined
  try {
    watch.wait(firstMs)
    client = await peers.openOwn(peerId, signal, way)
    const onBlob = async (answer: BlobAnswer) => {
      hasBegun = true
      watch.rest()
      await take(watch.watchedAnswer(answer))
      watch.wait()
    }
    await client.fetch(items, onBlob, signal)
    await client.end(signal)
  } catch (error) {
    client?.abort(error as Error)
    late.signal.throwIfAborted() // a stream that was still to open says only that it could not
    throw error
  } finally {
    watch.stop()
  }
}
