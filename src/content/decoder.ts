// The only door to sharp: headers of what only it can read, and the proof that an image decodes.

import type { Sharp, SharpConstructor } from 'sharp'
import type { Clock } from '../base/clock.ts'
import { BoundedCalls } from './bounded-calls.ts'
import { type ImageKind, mediaTypeOf } from './kinds.ts'

/**
 * Calls side by side. Each holds a thread of the pool that the disk uses too, and that has four.
 */
const RUNNING_MAX = 2
/** Each that waits may hold 256 KiB of upload. */
const WAITING_MAX = 256
/** The slowest seen at 50 megapixels, an interlaced PNG, took 1.5 s. */
const TIMEOUT_MS = 10_000
/**
 * Above what phones and cameras commonly write. An interlaced PNG takes 5 bytes a pixel while it is
 * decoded.
 */
const PIXELS_MAX = 64_000_000

export type DecodableKind = 'jpeg' | 'png' | 'gif' | 'webp' | 'avif' | 'tiff' | 'svg'

/** No HEVC, JPEG XL, BMP or ICO in sharp's binaries. */
export function isDecodable(kind: ImageKind): kind is DecodableKind {
  return !['heic', 'heif', 'jxl', 'bmp', 'ico'].includes(kind)
}

/** All bytes of an image, or the absolute name of a file that holds them. */
export type DecoderInput = Uint8Array | string

export interface ImageSize {
  readonly width: number
  readonly height: number
}

export type Decoded =
  | ({ readonly is: 'decoded' } & ImageSize)
  | { readonly is: 'failed'; readonly why: 'damaged' | 'pixels' | 'time' }

export interface DecoderOptions {
  readonly timeoutMs?: number
  /** Of all frames together. */
  readonly pixelsMax?: number
}

/**
 * Errors: BUSY when too many images wait. What the bytes do to the decoder is an answer, never an
 * error.
 */
export class Decoder {
  readonly #calls: BoundedCalls
  readonly #timeoutMs: number
  readonly #pixelsMax: number
  #loading: Promise<SharpConstructor> | undefined

  constructor(parts: { readonly clock: Clock }, options: DecoderOptions = {}) {
    this.#timeoutMs = options.timeoutMs ?? TIMEOUT_MS
    this.#pixelsMax = options.pixelsMax ?? PIXELS_MAX
    this.#calls = new BoundedCalls(parts, {
      runningMax: RUNNING_MAX,
      waitingMax: WAITING_MAX,
      timeoutMs: this.#timeoutMs
    })
  }

  /**
   * The size as the header has it, as stored; undefined if this is no header of that kind. Decodes
   * no pixel.
   */
  async header(kind: DecodableKind, input: DecoderInput): Promise<ImageSize | undefined> {
    return this.#calls.run(async () => {
      try {
        return await headerOf(await this.#image(kind, input), kind)
      } catch {
        return undefined
      }
    })
  }

  /**
   * Decodes every frame into one pixel. An SVG is only parsed: drawing one is running its author's
   * program, and it is made of no bytes that could be damaged unnoticed.
   */
  async decode(kind: DecodableKind, input: DecoderInput): Promise<Decoded> {
    const result = await this.#calls.run(() => this.#decode(kind, input))
    return result ?? { is: 'failed', why: 'time' }
  }

  async #decode(kind: DecodableKind, input: DecoderInput): Promise<Decoded> {
    try {
      const size = await headerOf(await this.#image(kind, input), kind)
      if (size === undefined) return { is: 'failed', why: 'damaged' }
      if (kind === 'svg') return { is: 'decoded', ...size }
      const image = await this.#image(kind, input)
      // One pass over the rows, little memory; every row counts for the one pixel, so a missing one
      // is noticed.
      await image
        .resize(1, 1, { fit: 'fill', fastShrinkOnLoad: false })
        .timeout({ seconds: Math.ceil(this.#timeoutMs / 1000) })
        .raw()
        .toBuffer()
      return { is: 'decoded', ...size }
    } catch (error) {
      const isTooLarge = error instanceof Error && error.message.includes('pixel limit')
      return { is: 'failed', why: isTooLarge ? 'pixels' : 'damaged' }
    }
  }

  async #image(kind: DecodableKind, input: DecoderInput): Promise<Sharp> {
    const sharp = await this.#sharp()
    const animated = kind === 'gif' || kind === 'webp'
    // a call that is not waited for any more still reads what others may use again by then
    const own = typeof input === 'string' ? input : Buffer.from(input)
    return sharp(own, { animated, failOn: 'error', limitInputPixels: this.#pixelsMax })
  }

  /**
   * Loaded when first needed: it costs a tenth of a second and 20 MB that most nodes never need.
   */
  #sharp(): Promise<SharpConstructor> {
    this.#loading ??= import('sharp').then(({ default: sharp }) => {
      sharp.cache(false)
      sharp.concurrency(1)
      return sharp
    })
    return this.#loading
  }
}

async function headerOf(image: Sharp, kind: DecodableKind): Promise<ImageSize | undefined> {
  const { mediaType, width, height, pageHeight } = await image.metadata()
  // Frames of an animation are loaded one below the other.
  return mediaType === mediaTypeOf(kind) ? { width, height: pageHeight ?? height } : undefined
}
