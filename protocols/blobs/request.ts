// The asking side of /tumesh/blobs/1.

import type { MessageInitShape } from '@bufbuild/protobuf'
import type { ByteStream } from '../byte-stream.ts'
import { type FrameReader, frameOf } from '../frame.ts'
import { type ContentHash, hashBytes } from '../hash.ts'
import {
  badMessage,
  checkLength,
  checkNumber,
  encodeMessage,
  failureOf,
  parseMessage
} from '../message.ts'
import { RequestStream } from '../request-stream.ts'
import { STATUS } from '../status.ts'
import { type Copy, readCopy } from './copy.ts'
import { BLOBS_LIMITS, REQUESTS_OUTSTANDING_MAX, REQUESTS_WAITING_MAX } from './limits.ts'
import { RequestSchema, type Response, ResponseSchema } from './messages_pb.ts'
import { PackedBody } from './packed-body.ts'
import { PACKINGS } from './packing.ts'
import type { BlobItem } from './parse-request.ts'

/** The answer to one item. */
export interface BlobAnswer extends BlobItem {
  /** OK, or why no bytes come: MISSING, BUSY and others. */
  readonly status: number
  /** From the offset to the end of the blob. */
  readonly length: number
  /**
   * These bytes, unverified, to be read before `onBlob` resolves; what is not read then is skipped.
   * Throws WireError TRUNCATED where they end too early.
   */
  readonly body: AsyncIterable<Uint8Array>
  /** How many of those that were read did not have to come, as they were packed. */
  readonly saved?: () => number
  /** The same in one piece, for small blobs; `onPiece` hears of the bytes of each that comes. */
  whole(onPiece?: (bytes: number) => void): Promise<Uint8Array>
  /** `onPart` hears each time that something has come, where pieces are handed on more rarely. */
  readonly watch?: (onPart: () => void) => void
}

/** What the asking side takes. */
export interface Unpacking {
  /** Bits of PACKINGS; without any nothing comes packed. */
  readonly packings: number
  /** Hears how many bytes did not have to come. */
  readonly onSaved?: (bytes: number) => void
}

const PLAIN: Unpacking = { packings: 0 }

type Question = NonNullable<MessageInitShape<typeof RequestSchema>['kind']>

/**
 * Asks one peer for blobs over one stream. Calls may overlap: some requests are sent ahead, and all
 * are answered in their order. Each call throws StatusError if the peer refuses it as a whole (the
 * stream stays usable), else WireError, the stream's error or the signal's reason; then the stream
 * is broken and every later call throws the same.
 */
export class BlobsClient {
  readonly #requests: RequestStream
  readonly #unpacking: Unpacking

