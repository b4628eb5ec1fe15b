// Small pictures of images, for pages that show many: each made once, from the bytes of its blob,
// and kept beside the blobs as long as there is room.

import { LRUCache } from 'lru-cache'
import type { ContentHash } from '../../protocols/hash.ts'
import { saidAs } from '../base/cause.ts'
import { NodeError } from '../base/errors.ts'
import { type Drawn, hasThumbnail, type Thumbnailer } from '../content/thumbnailer.ts'
import type { BlobRow } from '../index/rows.ts'
import type { ThumbnailFiles, ThumbnailSize } from '../store/thumbnail-files.ts'
import type { FlowParts } from './parts.ts'
import { openBlob, openTrusted } from './read.ts'

/** Images that can't be drawn are not tried again at each look, but a busy moment passes. */
const FAILURES_MAX = 1000
const FAILURE_MS = 10 * 60_000

export interface ThumbnailsParts {
  readonly files: ThumbnailFiles
  readonly drawer: Thumbnailer
}

export class Thumbnails {
  readonly #parts: ThumbnailsParts
  readonly #drawing = new Map<string, Promise<Uint8Array>>()
  readonly #failures = new LRUCache<string, { readonly why: string; readonly atMs: number }>({
    max: FAILURES_MAX
  })

  constructor(parts: ThumbnailsParts) {
    this.#parts = parts
  }

  /**
   * WebP; undefined for images that are shown as they are, since nothing can be drawn of them or
   * they are small. Errors: BLOCKED; NO_THUMBNAIL where the bytes can't be drawn; those of
   * `openBlob`; BUSY.
   */
  async get(
    flows: FlowParts,
    hash: ContentHash,
    size: ThumbnailSize
  ): Promise<Uint8Array | undefined> {
    flows.blocks.require(hash)
    const row = flows.index.blob(hash)
    if (row === undefined || row.live === 0) throw absent(hash, row)
    if (!hasThumbnail(row.mediaType) || row.bytes <= BYTES_AS_IT_IS) return undefined
    const kept = this.#parts.files.read(hash, size)
    if (kept !== undefined) return kept
    const name = `${hash}-${size}`
    const drawing =
      this.#drawing.get(name) ??
      this.#make(flows, hash, size).finally(() => this.#drawing.delete(name))
    this.#drawing.set(name, drawing)
    return drawing
  }

  /** The bytes of a blob are gone for good, and so is what was drawn of them. */
  drop(hash: ContentHash): void {
    this.#parts.files.drop(hash)
  }

  /** All that is kept; whether there was any. */
  dropAll(): Promise<boolean> {
    return this.#parts.files.dropAll()
  }

  stop(): void {
    this.#parts.drawer.stop()
  }

  async #make(flows: FlowParts, hash: ContentHash, size: ThumbnailSize): Promise<Uint8Array> {
    const failed = this.#failures.get(hash)
    if (failed !== undefined && flows.clock.monotonicMs() - failed.atMs < FAILURE_MS) {
      throw notDrawn(failed.why)
    }
    await bringHere(flows, hash)
    const file = this.#parts.files.blobFile(hash)
    const mediaType = flows.index.blob(hash)?.mediaType ?? ''
    const drawn = await this.#parts.drawer.draw({ file, mediaType, size })
    // what has changed while it was read says nothing of the image
    if (!isTrusted(flows, hash)) throw notDrawn('its bytes have just changed')
    return this.#taken(flows, { hash, size, drawn })
  }

  #taken(
    { room, clock }: FlowParts,
    { hash, size, drawn }: { hash: ContentHash; size: ThumbnailSize; drawn: Drawn }
  ): Uint8Array {
    if ('why' in drawn) {
      this.#failures.set(hash, { why: drawn.why, atMs: clock.monotonicMs() })
      throw notDrawn(drawn.why)
    }
    if (room.status().state === 'ok') this.#parts.files.keep(hash, size, drawn.bytes)
    return drawn.bytes
  }
}

/** Less than most thumbnails would have. */
const BYTES_AS_IT_IS = 8 * 1024

/** The program that draws reads a file of this node. */
async function bringHere(flows: FlowParts, hash: ContentHash): Promise<void> {
  if (isTrusted(flows, hash)) return
  await flows.remote?.fetch(hash)
  const found = await openBlob(flows, hash)
  found?.blob.close()
  if (isTrusted(flows, hash)) return
  throw new NodeError('NOT_AVAILABLE', 'The bytes of this image are not on this server yet.', {
    ...{ hash, ...saidAs('bytes_not_yet') }
  })
}

function isTrusted(flows: FlowParts, hash: ContentHash): boolean {
  const blob = openTrusted(flows, hash)
  blob?.close()
  return blob !== undefined
}

function absent(hash: ContentHash, row: BlobRow | undefined): NodeError {
  return row === undefined
    ? new NodeError('NOT_FOUND', 'There are no such bytes here.', saidAs('bytes_absent'))
    : new NodeError('GONE', 'Only the trash holds the bytes of this image.', {
        ...{ hash, ...saidAs('bytes_in_trash') }
      })
}

function notDrawn(why: string): NodeError {
  return new NodeError('NO_THUMBNAIL', `There is no small picture of this image: ${why}.`)
}
