// New entries go to all connected peers at once. A batch names the nodes it was sent to, and who
// learns something new passes it on to its other peers only: a full mesh costs one message a peer,
// and a line of nodes still hears everything.
//
// A push may be lost: a peer that is slow, or that was not there, is compared with later.

import { batchesOf } from '../../protocols/entries/batch.ts'
import { SENT_TO_MAX } from '../../protocols/entries/limits.ts'
import { EntriesClient } from '../../protocols/entries/request.ts'
import { type Entry, KIND_IMAGE } from '../../protocols/entry.ts'
import { ENTRIES_ID } from '../../protocols/ids.ts'
import type { Version } from '../../protocols/version.ts'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Network } from '../network/network.ts'

/**
 * While a push is under way others gather, long enough for a burst to share a message. So do those
 * that are passed on: they may come from elsewhere too, and then need not be.
 */
const GATHER_MS = 5
/** What may wait for one peer. Beyond it the peer is compared with instead. */
const QUEUE_BATCHES_MAX = 256
/** An acknowledgement takes a sync of the peer's disk; one that takes this long is not coming. */
const PUSH_MS_MAX = 30_000

export interface PusherParts {
  readonly network: Pick<Network, 'id' | 'peers' | 'open'>
  readonly clock: Clock
  readonly log: Log
  /** Hears of a peer that missed a push, and must be compared with. */
  readonly onMissed: (peerId: string) => void
}

interface Gathered {
  readonly entry: Entry
  readonly knownTo: readonly string[]
}

interface Batch {
  readonly entries: readonly Uint8Array[]
  readonly sentTo: readonly string[]
  /** Hear of each peer that has acknowledged the batch. */
  readonly watched: readonly Watched[]
}

interface Watched {
  readonly watch: PushWatch
  readonly version: Version
}

/** Who acknowledges the images of one path: what is acknowledged is durable there. */
export class PushWatch {
  readonly #acknowledged = new Map<string, Version>()
  readonly #end: () => void
  #wake = () => {}

  constructor(end: () => void) {
    this.#end = end
  }

  /** Peers that have this version of the path, or a newer one. */
  reached(version: Version): readonly string[] {
    const all = [...this.#acknowledged]
    return all.filter(([, newest]) => newest >= version).map(([peerId]) => peerId)
  }

  /** Resolves at the next acknowledgement. */
  next(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve
    })
  }

  note(peerId: string, version: Version): void {
    const before = this.#acknowledged.get(peerId) ?? 0n
    this.#acknowledged.set(peerId, version > before ? version : before)
    this.#wake()
  }

  end(): void {
    this.#end()
  }
}

export class Pusher {
  readonly #parts: PusherParts
  readonly #lines = new Map<string, PushLine>()
  readonly #watches = new Map<string, Set<PushWatch>>()
  #gathered: Gathered[] = []
  #cancel: (() => void) | undefined
  #pushed = 0

  constructor(parts: PusherParts) {
    this.#parts = parts
  }

  /** Messages sent so far. */
  get pushed(): number {
    return this.#pushed
  }