  constructor(stream: ByteStream, unpacking = PLAIN) {
    this.#unpacking = unpacking
    this.#requests = new RequestStream(stream, {
      outstandingMax: REQUESTS_OUTSTANDING_MAX,
      waitingMax: REQUESTS_WAITING_MAX
    })
  }

  /**
   * Asks for at most ITEMS_MAX blobs. `onBlob` is called for each in turn, and the next bytes come
   * only when it has resolved. What it throws breaks the stream, and is thrown here: an answer that
   * is only not wanted should be left.
   */
  async fetch(
    items: readonly BlobItem[],
    onBlob: (answer: BlobAnswer) => Promise<void>,
    signal: AbortSignal
  ): Promise<void> {
    if (items.length === 0) return
    await this.#ask(fetchOf(items, this.#unpacking), signal, async (first, reader) => {
      let response = first
      for (const [at, item] of items.entries()) {
        if (at > 0) response = await readResponse(reader)
        await this.#answerItem(item, response, reader, onBlob)
      }
    })
  }

  /**
   * For each of at most ITEMS_MAX hashes whether the peer holds that blob, durably and verified.
   */
  have(hashes: readonly ContentHash[], signal: AbortSignal): Promise<readonly boolean[]> {
    const question = { case: 'have', value: { hashes: hashes.map(hashBytes) } } as const
    return this.#ask({ ...question }, signal, async ({ bitmap }) => {
      checkLength('the bitmap', bitmap, Math.ceil(hashes.length / 8))
      return hashes.map((_, at) => (((bitmap[at >> 3] as number) >> (at & 7)) & 1) === 1)
    })
  }

  /**
   * The same for one blob, and how the peer stands to it, where it says so: versions before this
   * request do not.
   */
  explain(
    hash: ContentHash,
    signal: AbortSignal
  ): Promise<{ readonly has: boolean; readonly copy: Copy | undefined }> {
    const value = { hashes: [hashBytes(hash)], explain: true }
    return this.#ask({ case: 'have', value }, signal, async ({ bitmap, copy }) => {
      const [bits = 0] = checkLength('the bitmap', bitmap, 1)
      return { has: (bits & 1) === 1, copy: copy && readCopy(copy) }
    })
  }

  /**
   * True as soon as the peer holds the blob durably, false after the time, at most
   * HELD_TIMEOUT_MS_MAX. Nothing else is answered meanwhile: use a stream of its own.
   */
  held(hash: ContentHash, timeoutMs: number, signal: AbortSignal): Promise<boolean> {
    const value = { hash: hashBytes(hash), timeoutMs }
    return this.#ask({ case: 'held', value }, signal, async ({ held }) => held)
  }

  /** Ends the stream in good order. */
  end(signal: AbortSignal): Promise<void> {
    return this.#requests.end(signal)
  }

  /** Breaks the stream; calls under way throw. */
  abort(error: Error): void {
    this.#requests.abort(error)
  }

  async #answerItem(
    item: BlobItem,
    response: Response,
    reader: FrameReader,
    onBlob: (answer: BlobAnswer) => Promise<void>
  ): Promise<void> {
    if (response.whole) throw badMessage('a refusal among the answers to a request')
    const status = failureOf(response)?.status ?? STATUS.OK
    const length = checkNumber('a length', response.length)
    if (status !== STATUS.OK && length > 0) throw badMessage('bytes of a blob that is not given')
    const answer = { ...item, status, length }
    if (isPacked(response, this.#unpacking)) {
      let saved = 0
      const packed = new PackedBody(reader, length, (bytes) => {
        saved += bytes
        this.#unpacking.onSaved?.(bytes)
      })
      const whole = (onPiece?: (bytes: number) => void) => packed.whole(onPiece)
      const watch = (onPart: () => void) => {
        packed.onPart = onPart
      }
      await onBlob({ ...answer, body: packed.pieces(), saved: () => saved, whole, watch })
      await packed.skip()
      return
    }
    const body = reader.bytes(length)
    await onBlob({ ...answer, body, whole: (onPiece) => reader.rest(onPiece) })
    await reader.skip()
  }

  async #ask<T>(
    kind: Question,
    signal: AbortSignal,
    read: (first: Response, reader: FrameReader) => Promise<T>
  ): Promise<T> {
    const outcome = await this.#requests.ask(
      encodeMessage(RequestSchema, { kind }),
      async (reader) => {
        const first = await readResponse(reader)
        const failure = first.whole || kind.case !== 'fetch' ? failureOf(first) : undefined
        return failure === undefined ? { value: await read(first, reader) } : { failure }
      },
      signal
    )
    if ('failure' in outcome) throw outcome.failure
    return outcome.value
  }
}

/** The question for at most ITEMS_MAX blobs in a frame: for who reads answers by an AnswerFeed. */
export function fetchRequest(items: readonly BlobItem[], { packings }: Unpacking): Uint8Array {
  return frameOf(encodeMessage(RequestSchema, { kind: fetchOf(items, { packings }) }))
}

function fetchOf(items: readonly BlobItem[], { packings }: Unpacking) {
  const asked = items.map(({ hash, offset }) => ({
    hash: hashBytes(hash),
    offset: BigInt(offset)
  }))
  return { case: 'fetch', value: { items: asked, packings } } as const
}

async function readResponse(reader: FrameReader): Promise<Response> {
  return parseMessage(ResponseSchema, await reader.nextFrame(BLOBS_LIMITS.answerBytesMax))
}

/** Whether the bytes of an answer come packed. Throws WireError if that was not asked for. */
export function isPacked({ packing }: Response, { packings }: Unpacking): boolean {
  if (packing === 0) return false
  if (packing !== PACKINGS.zstd || (packings & packing) === 0) {
    throw badMessage('a blob is packed in a way that was not asked for')
  }
  return true
}
