// Whole answers that are asked for again and again, kept in memory: the head as it goes out and the
// bytes, by the address as clients write it. Of small images only; others cost their bytes anyway.
// Where there is no room for the bytes the head alone is kept, and the bytes are read each time.
//
// What is kept was current and its bytes were right when it was read, and it goes as soon as the
// index says anything else of its path, or its file is not what it was.

import type { IncomingMessage, ServerResponse } from 'node:http'
import { LRUCache } from 'lru-cache'
import type { ContentHash } from '../../protocols/hash.ts'
import type { ImagePath } from '../../protocols/path.ts'
import { Frequencies } from '../base/frequencies.ts'
import type { SpareBuffers } from '../base/spare-buffers.ts'
import type { ImageIndex } from '../index/image-index.ts'
import {
  type FileStamp,
  type OpenBlob,
  SMALL_BLOB_BYTES_MAX,
  sameStamp
} from '../store/blob-store.ts'
import type { ImageRead } from './request-lines.ts'
import { sendLent } from './send-lent.ts'
import { datedAt, type WireAnswer, wireAnswerOf, wireSameOf } from './wire-answer.ts'

export interface HotImage {
  readonly path: ImagePath
  readonly etag: string
  /** A flat list of names and values, as `writeHead` takes it: of 200, and of 304. */
  readonly headers: readonly string[]
  readonly sameHeaders: readonly string[]
  readonly body: Uint8Array
}

export interface HotImagesOptions {
  /** Of all bodies and addresses together, with a little for each; 0 keeps nothing. */
  readonly bytesMax: number
}

/** Where the bytes of an image are, which are right as long as the file is this one. */
export interface KnownFile {
  readonly hash: ContentHash
  readonly stamp: FileStamp
}

interface AsItGoesOut {
  readonly wire: WireAnswer
  /** Of 304; made when it is first needed. */
  sameWire?: WireAnswer
}

/** Its body is a part of the answer as it goes out. */
type Kept = HotImage & AsItGoesOut

/** An answer whose bytes are read each time; none are in `wire`. */
type Known = Omit<HotImage, 'body'> &
  AsItGoesOut & { readonly file: KnownFile; readonly bytes: number }

/** Ready to be sent. */
export interface QuickAnswer {
  readonly bytes: Buffer
  /** To be called when they have left, and never where the client goes away first. */
  readonly giveBack?: () => void
}

export interface HotFiles {
  open(hash: ContentHash): OpenBlob | undefined
  readonly buffers: SpareBuffers
}

/** What an answer takes beside its body and address, about: strings, lists, places in tables. */
const ENTRY_BYTES = 2048
/** The room for answers without bytes, beside the others. */
const KNOWN_SHARE = 1 / 8
const NO_BODY = new Uint8Array(0)
/** One image may take this share of the room. */
const SHARE_MAX = 1 / 64
/** How many addresses are told apart by how often they are asked for. */
const COUNTED = 2 ** 14
/** An address is kept from the second time on. */
const ASKED_MIN = 2

/** Bytes that are read each time take the room of others that are asked for so much less. */
const PROMOTED_BY = 2

/** Headers that make another answer of it. */
const CONDITIONS = ['range', 'if-range', 'if-match', 'if-unmodified-since'] as const

export class HotImages {
  readonly #images: LRUCache<string, Kept>
  readonly #bytesMax: number
  /** Addresses under which a path is kept. */
  readonly #urls = new Map<string, Set<string>>()
  readonly #asked = new Frequencies(COUNTED)
  readonly #index: Pick<ImageIndex, 'entryWrites'>
  readonly #known: LRUCache<string, Known>
  readonly #files: HotFiles | undefined

