// Finds the image that a request names - by path, by hash, by CID - and has it sent.

import type { IncomingMessage, ServerResponse } from 'node:http'
import { z } from 'zod'
import type { ImageEntry } from '../../protocols/entry.ts'
import { type ContentHash, cidOf, parseCid, parseHash, parseMd5 } from '../../protocols/hash.ts'
import { fileNameOf, type ImagePath, parsePath } from '../../protocols/path.ts'
import { versionMs } from '../../protocols/version.ts'
import { saidAs } from '../base/cause.ts'
import { NodeError } from '../base/errors.ts'
import type { SpareBuffers } from '../base/spare-buffers.ts'
import { extensionOfKind } from '../content/kinds.ts'
import {
  type FoundBlob,
  findBlob,
  findImage,
  openBlob,
  openInstead,
  openReadable,
  openTrusted
} from '../flows/read.ts'
import type { BlobRow } from '../index/rows.ts'
import { accelPathOf, sendAccel } from './accel.ts'
import { logFailure } from './answer-failure.ts'
import { isRecognized } from './describe-image.ts'
import type { Guard } from './guard.ts'
import type { HotImages } from './hot-images.ts'
import { type ImageToSend, sendImage } from './image-response.ts'
import { kindOfMediaType } from './media-kind.ts'
import type { HttpParts } from './ports.ts'
import { asRawBlock, checkBlockFormat, describeBlock, PROBE_CID, sendProbe } from './raw-block.ts'
import type { ServerTiming } from './server-timing.ts'

const YEAR_S = 365 * 86_400
/** How soon a client may ask again for what is being taken in. */
const ADOPTING_RETRY_MS = 10_000
const CATCHING_UP_RETRY_MS = 2_000
/** Blobs with one MD5 that are listed. */
const SAME_MD5_MAX = 100

export interface ReaderOptions {
  /** Whether caches that many people share may keep what is read. */
  readonly isPublic: boolean
  /** How long caches may show what a path names before they ask again. */
  readonly pathMaxAgeMs: number
  /** The location of a proxy that has `blobs/`; undefined: all bytes are sent from here. */
  readonly accelLocation: string | undefined
}

export interface ReaderParts extends Pick<HttpParts, 'flows' | 'adopting' | 'clock' | 'log'> {
  readonly guard: Pick<Guard, 'isFromProxy'>
  readonly hot: HotImages
  readonly buffers: SpareBuffers
  readonly timing: ServerTiming | undefined
}

/** What 300 answers. */
export const choicesShape = z.object({
  message: z.string(),
  choices: z.array(
    z.object({
      sha256: z.string(),
      cid: z.string(),
      size: z.int(),
      mime_type: z.string(),
      url: z.string()
    })
  )
})

/** `name` is what the address says after the prefix, decoded once. What can't be read is thrown. */
export class ImageReader {
  readonly #parts: ReaderParts
  /** Values of Cache-Control, by what the address names. */
  readonly #cacheControl: Readonly<Record<'path' | 'md5' | 'hash', string>>

  readonly #accelLocation: string | undefined