  /**
   * Passes entries on to all connected peers but those that are known to have them; own ones at
   * once, unless there is much to do.
   */
  spread(entries: readonly Entry[], knownTo: readonly string[]): void {
    if (entries.length === 0) return
    for (const entry of entries) this.#gathered.push({ entry, knownTo })
    if (this.#cancel !== undefined) return
    const isLone = knownTo.length === 0 && [...this.#lines.values()].every(({ isIdle }) => isIdle)
    if (isLone) this.#flush()
    else this.#cancel = this.#parts.clock.after(GATHER_MS, () => this.#flush())
  }

  /** Nodes that have these entries: those that still wait here need not be passed on to them. */
  heard(entries: readonly Entry[], knownTo: readonly string[]): void {
    if (this.#gathered.length === 0 || entries.length === 0) return
    const ids = new Set(entries.map(idOf))
    this.#gathered = this.#gathered.map((one) => {
      if (!ids.has(idOf(one.entry))) return one
      return { ...one, knownTo: [...new Set([...one.knownTo, ...knownTo])] }
    })
  }

  /** Notes from now on who acknowledges an image of this path, until it is ended. */
  watch(path: string): PushWatch {
    const watches = this.#watches.get(path) ?? new Set()
    this.#watches.set(path, watches)
    const watch = new PushWatch(() => {
      watches.delete(watch)
      if (watches.size === 0 && this.#watches.get(path) === watches) this.#watches.delete(path)
    })
    watches.add(watch)
    return watch
  }

  /** Forgets what waits for a peer that is gone. */
  drop(peerId: string): void {
    this.#lines.get(peerId)?.close()
    this.#lines.delete(peerId)
  }

  /** Sends nothing more. */
  stop(): void {
    this.#cancel?.()
    for (const id of [...this.#lines.keys()]) this.drop(id)
  }

  #flush(): void {
    this.#cancel = undefined
    const gathered = this.#gathered
    this.#gathered = []
    const { network } = this.#parts
    const connected = network.peers().map(({ id }) => id)
    for (const [knownTo, entries] of groupByKnown(gathered)) {
      const targets = connected.filter((id) => !knownTo.includes(id))
      if (targets.length === 0) continue
      // who named too many must not make a request of this node that is refused
      const sentTo = [...new Set([network.id, ...targets, ...knownTo])].slice(0, SENT_TO_MAX)
      let at = 0
      for (const batch of batchesOf(entries.map(({ raw }) => raw))) {
        const watched = this.#watchedOf(entries.slice(at, at + batch.length))
        for (const id of targets) this.#lineTo(id).add({ entries: batch, sentTo, watched })
        this.#pushed += targets.length
        at += batch.length
      }
    }
  }

  #watchedOf(entries: readonly Entry[]): readonly Watched[] {
    if (this.#watches.size === 0) return []
    return entries.flatMap(({ kind, path, version }) => {
      const watches = kind === KIND_IMAGE ? this.#watches.get(path) : undefined
      return [...(watches ?? [])].map((watch) => ({ watch, version }))
    })
  }

  #lineTo(peerId: string): PushLine {
    let line = this.#lines.get(peerId)
    if (line === undefined) {
      line = new PushLine(this.#parts, peerId)
      this.#lines.set(peerId, line)
    }
    return line
  }
}

function idOf({ id }: Entry): string {
  return Buffer.from(id).toString('latin1')
}

function groupByKnown(gathered: readonly Gathered[]): Map<readonly string[], Entry[]> {
  const groups = new Map<string, { knownTo: readonly string[]; entries: Entry[] }>()
  for (const { entry, knownTo } of gathered) {
    const key = knownTo.join()
    const group = groups.get(key) ?? { knownTo, entries: [] }
    group.entries.push(entry)
    groups.set(key, group)
  }
  return new Map([...groups.values()].map(({ knownTo, entries }) => [knownTo, entries]))
}

/** One long-lived stream to one peer, and what waits for it. */
class PushLine {
  readonly #parts: PusherParts
  readonly #peerId: string
  readonly #abort = new AbortController()
  #waiting: Batch[] = []
  #sending = false
  #client: EntriesClient | undefined

  constructor(parts: PusherParts, peerId: string) {
    this.#parts = parts
    this.#peerId = peerId
  }

  add(batch: Batch): void {
    if (this.#waiting.length >= QUEUE_BATCHES_MAX) {
      this.#waiting = []
      this.#parts.onMissed(this.#peerId)
      return
    }
    this.#waiting.push(batch)
    if (!this.#sending) void this.#send()
  }

  get isIdle(): boolean {
    return !this.#sending
  }

  close(): void {
    this.#waiting = []
    const gone = new Error('the peer is gone')
    this.#abort.abort(gone)
    this.#client?.abort(gone)
  }

  async #send(): Promise<void> {
    this.#sending = true
    try {
      for (let batch = this.#waiting.shift(); batch; batch = this.#waiting.shift()) {
        await this.#push(batch)
      }
    } catch (error) {
      this.#client?.abort(error as Error)
      this.#client = undefined
      this.#waiting = []
      if (!this.#abort.signal.aborted) {
        this.#parts.log.debug({ peer: this.#peerId, err: error }, 'a push failed')
        this.#parts.onMissed(this.#peerId)
      }
    } finally {
      this.#sending = false
    }
  }

  async #push({ entries, sentTo, watched }: Batch): Promise<void> {
    const { network, clock } = this.#parts
    const late = new AbortController()
    const cancel = clock.after(PUSH_MS_MAX, () => late.abort(new Error('no acknowledgement')))
    try {
      const signal = AbortSignal.any([late.signal, this.#abort.signal])
      this.#client ??= new EntriesClient(await network.open(this.#peerId, ENTRIES_ID, signal))
      const { malformed, verdict } = await this.#client.push(entries, sentTo, signal)
      if (verdict !== undefined) this.#parts.onMissed(this.#peerId) // the exchange settles it
      if (malformed > 0 || verdict !== undefined) return
      for (const { watch, version } of watched) watch.note(this.#peerId, version)
    } finally {
      cancel()
    }
  }
}