  /** Without `files` nothing is kept but whole answers. */
  constructor(
    index: Pick<ImageIndex, 'entryWrites' | 'onEntries'>,
    { bytesMax }: HotImagesOptions,
    files?: HotFiles
  ) {
    this.#index = index
    this.#files = files
    this.#known = new LRUCache({
      maxSize: Math.max(bytesMax * KNOWN_SHARE, 1),
      sizeCalculation: (_, url) => sizeOf(url, 0),
      dispose: ({ path }, url) => this.#forget(path, url)
    })
    this.#bytesMax = bytesMax
    this.#images = new LRUCache({
      maxSize: Math.max(bytesMax, 1),
      sizeCalculation: ({ body }, url) => sizeOf(url, body.byteLength),
      dispose: ({ path }, url) => this.#forget(path, url)
    })
    index.onEntries((paths) => {
      if (paths === undefined) this.clear()
      else {
        for (const path of paths) {
          for (const url of this.#urls.get(path) ?? []) {
            this.#images.delete(url)
            this.#known.delete(url)
          }
        }
      }
    })
  }

  /** Bytes in use. */
  get bytes(): number {
    return this.#images.calculatedSize + this.#known.calculatedSize
  }

  /** Answers a GET of an image that is kept; false if it is not, or the client wants a part. */
  tryAnswer({ headers, url = '' }: IncomingMessage, response: ServerResponse): boolean {
    const image = this.#images.get(url) ?? this.#known.get(url)
    // an answer that must wait for those before it must not hold its bytes
    if (image === undefined || response.socket === null) return false
    for (const name of CONDITIONS) if (headers[name] !== undefined) return false
    const known = headers['if-none-match']
    if (known === undefined) {
      if (headers['if-modified-since'] !== undefined) return false
      this.#asked.add(url)
      if ('file' in image) return this.#sendFile(url, image, response)
      response.writeHead(200, image.headers as string[]).end(image.body)
      return true
    }
    this.#asked.add(url)
    if (known !== image.etag) return false
    response.writeHead(304, image.sameHeaders as string[]).end()
    return true
  }

  /**
   * The whole answer to a request for an address, if the image is kept; where the client has bytes
   * already, only if they are those of the image. Who takes it sends it.
   */
  quickAnswer({ method, url, etag }: ImageRead, nowMs: number): QuickAnswer | undefined {
    const image = this.#images.get(url)
    if (etag !== undefined) return this.#quickSame(url, image ?? this.#known.get(url), etag, nowMs)
    if (image !== undefined) {
      this.#asked.add(url)
      const bytes = datedAt(image.wire, nowMs)
      return { bytes: method === 'HEAD' ? image.wire.head : bytes }
    }
    if (method === 'HEAD') return undefined
    const known = this.#known.get(url)
    if (known === undefined) return undefined
    const head = datedAt(known.wire, nowMs)
    if (head.byteLength + known.bytes > SMALL_BLOB_BYTES_MAX) return undefined
    this.#asked.add(url)
    const buffer = this.#readFile(url, known, head.byteLength)
    if (buffer === undefined) return undefined
    buffer.set(head)
    const bytes = buffer.subarray(0, head.byteLength + known.bytes)
    return { bytes, giveBack: () => this.#giveBack(buffer) }
  }

  #quickSame(
    url: string,
    image: Kept | Known | undefined,
    etag: string,
    nowMs: number
  ): QuickAnswer | undefined {
    if (image === undefined || image.etag !== etag) return undefined
    this.#asked.add(url)
    image.sameWire ??= wireSameOf(image.sameHeaders)
    return { bytes: datedAt(image.sameWire, nowMs) }
  }

  /**
   * Notes that an address is asked for. A number for `offer` if its answer is worth keeping, once
   * it is known.
   */
  ask(url: string, bytes: number): number | undefined {
    if (sizeOf(url, bytes) > this.#bytesMax * SHARE_MAX) return undefined
    if (this.#asked.add(url) < ASKED_MIN) return undefined
    return this.#index.entryWrites
  }

  /**
   * Keeps an answer that was read while the number held; without its bytes, if they would push out
   * what is asked for more. The bytes are copied.
   */
  offer(url: string, asked: number, image: HotImage, file?: KnownFile): void {
    if (asked !== this.#index.entryWrites) return
    const { path, etag, headers, sameHeaders } = image
    const bytes = image.body.byteLength
    if (this.#isRoomFor(url, bytes)) {
      this.#known.delete(url)
      const wire = wireAnswerOf(headers, image.body)
      this.#images.set(url, { path, etag, headers, sameHeaders, body: wire.body, wire })
    } else if (file !== undefined && this.#files !== undefined) {
      if (this.#images.has(url)) return // forgetting one of two would leave the other
      const wire = wireAnswerOf(headers, NO_BODY)
      this.#known.set(url, { path, etag, headers, sameHeaders, file, bytes, wire })
    } else return
    const urls = this.#urls.get(path) ?? new Set()
    this.#urls.set(path, urls.add(url))
  }

  clear(): void {
    this.#images.clear()
    this.#known.clear()
  }

  /** Whether so many bytes would push out nothing that is asked for more. */
  #isRoomFor(url: string, bytes: number, by = 1): boolean {
    const size = sizeOf(url, bytes)
    if (this.#images.calculatedSize + size <= this.#bytesMax) return true
    const [oldest] = this.#images.rkeys()
    return oldest === undefined || this.#asked.of(oldest) + by <= this.#asked.of(url)
  }

  /** False, with nothing sent, if the file is not what it was. */
  #sendFile(url: string, known: Known, response: ServerResponse): boolean {
    const buffer = this.#readFile(url, known, 0)
    if (buffer === undefined) return false
    response.writeHead(200, known.headers as string[])
    sendLent(response, buffer.subarray(0, known.bytes), () => this.#giveBack(buffer))
    return true
  }

  /**
   * The bytes from `at` on in a buffer that is to be given back; undefined if the file is not what
   * it was.
   */
  #readFile(url: string, known: Known, at: number): Buffer | undefined {
    const { open, buffers } = this.#files as HotFiles
    const { file, bytes } = known
    let blob: OpenBlob | undefined
    let buffer: Buffer | undefined
    try {
      blob = open(file.hash)
      if (blob !== undefined && blob.bytes === bytes && sameStamp(blob.stamp, file.stamp)) {
        buffer = buffers.take(at + bytes)
        blob.readInto(buffer.subarray(at, at + bytes))
      }
    } catch {
      buffer = undefined // whoever answers instead finds out why
    } finally {
      blob?.close()
    }
    if (buffer === undefined) {
      this.#known.delete(url)
      return undefined
    }
    if (this.#isRoomFor(url, bytes, PROMOTED_BY)) {
      const body = buffer.subarray(at, at + bytes)
      this.offer(url, this.#index.entryWrites, { ...known, body })
    }
    return buffer
  }

  #giveBack(buffer: Buffer): void {
    this.#files?.buffers.give(buffer)
  }

  #forget(path: string, url: string): void {
    const urls = this.#urls.get(path)
    urls?.delete(url)
    if (urls?.size === 0) this.#urls.delete(path)
  }
}

/** Addresses are as long as clients make them. */
function sizeOf(url: string, bytes: number): number {
  return bytes + url.length + ENTRY_BYTES
}