  constructor(parts: ReaderParts, { isPublic, pathMaxAgeMs, accelLocation }: ReaderOptions) {
    const who = isPublic ? 'public' : 'private'
    const revalidated = isPublic ? 'no-cache' : 'private, no-cache'
    const pathSeconds = Math.floor(pathMaxAgeMs / 1000)
    this.#parts = parts
    this.#accelLocation = accelLocation
    this.#cacheControl = {
      path: pathSeconds > 0 ? `${who}, max-age=${pathSeconds}` : revalidated,
      md5: revalidated,
      hash: `${who}, max-age=${YEAR_S}, immutable`
    }
  }

  async byPath(
    request: IncomingMessage,
    response: ServerResponse,
    name: string,
    { isPlaceholder = false } = {}
  ): Promise<void> {
    const path = parsePath(name)
    const known = findImage(this.#parts.flows, path)
    const entry = known ?? (await this.#learn(path))
    if (entry === undefined)
      throw this.#unknown(`There is no image ${path}.`, saidAs('image_absent', { path }))
    const { hash, md5, bytes, mediaType, version } = entry
    await this.#send(request, response, {
      ...(isPlaceholder ? {} : known && this.#keeper(request, path, known.hash)),
      hash,
      md5,
      bytes,
      mediaType,
      modifiedMs: versionMs(version),
      fileName: fileNameOf(path),
      cacheControl: isPlaceholder ? 'no-store' : this.#cacheControl.path,
      recognized: isRecognized(entry)
    })
  }

  /** What keeps the answer in memory, if it is worth that; the entry was just read. */
  #keeper(
    { method, url = '' }: IncomingMessage,
    path: ImagePath,
    hash: ContentHash
  ): Pick<ImageToSend, 'onWhole' | 'onSame'> {
    const { hot, flows } = this.#parts
    const asked = method === 'GET' ? hot.ask(url) : undefined
    if (asked === undefined) return {}
    const etag = `"${hash}"`
    return {
      onWhole: (headers, body, stamp) => {
        if (flows.blocks.has(hash)) return
        const sameHeaders = headers.slice(0, headers.indexOf('Accept-Ranges'))
        const image = { path, etag, headers, sameHeaders, body }
        hot.offer(url, asked, image, stamp && { hash, stamp })
      },
      onSame: (sameHeaders) => {
        if (!flows.blocks.has(hash)) hot.offerSame(url, asked, { path, etag, sameHeaders })
      }
    }
  }

  /** The index has it, or a server that may know more than this one. */
  async #learn(path: ImagePath): Promise<ImageEntry | undefined> {
    const { flows } = this.#parts
    await flows.remote?.learn(path)
    return findImage(flows, path)
  }

  async byHash(request: IncomingMessage, response: ServerResponse, name: string): Promise<void> {
    if (/^[0-9a-f]{32}$/i.test(name)) return this.#byMd5(request, response, name)
    const hash = /^[0-9a-f]{64}$/i.test(name) ? parseHash(name) : parseCid(name)
    const row = this.#liveRow(hash)
    // as long as this path names it, it is live
    const path = row.path as ImagePath | undefined
    const isNamed = path !== undefined && this.#parts.flows.index.image(path)?.hash === hash
    await this.#send(request, response, {
      ...this.#blobFacts(hash, row, this.#cacheControl.hash),
      ...(isNamed && this.#keeper(request, path, hash))
    })
  }

  /** As a raw block. */
  async byCid(request: IncomingMessage, response: ServerResponse, name: string): Promise<void> {
    checkBlockFormat(request)
    if (name === PROBE_CID) return sendProbe(request, response)
    const hash = parseCid(name)
    const facts = this.#blobFacts(hash, this.#liveRow(hash), this.#cacheControl.hash)
    describeBlock(request, response, name)
    const block = { ...facts, recognized: false, fileName: `${name}.bin` }
    await this.#send(request, asRawBlock(response), block)
  }

  async #byMd5(request: IncomingMessage, response: ServerResponse, name: string): Promise<void> {
    const md5 = parseMd5(name)
    const { index } = this.#parts.flows
    const hashes = await index.hashesOf(md5, SAME_MD5_MAX)
    const live = hashes.filter((hash) => (index.blob(hash)?.live ?? 0) > 0)
    const [hash] = live.length > 0 ? live : hashes
    if (hash === undefined) throw this.#unknown('No image here has this MD5.', saidAs('md5_absent'))
    const cacheControl = this.#cacheControl.md5
    if (live.length < 2) {
      const row = this.#liveRow(hash)
      return this.#send(request, response, this.#blobFacts(hash, row, cacheControl))
    }
    const choices = live.map((hash) => {
      const { bytes = 0, mediaType = '' } = index.blob(hash) ?? {}
      const url = `/blobs/${hash}`
      return { sha256: hash, cid: cidOf(hash), size: bytes, mime_type: mediaType, url }
    })
    const message = `${choices.length} images have this MD5. Ask for one by its SHA-256.`
    const text = Buffer.from(JSON.stringify({ message, choices }))
    response.writeHead(300, {
      'Content-Type': 'application/json; charset=utf-8',
      'Content-Length': text.byteLength,
      'Cache-Control': cacheControl,
      'X-Content-Type-Options': 'nosniff'
    })
    response.end(text)
  }

  #send(
    request: IncomingMessage,
    response: ServerResponse,
    facts: Omit<ImageToSend, 'open' | 'openInstead' | 'find'>
  ): Promise<void> {
    const { flows, log, timing } = this.#parts
    const { hash } = facts
    flows.blocks.require(hash)
    const path = this.#accelPath(request, hash)
    if (path !== undefined) {
      sendAccel(request, response, facts, path)
      return Promise.resolve()
    }
    timing?.enter(response, 'disk')
    const fetched = async (looking: Promise<FoundBlob>) => {
      const found = await looking
      if (found.from !== undefined) timing?.rename(response, 'fetch')
      return found
    }
    const image: ImageToSend = {
      ...facts,
      open: () => {
        const blob = openReadable(flows, hash)
        return blob === undefined ? fetched(this.#known(openBlob(flows, hash))) : { blob }
      },
      openInstead: () => fetched(openInstead(flows, hash)),
      find: () => this.#known(findBlob(flows, hash))
    }
    return sendImage(request, response, image, {
      buffers: this.#parts.buffers,
      onFault: (error) => logFailure(log, request, error)
    })
  }

  /** Where the proxy that asks finds the bytes; undefined if they go out from here. */
  #accelPath(request: IncomingMessage, hash: ContentHash): string | undefined {
    const { guard, flows } = this.#parts
    if (this.#accelLocation === undefined || request.method !== 'GET') return undefined
    if (!guard.isFromProxy(request)) return undefined
    const blob = openTrusted(flows, hash)
    blob?.close()
    return blob && accelPathOf(this.#accelLocation, hash)
  }

  /** What was asked for had an entry a moment ago. */
  async #known<T>(looking: Promise<T | undefined>): Promise<T> {
    const found = await looking
    if (found === undefined)
      throw this.#unknown('There are no such bytes here.', saidAs('bytes_absent'))
    return found
  }

  #liveRow(hash: ContentHash): BlobRow {
    const row = this.#parts.flows.index.blob(hash)
    if (row === undefined)
      throw this.#unknown('There are no such bytes here.', saidAs('bytes_absent'))
    if (row.live > 0) return row
    const sentence = 'Only the trash holds these bytes. POST /api/restore brings them back.'
    throw new NodeError('GONE', sentence, { hash, ...saidAs('bytes_in_trash') })
  }

  #blobFacts(hash: ContentHash, row: BlobRow, cacheControl: string) {
    const { md5, bytes, mediaType } = row
    const kind = kindOfMediaType(mediaType)
    return {
      hash,
      md5,
      bytes,
      mediaType,
      modifiedMs: row.stamp?.mtimeMs ?? 0,
      fileName: `${hash}.${kind === undefined ? 'bin' : extensionOfKind(kind)}`,
      cacheControl,
      recognized: isRecognized(row)
    }
  }

  /** Not found, unless it may still turn up. */
  #unknown(sentence: string, said: ReturnType<typeof saidAs>): NodeError {
    const { adopting, flows } = this.#parts
    const retryAfterMs = adopting() ? ADOPTING_RETRY_MS : CATCHING_UP_RETRY_MS
    if (adopting()) {
      const more = 'This node is still taking in the images that it found; try again in a moment.'
      const details = { retryAfterMs, ...saidAs('still_adopting') }
      return new NodeError('NOT_AVAILABLE', `${sentence} ${more}`, details)
    }
    if (flows.remote?.isCatchingUp()) {
      const more = 'This node has just started and asks the others; try again in a moment.'
      const details = { retryAfterMs, ...saidAs('still_catching_up') }
      return new NodeError('NOT_AVAILABLE', `${sentence} ${more}`, details)
    }
    return new NodeError('NOT_FOUND', sentence, said)
  }
}
