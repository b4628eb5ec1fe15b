// The program of the thread for bulk bytes: it dials lanes, asks for blobs on them, verifies and
// writes what comes, and says only what became of it. What the node has not taken over yet is
// bounded: beyond that nothing more is read, and the peers wait.

import type { Clock } from '../base/clock.ts'
import { NodeError } from '../base/errors.ts'
import { dialLane, type LaneSocket } from '../network/lane-tls.ts'
import { placeFile, StagedFiles } from '../store/staged-files.ts'
import { IntakeLane } from './intake-lane.ts'
import type {
  IntakeEvent,
  IntakeFailure,
  IntakeNews,
  IntakeOrder,
  IntakeSettings
} from './intake-messages.ts'

/** Files that the node has not taken over. */
const STAGED_MAX = 512
const STAGED_BYTES_MAX = 64 * 2 ** 20
const READ_BYTES = 64 * 1024
/** What came is told together: each word costs both threads a turn. */
const TELL_MS = 2
const TELL_EVENTS_MAX = 32
/** How long the other side may take to end its half. */
const END_MS = 2000

/** Whether nothing more is read, with so many files and bytes that wait to be taken over. */
export function isFull(staged: number, stagedBytes: number): boolean {
  return staged >= STAGED_MAX || stagedBytes >= STAGED_BYTES_MAX
}

export interface IntakeParts {
  readonly clock: Clock
  readonly post: (news: IntakeNews) => void
}

interface OpenLane {
  readonly lane: IntakeLane
  readonly leave: AbortController
  socket?: LaneSocket
  events: (readonly [request: number, event: IntakeEvent])[]
  bytes: number
  saved: number
}

export class Intake {
  readonly #parts: IntakeParts
  readonly #files: StagedFiles
  readonly #packings: number
  readonly #lanes = new Map<number, OpenLane>()
  #staged = 0
  #stagedBytes = 0
  #isTelling = false

  constructor(parts: IntakeParts, settings: IntakeSettings) {
    this.#parts = parts
    this.#files = new StagedFiles(settings)
    this.#packings = settings.packings
  }

  /** Never throws. */
  order(order: IntakeOrder): void {
    switch (order.do) {
      case 'dial':
        this.#dial(order)
        return
      case 'fetch':
        this.#lanes.get(order.lane)?.lane.fetch(order)
        return
      case 'end':
        this.#end(order.lane)
        return
      case 'close':
        this.#close(order.lane, new Error('the node has closed the lane'))
        return
      case 'place':
        this.#parts.post({ say: 'placed', outcomes: order.moves.map(placeFile) })
        return
      case 'released':
        this.#released(order.files, order.bytes)
        return
      case 'stop':
        for (const id of this.#lanes.keys()) this.#close(id, new Error('the node is stopping'))
    }
  }

  #dial({ lane: id, key, ip }: IntakeOrder & { readonly do: 'dial' }): void {
    const leave = new AbortController()
    const tell = (request: number, event: IntakeEvent) => this.#note(id, request, event)
    const onSaved = (bytes: number) => {
      open.saved += bytes
    }
    const unpacking = { packings: this.#packings, onSaved }
    const lane = new IntakeLane({ files: this.#files, tell, unpacking })
    const open: OpenLane = { lane, leave, events: [], bytes: 0, saved: 0 }
    this.#lanes.set(id, open)
    const buffer = Buffer.allocUnsafeSlow(READ_BYTES)
    const callback = (count: number) => this.#came(id, open, buffer.subarray(0, count))
    dialLane(key, ip, { buffer, callback }, leave.signal).then(
      (socket) => {
        open.socket = socket
        socket.setNoDelay(true)
        socket.on('error', (error) => this.#close(id, error))
        socket.on('end', () => this.#close(id, new Error('the peer has ended the lane')))
        socket.on('close', () => this.#close(id, new Error('the lane was closed')))
        if (socket.destroyed) return this.#close(id, new Error('the lane was closed'))
        this.#parts.post({ say: 'open', lane: id })
        lane.use(socket)
      },
      (error) => this.#close(id, error)
    )
  }

  /** Whether more may come. */
  #came(id: number, open: OpenLane, bytes: Uint8Array): boolean {
    if (this.#lanes.get(id) !== open) return true
    open.bytes += bytes.byteLength
    try {
      open.lane.take(bytes)
    } catch (error) {
      this.#close(id, error)
      return true
    }
    this.#tellSoon()
    return !this.#isFull
  }

  get #isFull(): boolean {
    return isFull(this.#staged, this.#stagedBytes)
  }

  #note(id: number, request: number, event: IntakeEvent): void {
    const open = this.#lanes.get(id)
    if (open === undefined) return
    if (event.is === 'staged') {
      this.#staged++
      this.#stagedBytes += event.bytes
    }
    open.events.push([request, event])
    if (open.events.length >= TELL_EVENTS_MAX) this.#tell(id, open)
  }

  #tellSoon(): void {
    if (this.#isTelling) return
    this.#isTelling = true
    this.#parts.clock.after(TELL_MS, () => {
      this.#isTelling = false
      for (const [id, open] of this.#lanes) this.#tell(id, open)
    })
  }

  #tell(id: number, open: OpenLane): void {
    const { bytes, saved, events } = open
    if (bytes === 0 && events.length === 0) return
    open.bytes = open.saved = 0
    open.events = []
    this.#parts.post({ say: 'came', lane: id, bytes, saved, events })
  }

  #released(files: number, bytes: number): void {
    const wasFull = this.#isFull
    this.#staged -= files
    this.#stagedBytes -= bytes
    if (!wasFull || this.#isFull) return
    for (const { socket } of this.#lanes.values()) socket?.resume()
  }

  #end(id: number): void {
    this.#lanes.get(id)?.lane.end()
    this.#parts.clock.after(END_MS, () => this.#close(id, new Error('the lane has ended')))
  }

  #close(id: number, error: unknown): void {
    const open = this.#lanes.get(id)
    if (open === undefined) return
    let failure = failureOf(error)
    try {
      open.lane.leave()
    } catch (late) {
      failure = failureOf(late)
    }
    this.#tell(id, open)
    this.#lanes.delete(id)
    open.leave.abort(new Error('the lane was closed'))
    open.socket?.destroy()
    this.#parts.post({ say: 'closed', lane: id, failure })
  }
}

function failureOf(error: unknown): IntakeFailure {
  const message = error instanceof Error ? error.message : String(error)
  if (!(error instanceof NodeError)) return { message }
  const { code, details } = error
  return { message, code, details }
}
