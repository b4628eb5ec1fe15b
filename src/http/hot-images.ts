// Whole answers that are asked for again and again, kept in memory: the head as it goes out and the
// bytes, by the address as clients write it. Of small images only; others cost their bytes anyway.
//
// What is kept was current and its bytes were right when it was read, and it goes as soon as the
// index says anything else of its path.

import type { IncomingMessage, ServerResponse } from 'node:http'
import { LRUCache } from 'lru-cache'
import type { ImagePath } from '../../protocols/path.ts'
import { Frequencies } from '../base/frequencies.ts'
import type { ImageIndex } from '../index/image-index.ts'

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

/** What an answer takes beside its body and address, about: strings, lists, places in tables. */
const ENTRY_BYTES = 2048
/** One image may take this share of the room. */
const SHARE_MAX = 1 / 64
/** How many addresses are told apart by how often they are asked for. */
const COUNTED = 2 ** 14
/** An address is kept from the second time on. */
const ASKED_MIN = 2

/** Headers that make another answer of it. */
const CONDITIONS = [
  'range',
  'if-range',
  'if-match',
  'if-modified-since',
  'if-unmodified-since'
] as const

export class HotImages {
  readonly #images: LRUCache<string, HotImage>
  readonly #bytesMax: number
  /** Addresses under which a path is kept. */
  readonly #urls = new Map<string, Set<string>>()
  readonly #asked = new Frequencies(COUNTED)
  readonly #index: Pick<ImageIndex, 'entryWrites'>

  constructor(
    index: Pick<ImageIndex, 'entryWrites' | 'onEntries'>,
    { bytesMax }: HotImagesOptions
  ) {
    this.#index = index
    this.#bytesMax = bytesMax
    this.#images = new LRUCache({
      maxSize: Math.max(bytesMax, 1),
      sizeCalculation: ({ body }, url) => sizeOf(url, body.byteLength),
      dispose: ({ path }, url) => this.#forget(path, url)
    })
    index.onEntries((paths) => {
      if (paths === undefined) this.#images.clear()
      else
        for (const path of paths)
          for (const url of this.#urls.get(path) ?? []) this.#images.delete(url)
    })
  }

  /** Bytes in use. */
  get bytes(): number {
    return this.#images.calculatedSize
  }

  /** Answers a GET of an image that is kept; false if it is not, or the client wants a part. */
  tryAnswer({ headers, url = '' }: IncomingMessage, response: ServerResponse): boolean {
    const image = this.#images.get(url)
    // an answer that must wait for those before it must not hold its bytes
    if (image === undefined || response.socket === null) return false
    for (const name of CONDITIONS) if (headers[name] !== undefined) return false
    this.#asked.add(url)
    const known = headers['if-none-match']
    if (known === undefined) {
      response.writeHead(200, image.headers as string[]).end(image.body)
      return true
    }
    if (known !== image.etag) return false
    response.writeHead(304, image.sameHeaders as string[]).end()
    return true
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
   * Keeps an answer that was read while the number held, unless it would push out one that is asked
   * for more.
   */
  offer(url: string, asked: number, image: HotImage): void {
    if (asked !== this.#index.entryWrites) return
    const size = sizeOf(url, image.body.byteLength)
    if (this.#images.calculatedSize + size > this.#bytesMax) {
      const [oldest] = this.#images.rkeys()
      if (oldest !== undefined && this.#asked.of(oldest) >= this.#asked.of(url)) return
    }
    this.#images.set(url, image)
    const urls = this.#urls.get(image.path) ?? new Set()
    this.#urls.set(image.path, urls.add(url))
  }

  clear(): void {
    this.#images.clear()
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
