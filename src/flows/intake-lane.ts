// One lane in the thread for bulk bytes: what comes is read, hashed and written in the call that
// brings it, so nothing waits and a buffer is used again and again.

import { AnswerFeed, type AnswerSink } from '../../protocols/blobs/answer-feed.ts'
import { REQUESTS_OUTSTANDING_MAX, UNNEEDED_BYTES_MAX } from '../../protocols/blobs/limits.ts'
import { fetchRequest, type Unpacking } from '../../protocols/blobs/request.ts'
import { STATUS, type StatusError } from '../../protocols/status.ts'
import { WireError } from '../../protocols/wire-error.ts'
import { NodeError } from '../base/errors.ts'
import type { LaneSocket } from '../network/lane-tls.ts'
import { SMALL_BLOB_BYTES_MAX } from '../store/blob-store.ts'
import { sha256Of } from '../store/hashes.ts'
import { PartialWriter } from '../store/partial-writer.ts'
import type { StagedFiles } from '../store/staged-files.ts'
import type { IntakeEvent, IntakeItem } from './intake-messages.ts'

/** Large blobs are hashed and written in pieces of this size. */
const PIECE_BYTES = 2 ** 20

export interface IntakeRequest {
  readonly request: number
  readonly items: readonly IntakeItem[]
}

export interface IntakeLaneParts {
  readonly files: StagedFiles
  readonly tell: (request: number, event: IntakeEvent) => void
  readonly unpacking: Unpacking
}

/** What is done with the bytes of one answer. */
interface Taking {
  bytes(piece: Uint8Array): void
  end(): void
  /** They will not all come. */
  leave?(): void
}

const SKIPPED: Taking = { bytes: () => {}, end: () => {} }

export class IntakeLane {
  readonly #parts: IntakeLaneParts
  /** One answer at a time makes use of them. */
  readonly #buffer = Buffer.allocUnsafeSlow(SMALL_BLOB_BYTES_MAX)
  #largeBuffer: Buffer | undefined
  readonly #feed: AnswerFeed
  readonly #waiting: IntakeRequest[] = []
  /** Asked and not answered yet, of the first some items may be. */
  readonly #asked: IntakeRequest[] = []
  #at = 0
  #taking: Taking = SKIPPED
  /** Bytes of what is taken that did not have to come, since they were told. */
  #saved = 0
  #socket: LaneSocket | undefined
  #ends = false

  constructor(parts: IntakeLaneParts) {
    this.#parts = parts
    const sink: AnswerSink = {
      begin: (status, length) => this.#begin(status, length),
      bytes: (piece) => this.#taking.bytes(piece),
      end: () => this.#end(),
      refused: (failure) => this.#refused(failure)
    }
    const onSaved = (bytes: number) => {
      this.#saved += bytes
      parts.unpacking.onSaved?.(bytes)
    }
    this.#feed = new AnswerFeed(sink, { ...parts.unpacking, onSaved })
  }

  /** It is open. */
  use(socket: LaneSocket): void {
    this.#socket = socket
    this.#ask()
  }

  fetch(request: IntakeRequest): void {
    this.#waiting.push(request)
    this.#ask()
  }

  /** Ends the own half once all is answered. */
  end(): void {
    this.#ends = true
    this.#ask()
  }

  /** Throws what is wrong with the bytes or with the disk: then the lane is of no use any more. */
  take(bytes: Uint8Array): void {
    this.#feed.feed(bytes)
  }

  /** Nothing more comes. What has come of a large blob stays in its file. */
  leave(): void {
    this.#taking.leave?.()
    this.#taking = SKIPPED
  }

  #ask(): void {
    while (this.#socket !== undefined && this.#asked.length < REQUESTS_OUTSTANDING_MAX) {
      const next = this.#waiting.shift()
      if (next === undefined) break
      this.#asked.push(next)
      this.#socket.write(fetchRequest(next.items, this.#parts.unpacking))
    }
    if (this.#ends && this.#asked.length === 0) this.#socket?.end()
  }

  #begin(status: number, length: number): void {
    const [first] = this.#asked
    const item = first?.items[this.#at]
    if (first === undefined || item === undefined) {
      throw new WireError('BAD_MESSAGE', 'an answer to nothing')
    }
    const { hash, bytes, offset } = item
    this.#saved = 0
    if (status !== STATUS.OK || length !== bytes - offset) {
      this.#parts.tell(first.request, { is: 'lacking', hash })
      this.#taking = SKIPPED
      if (length > UNNEEDED_BYTES_MAX) {
        throw new WireError('TOO_LARGE', `${length} bytes of a blob of another size`)
      }
    } else if (item.partial === undefined) this.#taking = this.#small(first.request, item)
    else this.#taking = this.#large(first.request, item, item.partial)
  }

  #end(): void {
    const taking = this.#taking
    this.#taking = SKIPPED
    taking.end()
    this.#at++
    const [first] = this.#asked
    if (first !== undefined && this.#at === first.items.length) this.#answered({ is: 'answered' })
  }

  #refused({ status, message }: StatusError): void {
    if (this.#at > 0 || this.#asked.length === 0) {
      throw new WireError('BAD_MESSAGE', 'a refusal among the answers to a request')
    }
    this.#answered({ is: 'refused', status, reason: message })
  }

  #answered(event: IntakeEvent): void {
    const first = this.#asked.shift() as IntakeRequest
    this.#at = 0
    this.#parts.tell(first.request, event)
    this.#ask()
  }

  #takeSaved(): number {
    const saved = this.#saved
    this.#saved = 0
    return saved
  }

  #small(request: number, { hash, bytes }: IntakeItem): Taking {
    const { files, tell } = this.#parts
    const buffer = this.#buffer.subarray(0, bytes)
    const takeSaved = () => this.#takeSaved()
    let filled = 0
    return {
      bytes(piece) {
        buffer.set(piece, filled)
        filled += piece.byteLength
      },
      end() {
        if (sha256Of(buffer) !== hash) {
          throw new NodeError('HASH_MISMATCH', `the bytes that came for ${hash} are others`)
        }
        tell(request, { is: 'staged', hash, bytes, saved: takeSaved(), ...files.write(buffer) })
      }
    }
  }

  #large(request: number, { hash, offset }: IntakeItem, partial: string): Taking {
    const { tell } = this.#parts
    this.#largeBuffer ??= Buffer.allocUnsafeSlow(PIECE_BYTES)
    const writer = new PartialWriter(partial, offset, this.#largeBuffer)
    let told = offset
    const grown = () => {
      if (writer.bytesDone === told) return
      told = writer.bytesDone
      tell(request, { is: 'grown', hash, bytesDone: told, saved: this.#takeSaved() })
    }
    return {
      bytes(piece) {
        writer.add(piece)
        grown()
      },
      end() {
        try {
          const isRight = writer.hash() === hash
          grown()
          tell(request, { is: 'whole', hash, isRight })
        } finally {
          writer.close()
        }
      },
      leave() {
        try {
          writer.flush()
          grown()
        } finally {
          writer.close()
        }
      }
    }
  }
}
