// Makes small pictures, in a process of its own that begins when the first is wanted and ends when
// none has been for a while. One at a time: they are for people who look through many, not for
// pages that thousands read.

import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Clock } from '../base/clock.ts'
import { BoundedCalls } from './bounded-calls.ts'
import { isDecodable } from './decoder.ts'
import { IMAGE_KINDS, mediaTypeOf } from './kinds.ts'

/** A page shows some dozens at once, and several people may look. */
const WAITING_MAX = 256
/** 64 megapixels take 1.5 s on a machine with nothing else to do. */
const TIMEOUT_MS = 20_000
const REST_MS = 60_000
/** As many as an upload may have. */
const PIXELS_MAX = 64_000_000

export interface ThumbnailOrder {
  /** The absolute name of the image's file. */
  readonly file: string
  readonly mediaType: string
  /** Most pixels of its longer side. */
  readonly size: number
  readonly pixelsMax: number
}

export type Drawn = { readonly bytes: Uint8Array } | { readonly why: string }

/** Whether a small picture of it can be made. An SVG is small itself, and others no decoder has. */
export function hasThumbnail(mediaType: string): boolean {
  return DRAWABLE.has(mediaType)
}

const DRAWABLE = new Set(
  IMAGE_KINDS.filter((kind) => isDecodable(kind) && kind !== 'svg').map(mediaTypeOf)
)

export class Thumbnailer {
  readonly #clock: Clock
  readonly #calls: BoundedCalls
  #child: ChildProcess | undefined
  #answer: ((drawn: Drawn) => void) | undefined
  #cancelRest: () => void = () => {}
  #isStopped = false

  constructor(parts: { readonly clock: Clock }) {
    this.#clock = parts.clock
    // what takes too long is ended below; the queue's own limit is never reached
    this.#calls = new BoundedCalls(parts, {
      runningMax: 1,
      waitingMax: WAITING_MAX,
      timeoutMs: 2 * TIMEOUT_MS
    })
  }

  /**
   * WebP, or why there is none: what the bytes do to the decoder is an answer, never an error.
   * Errors: BUSY when too many wait.
   */
  async draw(order: Omit<ThumbnailOrder, 'pixelsMax'>): Promise<Drawn> {
    const drawn = await this.#calls.run(() => this.#draw({ ...order, pixelsMax: PIXELS_MAX }))
    return drawn ?? { why: 'it took too long' }
  }

  /** What waits gets no picture. */
  stop(): void {
    this.#isStopped = true
    this.#cancelRest()
    this.#child?.kill('SIGKILL')
  }

  async #draw(order: ThumbnailOrder): Promise<Drawn> {
    if (this.#isStopped) return { why: 'the node stops' }
    this.#cancelRest()
    this.#child ??= this.#start()
    const child = this.#child
    const answer = new Promise<Drawn>((resolve) => {
      this.#answer = resolve
    })
    const cancel = this.#clock.after(TIMEOUT_MS, () => {
      this.#answer?.({ why: 'it took too long' })
      this.#end(child)
    })
    child.send(order, () => {}) // a process that is gone is told by its exit
    try {
      return await answer
    } finally {
      cancel()
      this.#answer = undefined
      this.#cancelRest = this.#clock.after(REST_MS, () => this.#end(child))
    }
  }

  #end(child: ChildProcess): void {
    if (this.#child === child) this.#child = undefined
    child.kill('SIGKILL')
  }

  #start(): ChildProcess {
    // beside this file, and compiled or not like this one
    const file = fileURLToPath(import.meta.url).replace('thumbnailer.', 'thumbnail-process.')
    const child = fork(file, {
      execArgv: ['--max-old-space-size=64'],
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      // not with the node at a Ctrl-C: it ends when the node does
      detached: true
    })
    child.on('message', (drawn: Drawn) => {
      if (this.#child === child) this.#answer?.(drawn)
    })
    const gone = () => {
      if (this.#child !== child) return
      this.#child = undefined
      this.#answer?.({ why: 'the program that draws it has ended' })
    }
    child.on('error', gone)
    child.on('exit', gone)
    child.unref()
    child.channel?.unref()
    return child
  }
}
