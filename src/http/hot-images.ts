// Whole answers that are asked for again and again, kept in memory: the head as it goes out and the
// bytes, by the address as clients write it. Of small images only; others cost their bytes anyway.
// Where there is no room for the bytes the head alone is kept, and the bytes are read each time.
// Of what only clients asked for that have the bytes, no more is kept than 304 takes.
//
// What is kept was current and its bytes were right when it was read, and it goes as soon as the
// index says anything else of its path, or its file is not what it was.

import type { IncomingMessage, ServerResponse } from 'node:http'
import { LRUCache } from 'lru-cache'
import type { ImagePath } from '../../protocols/path.ts'
import { Frequencies } from '../base/frequencies.ts'
import type { ImageIndex } from '../index/image-index.ts'
import { type OpenBlob, SMALL_BLOB_BYTES_MAX, sameStamp } from '../store/blob-store.ts'
import type {
  HotFiles,
  HotImage,
  Kept,
  Known,
  KnownFile,
  Same,
  SameImage,
  Whole
} from './hot-image.ts'
import type { ImageRead } from './request-lines.ts'
import { sendLent } from './send-lent.ts'
import { datedAt, wireAnswerOf, wireSameOf } from './wire-answer.ts'

export interface HotImagesOptions {
  /** Of all bodies and addresses together, with a little for each; 0 keeps nothing. */
  readonly bytesMax: number
}

/** Ready to be sent. */
export interface QuickAnswer {
  readonly bytes: Buffer
  /** To be called when they have left, and never where the client goes away first. */
  readonly giveBack?: () => void
}

