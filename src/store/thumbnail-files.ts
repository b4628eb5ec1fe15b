// Small pictures on disk: thumbnails/ab/<hash>-<size>.webp. They are made of blobs and can be made
// again, so any of them may go at any time, nothing is synced, and a failure of the disk only means
// that there is none.

import { closeSync, mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { ContentHash } from '../../protocols/hash.ts'
import { type Random, randomHex } from '../base/clock.ts'
import { blobFile, type FolderPaths } from './folder.ts'
import { openRegularFile, readWhole, removeQuietly } from './regular-file.ts'

const SHARDS = 256
/** Larger ones are no thumbnails. */
const BYTES_MAX = 1024 * 1024
/** Few, so that each is made once: a tile of a page, and a preview. Pixels of the longer side. */
export const THUMBNAIL_SIZES = [256, 768] as const
export type ThumbnailSize = (typeof THUMBNAIL_SIZES)[number]

export interface ThumbnailFilesOptions {
  /** Of all together, about: when they are more, some are removed. 0 keeps none. */
  readonly bytesMax: number
}

export class ThumbnailFiles {
  readonly #folder: FolderPaths
  readonly #random: Random
  readonly #bytesMax: number
  /** Bytes of each folder below; undefined until they have been counted. */
  #shards: Float64Array | undefined
  #counting: Promise<void> | undefined
  #next = 0

  constructor(
    { folder, random }: { readonly folder: FolderPaths; readonly random: Random },
    { bytesMax }: ThumbnailFilesOptions
  ) {
    this.#folder = folder
    this.#random = random
    this.#bytesMax = bytesMax
  }

  /** Where the bytes of a blob are, for a program that reads files. */
  blobFile(hash: ContentHash): string {
    return blobFile(this.#folder, 'blobs', hash)
  }

  read(hash: ContentHash, size: ThumbnailSize): Uint8Array | undefined {
    try {
      const file = openRegularFile(this.#file(hash, size))
      if (file === undefined) return undefined
      try {
        return file.stamp.size > BYTES_MAX ? undefined : readWhole(file.fd, file.stamp.size)
      } finally {
        closeSync(file.fd)
      }
    } catch {
      return undefined
    }
  }

  keep(hash: ContentHash, size: ThumbnailSize, bytes: Uint8Array): void {
    if (bytes.byteLength > Math.min(BYTES_MAX, this.#bytesMax)) return
    const file = this.#file(hash, size)
    const temp = join(this.#folder.temp, `thumbnail-${randomHex(this.#random, 6)}`)
    try {
      mkdirSync(join(file, '..'), { recursive: true, mode: 0o700 })
      writeFileSync(temp, bytes, { flag: 'wx', mode: 0o600 })
      renameSync(temp, file)
    } catch {
      removeQuietly(temp)
      return
    }
    if (this.#shards !== undefined) this.#add(shardOf(hash), bytes.byteLength)
    else this.#counting ??= this.#count()
  }

  /** Those of a blob that is here no more. Never throws. */
  drop(hash: ContentHash): void {
    for (const size of THUMBNAIL_SIZES) removeQuietly(this.#file(hash, size))
  }

  /** All of them, for the room that they take; whether there were any. Never rejects. */
  async dropAll(): Promise<boolean> {
    await this.#counting
    this.#shards = this.#counting = undefined
    const folder = join(this.#folder.path, 'thumbnails')
    const shards = await readdir(folder).catch(() => [])
    if (shards.length === 0) return false
    await rm(folder, { recursive: true, force: true }).catch(() => {})
    return true
  }

  /** Resolves when nothing is counted or removed in the background. */
  async idle(): Promise<void> {
    await this.#counting
  }

  #file(hash: ContentHash, size: ThumbnailSize): string {
    return join(this.#shard(shardOf(hash)), `${hash}-${size}.webp`)
  }

  #shard(shard: number): string {
    return join(this.#folder.path, 'thumbnails', shard.toString(16).padStart(2, '0'))
  }

  /** Once in a run, when the first is added: what was dropped since the count does not matter. */
  async #count(): Promise<void> {
    const shards = new Float64Array(SHARDS)
    for (let shard = 0; shard < SHARDS; shard++) shards[shard] = await bytesIn(this.#shard(shard))
    this.#shards = shards
    this.#add(0, 0)
  }

  #add(shard: number, bytes: number): void {
    const shards = this.#shards as Float64Array
    shards[shard] = (shards[shard] ?? 0) + bytes
    const sum = shards.reduce((sum, bytes) => sum + bytes, 0)
    if (sum > this.#bytesMax) this.#counting = this.#shrink(shards, sum)
  }

  /** Folder after folder until a tenth is free: a list of what is asked for costs memory. */
  async #shrink(shards: Float64Array, sum: number): Promise<void> {
    let left = sum
    for (let n = 0; n < SHARDS && left > 0.9 * this.#bytesMax; n++) {
      const shard = this.#next
      this.#next = (this.#next + 1) % SHARDS
      left -= shards[shard] ?? 0
      shards[shard] = 0
      await rm(this.#shard(shard), { recursive: true, force: true }).catch(() => {})
    }
  }
}

function shardOf(hash: ContentHash): number {
  return Number.parseInt(hash.slice(0, 2), 16)
}

async function bytesIn(folder: string): Promise<number> {
  const names = await readdir(folder).catch(() => [])
  let sum = 0
  for (const name of names)
    sum += (await stat(join(folder, name)).catch(() => undefined))?.size ?? 0
  return sum
}
