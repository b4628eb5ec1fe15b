// The node's side of its thread for bulk bytes, which is there as long as it has a lane.

import { Worker } from 'node:worker_threads'
import type { Unpacking } from '../../protocols/blobs/request.ts'
import type { ContentHash } from '../../protocols/hash.ts'
import type { LaneKey } from '../../protocols/lane/key.ts'
import { StatusError } from '../../protocols/status.ts'
import { BehindRequests } from '../base/behind-requests.ts'
import { NodeError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import type { RequestCount } from '../base/request-count.ts'
import type { DirectItem, DirectLine, DirectTake } from '../blob-sync/direct-line.ts'
import type { LaneMeter } from '../network/lane-stream.ts'
import type { NamelessBlob } from '../store/blob-store.ts'
import type { FileHands, FileMove, MoveOutcome, StagedFile } from '../store/staged-files.ts'
import { isFull } from './intake.ts'
import type {
  IntakeEvent,
  IntakeFailure,
  IntakeNews,
  IntakeOrder,
  IntakeSettings
} from './intake-messages.ts'

/** Of its own: it keeps no more than some lists. Beyond that it ends, and its lanes with it. */
const MEMORY = { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 96 }
/** Files that are told to be taken over together. */
const RELEASED_MAX = 32

export interface IntakeThreadParts {
  readonly log: Log
  /** Takes over a file with all bytes of a blob; `onEnd` hears that it is finished. */
  readonly adopt: (
    blob: { readonly hash: ContentHash; readonly bytes: number } & StagedFile,
    by: FileHands
  ) => NamelessBlob
  /** Hears how many bytes did not have to come. */
  readonly onSaved?: Unpacking['onSaved'] | undefined
  /** What it takes over makes room for these. */
  readonly requests?: Pick<RequestCount, 'begun'> | undefined
}

export interface IntakeThreadOptions extends IntakeSettings {
  /** The module that the thread runs. */
  readonly program: URL
}

/** What a lane is dialled with. */
export interface Dialling {
  readonly key: LaneKey
  readonly ip: string
  /** Counts the bytes of the peer. */
  readonly meter: Pick<LaneMeter, 'received'>
}

export class IntakeThread {
  readonly #parts: IntakeThreadParts
  readonly #options: IntakeThreadOptions
  readonly #lanes = new Map<number, ThreadLane>()
  readonly #heard: BehindRequests<LaneNews>
  #worker: Worker | undefined
  #workers = 0
  #numbers = 0
  /** What the thread takes for not taken over: it hears of several together. */
  #staged = 0
  #stagedBytes = 0
  #released = 0
  #releasedBytes = 0
  #moves: Placing[] = []
  /** Sent, in their order. */
  #placing: Placing[][] = []

  constructor(parts: IntakeThreadParts, options: IntakeThreadOptions) {
    this.#parts = parts
    this.#options = options
    this.#heard = new BehindRequests(parts.requests, (news) =>
      this.#lanes.get(news.lane)?.hear(news)
    )
  }

  /** Throws what keeps the lane from being opened, and the signal's reason. */
  async dial(
    { key, ip, meter }: Dialling,
    onMoved: (bytes: number) => void,
    signal: AbortSignal
  ): Promise<ThreadLane> {
    signal.throwIfAborted()
    const id = ++this.#numbers
    const worker = this.#start()
    const lane = new ThreadLane(id, {
      post: (order) => worker.postMessage(order),
      isFull: () => isFull(this.#staged, this.#stagedBytes),
      adopt: (file) => this.#adopt(worker, file),
      onMoved: (bytes, saved) => {
        meter.received(bytes)
        this.#parts.onSaved?.(saved)
        onMoved(bytes)
      }
    })
    this.#lanes.set(id, lane)
    lane.onClose(() => this.#forget(id))
    const giveUp = () => lane.abort(signal.reason)
    signal.addEventListener('abort', giveUp, { once: true })
    worker.postMessage({ do: 'dial', lane: id, key, ip } satisfies IntakeOrder)
    try {
      await lane.opened
      return lane
    } finally {
      signal.removeEventListener('abort', giveUp)
    }
  }

  #start(): Worker {
    if (this.#worker !== undefined) return this.#worker
    const { program, tag, ...same } = this.#options
    const settings: IntakeSettings = { ...same, tag: `${tag}-${this.#workers++}` }
    const worker = new Worker(program, {
      workerData: settings,
      // descriptors that it has handed over outlive it
      trackUnmanagedFds: false,
      resourceLimits: MEMORY
    })
    worker.unref()
    const placing: Placing[][] = []
    worker.on('message', (news: IntakeNews) => {
      if (news.say === 'placed') settle(placing.shift() ?? [], news.outcomes)
      else this.#heard.add(this.#oneByOne(news))
    })
    worker.on('error', (error) => this.#parts.log.error({ err: error }, 'a thread has failed'))
    worker.on('exit', () => this.#ended(worker, placing))
    this.#placing = placing
    this.#worker = worker
    return worker
  }

  /** Files count as staged from here on, bytes as come; the rest is heard in its turn. */
  #oneByOne(news: LaneNews): LaneNews[] {
    if (news.say !== 'came') return [news]
    const { lane, bytes, saved, events } = news
    this.#lanes.get(lane)?.moved(bytes, saved)
    for (const [, event] of events) {
      if (event.is !== 'staged') continue
      this.#staged++
      this.#stagedBytes += event.bytes
    }
    return events.map((event) => ({ say: 'came', lane, bytes: 0, saved: 0, events: [event] }))
  }

  #ended(worker: Worker, placing: readonly Placing[][]): void {
    this.#heard.flush()
    for (const moves of placing) settle(moves, [])
    if (this.#worker !== worker) return
    this.#leave()
    const failure = { message: 'the thread for bulk bytes has ended' }
    for (const [lane, one] of this.#lanes) one.hear({ say: 'closed', lane, failure })
  }

  /** Without a lane the thread is not needed, and costs memory. */
  #forget(id: number): void {
    this.#lanes.delete(id)
    const worker = this.#worker
    if (this.#lanes.size > 0 || worker === undefined) return
    this.#leave()
    worker.postMessage({ do: 'stop' } satisfies IntakeOrder)
  }

  #adopt(worker: Worker, file: StagedBlobFile): NamelessBlob {
    const onEnd = () => {
      if (this.#worker !== worker) return
      this.#released++
      this.#releasedBytes += file.bytes
      if (this.#released < RELEASED_MAX) return
      const order = { files: this.#released, bytes: this.#releasedBytes }
      worker.postMessage({ do: 'released', ...order } satisfies IntakeOrder)
      this.#staged -= order.files
      this.#stagedBytes -= order.bytes
      this.#released = this.#releasedBytes = 0
    }
    return this.#parts.adopt(file, { place: (move) => this.#place(worker, move), onEnd })
  }

  /** Those of one turn go together. */
  async #place(worker: Worker, move: FileMove): Promise<MoveOutcome> {
    if (this.#worker !== worker) return undefined
    const outcome = Promise.withResolvers<MoveOutcome>()
    this.#moves.push({ move, outcome })
    if (this.#moves.length === 1) queueMicrotask(() => this.#sendMoves())
    return outcome.promise
  }

  #sendMoves(): void {
    const moves = this.#moves
    this.#moves = []
    if (this.#worker === undefined) {
      settle(moves, [])
      return
    }
    this.#placing.push(moves)
    const order = { do: 'place', moves: moves.map(({ move }) => move) } as const
    this.#worker.postMessage(order satisfies IntakeOrder)
  }

  /** The thread is not there any more, or soon will not be. */
  #leave(): void {
    this.#worker = undefined
    this.#staged = this.#stagedBytes = this.#released = this.#releasedBytes = 0
  }
}

type LaneNews = Exclude<IntakeNews, { say: 'placed' }>

interface Placing {
  readonly move: FileMove
  readonly outcome: PromiseWithResolvers<MoveOutcome>
}

function settle(moves: readonly Placing[], outcomes: readonly MoveOutcome[]): void {
  for (const [at, { outcome }] of moves.entries()) outcome.resolve(outcomes[at])
}

type StagedBlobFile = { readonly hash: ContentHash; readonly bytes: number } & StagedFile

interface ThreadLaneUse {
  readonly post: (order: IntakeOrder) => void
  readonly isFull: () => boolean
  readonly adopt: (file: StagedBlobFile) => NamelessBlob
  readonly onMoved: (bytes: number, saved: number) => void
}

interface Pending {
  readonly take: DirectTake
  readonly done: PromiseWithResolvers<void>
}

/** A lane whose other end here is the thread. */
export class ThreadLane implements DirectLine {
  readonly opened: Promise<void>
  readonly #id: number
  readonly #use: ThreadLaneUse
  readonly #opening = Promise.withResolvers<void>()
  readonly #pending = new Map<number, Pending>()
  readonly #closed = Promise.withResolvers<void>()
  #isClosed = false
  #requests = 0
  #fault: Error | undefined

  constructor(id: number, use: ThreadLaneUse) {
    this.#id = id
    this.#use = use
    this.opened = this.#opening.promise
    this.opened.catch(() => {}) // whoever dials hears of it
  }

  get isFull(): boolean {
    return this.#use.isFull()
  }

  async fetch(items: readonly DirectItem[], take: DirectTake): Promise<void> {
    if (this.#fault !== undefined) throw this.#fault
    const request = ++this.#requests
    const done = Promise.withResolvers<void>()
    this.#pending.set(request, { take, done })
    this.#use.post({ do: 'fetch', lane: this.#id, request, items })
    await done.promise
  }

  end(): void {
    if (!this.#isClosed) this.#use.post({ do: 'end', lane: this.#id })
  }

  /** What is under way throws as soon as nothing of it is written any more. */
  abort(error: Error): void {
    if (this.#fault !== undefined) return
    this.#fault = error
    this.#opening.reject(error)
    if (!this.#isClosed) this.#use.post({ do: 'close', lane: this.#id })
  }

  /** At once where it is closed. */
  onClose(listener: () => void): void {
    void this.#closed.promise.then(listener)
  }

  /** So many bytes have come. */
  moved(bytes: number, saved: number): void {
    this.#use.onMoved(bytes, saved)
  }

  hear(news: LaneNews): void {
    switch (news.say) {
      case 'open':
        this.#opening.resolve()
        return
      case 'came':
        for (const [request, event] of news.events) this.#happened(request, event)
        return
      case 'closed':
        this.#close(news.failure)
        return
    }
  }

  #close(failure: IntakeFailure): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#fault ??= errorOf(failure)
    this.#opening.reject(this.#fault)
    for (const { done } of this.#pending.values()) done.reject(this.#fault)
    this.#pending.clear()
    this.#closed.resolve()
  }

  #happened(request: number, event: IntakeEvent): void {
    const pending = this.#pending.get(request)
    if (pending === undefined) return
    const { take, done } = pending
    switch (event.is) {
      case 'staged':
        take.came(this.#use.adopt(event), event.saved)
        return
      case 'lacking':
        take.lacking(event.hash)
        return
      case 'grown':
        take.grown(event.hash, event.bytesDone, event.saved)
        return
      case 'whole':
        take.whole(event.hash, event.isRight)
        return
      case 'answered':
        this.#pending.delete(request)
        done.resolve()
        return
      case 'refused':
        this.#pending.delete(request)
        done.reject(new StatusError(event.status, event.reason))
        return
      default:
        event satisfies never
    }
  }
}

function errorOf({ code, message, details }: IntakeFailure): Error {
  return code === undefined ? new Error(message) : new NodeError(code, message, details)
}