/** What an answer takes beside its body and address, about: strings, lists, places in tables. */
const ENTRY_BYTES = 2048
/** The same where no more is kept than 304 takes. */
const SAME_BYTES = 1024
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
      sizeCalculation: ({ whole }, url) => url.length + (whole ? ENTRY_BYTES : SAME_BYTES),
      dispose: ({ path }, url) => this.#forget(path, url)
    })
    this.#bytesMax = bytesMax
    this.#images = new LRUCache({
      maxSize: Math.max(bytesMax, 1),
      sizeCalculation: ({ body }, url) => sizeOf(url, body.byteLength),
      dispose: ({ path }, url) => this.#forget(path, url),
      disposeAfter: (image, url, why) => {
        if (why === 'evict') this.#keepHead(url, image, image.body.byteLength, image.file)
      }
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

  /** Answers a read of an image that is kept; false if it is not, or the client wants a part. */
  tryAnswer({ method, headers, url = '' }: IncomingMessage, response: ServerResponse): boolean {
    const image = this.#images.get(url) ?? this.#known.get(url)
    // an answer that must wait for those before it must not hold its bytes
    if (image === undefined || response.socket === null) return false
    for (const name of CONDITIONS) if (headers[name] !== undefined) return false
    const known = headers['if-none-match']
    if (known === undefined) {
      if (headers['if-modified-since'] !== undefined) return false
      return this.#sendWhole(url, image, method === 'HEAD', response)
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
    const known = this.#known.get(url)
    if (known?.whole === undefined) return undefined
    const head = datedAt(known.whole.wire, nowMs)
    const length = head.byteLength + known.whole.bytes
    if (method === 'HEAD') return this.#isThere(url, known.whole) ? { bytes: head } : undefined
    if (length > SMALL_BLOB_BYTES_MAX) return undefined
    this.#asked.add(url)
    const buffer = this.#readFile(url, known, known.whole, head.byteLength)
    if (buffer === undefined) return undefined
    buffer.set(head)
    return { bytes: buffer.subarray(0, length), giveBack: () => this.#giveBack(buffer) }
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
   * Notes that an address is asked for. A number for `offer` and `offerSame` if its answer is worth
   * keeping, once it is known.
   */
  ask(url: string): number | undefined {
    if (this.#isTooLarge(url, 0)) return undefined
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
    const isTooLarge = this.#isTooLarge(url, bytes)
    if (!isTooLarge && this.#isRoomFor(url, bytes)) {
      this.#known.delete(url)
      const wire = wireAnswerOf(headers, image.body)
      this.#images.set(url, { path, etag, headers, sameHeaders, body: wire.body, wire, file })
      this.#note(path, url)
    } else this.#keepHead(url, image, bytes, isTooLarge ? undefined : file)
  }

  /** Keeps what 304 takes, which was read while the number held, if no more is kept. */
  offerSame(url: string, asked: number, image: SameImage): void {
    if (asked !== this.#index.entryWrites || this.#known.has(url)) return
    this.#keepSame(url, image)
  }

  /** Without a file the bytes could not be read again. */
  #keepHead(
    url: string,
    image: Pick<HotImage, 'headers'> & Same,
    bytes: number,
    file: KnownFile | undefined
  ): void {
    const { headers } = image
    const isReadable = file !== undefined && this.#files !== undefined
    this.#keepSame(
      url,
      image,
      isReadable ? { headers, file, bytes, wire: wireAnswerOf(headers, NO_BODY) } : undefined
    )
  }

  #keepSame(url: string, { path, etag, sameHeaders, sameWire }: Same, whole?: Whole): void {
    if (this.#images.has(url)) return // forgetting one of two would leave the other
    this.#known.set(url, { path, etag, sameHeaders, sameWire, whole })
    if (this.#known.has(url)) this.#note(path, url)
  }

  clear(): void {
    this.#images.clear()
    this.#known.clear()
  }

  #isTooLarge(url: string, bytes: number): boolean {
    return sizeOf(url, bytes) > this.#bytesMax * SHARE_MAX
  }

  /** Whether so many bytes would push out nothing that is asked for more. */
  #isRoomFor(url: string, bytes: number, by = 1): boolean {
    const size = sizeOf(url, bytes)
    if (this.#images.calculatedSize + size <= this.#bytesMax) return true
    const [oldest] = this.#images.rkeys()
    return oldest === undefined || this.#asked.of(oldest) + by <= this.#asked.of(url)
  }

  /** False, with nothing sent, if its bytes are not known, or their file is not what it was. */
  #sendWhole(url: string, image: Kept | Known, isHead: boolean, response: ServerResponse): boolean {
    this.#asked.add(url)
    if ('body' in image) {
      response.writeHead(200, image.headers as string[]).end(isHead ? undefined : image.body)
      return true
    }
    const { whole } = image
    if (whole === undefined) return false
    if (isHead) {
      if (!this.#isThere(url, whole)) return false
      response.writeHead(200, whole.headers as string[]).end()
      return true
    }
    const buffer = this.#readFile(url, image, whole, 0)
    if (buffer === undefined) return false
    response.writeHead(200, whole.headers as string[])
    sendLent(response, buffer.subarray(0, whole.bytes), () => this.#giveBack(buffer))
    return true
  }

  /** Whether the file is what it was; it is forgotten if not. */
  #isThere(url: string, { file }: Whole): boolean {
    let isThere = false
    try {
      const stamp = this.#files?.stamp(file.hash)
      isThere = stamp !== undefined && sameStamp(stamp, file.stamp)
    } catch {
      // whoever answers instead finds out why
    }
    if (!isThere) this.#known.delete(url)
    return isThere
  }

  /**
   * The bytes from `at` on in a buffer that is to be given back; undefined if the file is not what
   * it was.
   */
  #readFile(url: string, known: Known, whole: Whole, at: number): Buffer | undefined {
    const { open, buffers } = this.#files as HotFiles
    const { file, bytes, headers } = whole
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
      this.offer(url, this.#index.entryWrites, { ...known, headers, body }, file)
    }
    return buffer
  }

  #giveBack(buffer: Buffer): void {
    this.#files?.buffers.give(buffer)
  }

  #note(path: ImagePath, url: string): void {
    const urls = this.#urls.get(path) ?? new Set()
    this.#urls.set(path, urls.add(url))
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
