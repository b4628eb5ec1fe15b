// Look-ups by id and by MD5 that are made later. An index that comes as a whole needs them for
// nothing while it comes, and they are the rows that cost most: their keys are in no order. So an
// image that comes with many others gets a place in one row for all of them, which is looked
// through by whoever asks meanwhile, until the look-ups are made when the node rests.
//
//   place   id, the first 8 bytes; MD5, the first 8 bytes; version (8) and hash of the path (16),
//           by which the entry is found as long as it is current

import { type ImageEntry, isImage } from '../../protocols/entry.ts'
import type { Md5 } from '../../protocols/hash.ts'
import type { Layer } from './layer.ts'
import { readEntry } from './read-entry.ts'
import type { Rows } from './rows-read.ts'
import { ID_HASH_LENGTH, idRange, keys } from './tables.ts'
import type { VersionRow } from './version-encoding.ts'

/** So many images of one change share a row; fewer get their look-ups at once. */
const TOGETHER_MIN = 8
/** Hex digits of an MD5 that are enough to look at the entry itself. */
const MD5_PART = 16
const ID_BYTES = 8
const MD5_BYTES = 8
const REF_BYTES = 24
const PLACE_BYTES = ID_BYTES + MD5_BYTES + REF_BYTES
/** Generations have 11 hex digits for another 500 years. */
const GENERATION_DIGITS = 14

interface LateImage {
  readonly id: string
  readonly md5: string
  /** Undefined where the blob has its look-up. */
  readonly md5Row: string | undefined
}

/** Images that one change makes current. */
export class LateLookUps {
  readonly #layer: Layer
  readonly #generation: number
  /** By the key of the row of the version. */
  readonly #images = new Map<string, LateImage>()

  constructor(layer: Layer, generation: number) {
    this.#layer = layer
    this.#generation = generation
  }

  /** An image has become current, under this row of its version. */
  add(row: string, { path, md5, hash }: ImageEntry, isNewBlob: boolean): void {
    const md5Row = isNewBlob ? keys.md5(md5, hash) : undefined
    this.#images.set(row, { id: keys.id(path), md5, md5Row })
  }

  /** It is current no longer. What is left of its blob is found by MD5 all the same. */
  remove(row: string, { path, md5, hash }: ImageEntry): void {
    this.#images.delete(row)
    this.#layer.put('id', keys.id(path), undefined)
    this.#layer.put('md5', keys.md5(md5, hash), '')
  }

  /** At the end of the change. */
  end(): void {
    if (this.#images.size < TOGETHER_MIN) {
      for (const { id, md5Row } of this.#images.values()) {
        this.#layer.put('id', id, '')
        if (md5Row !== undefined) this.#layer.put('md5', md5Row, '')
      }
      return
    }
    const places: string[] = []
    for (const [row, { id, md5 }] of this.#images) {
      places.push(id.slice(0, ID_HASH_LENGTH), md5.slice(0, MD5_PART), row)
    }
    const generation = this.#generation.toString(16).padStart(GENERATION_DIGITS, '0')
    // a generation may come again after a restart, and the same first image with it does not
    const key = generation + (places[2] as string)
    this.#layer.put('late', key, Buffer.from(places.join(''), 'hex'))
  }
}

/** Makes the look-ups of one row; false if there is none. */
export async function makeLateLookUps(rows: Layer): Promise<boolean> {
  const [key] = await rows.keys('late', { gte: '', lt: 'g', limit: 1 })
  if (key === undefined) return false
  for (const row of rowsIn(rows.get('late', key) as Uint8Array)) {
    const entry = entryOf(rows, row)
    if (!isImage(entry)) continue
    rows.put('id', keys.id(entry.path), '')
    rows.put('md5', keys.md5(entry.md5, entry.hash), '')
  }
  rows.put('late', key, undefined)
  return true
}

/** Whether look-ups are still to be made: then one that is not there is none that is missing. */
export async function hasLateLookUps(rows: Pick<Rows, 'keys'>): Promise<boolean> {
  return (await rows.keys('late', { gte: '', lt: 'g', limit: 1 })).length > 0
}

/** The entry of the row of a version, which is one that this program has written. */
function entryOf(rows: Layer, row: string) {
  const told = rows.get('version', row) as VersionRow | undefined
  return typeof told === 'string' ? undefined : readEntry(told)
}

function* rowsIn(places: Uint8Array): Generator<string> {
  const bytes = Buffer.from(places.buffer, places.byteOffset, places.byteLength)
  for (let at = PLACE_BYTES; at <= bytes.length; at += PLACE_BYTES) {
    yield bytes.toString('hex', at - REF_BYTES, at)
  }
}

/** Rows of versions of images that may have this id: others must be told from them. */
export function placesOfId(id: number): (places: Uint8Array) => string[] {
  const { gte, lt } = idRange(id)
  return (places) => found(places, 0, (text) => text >= gte && text < lt, gte)
}

/** The same for an MD5. */
export function placesOfMd5(md5: Md5): (places: Uint8Array) => string[] {
  const part = md5.slice(0, MD5_PART)
  return (places) => found(places, ID_BYTES, (text) => text === part, part)
}

/** `like`: the first 4 bytes are the same in all that `isRight` takes. */
function found(
  places: Uint8Array,
  offset: number,
  isRight: (text: string) => boolean,
  like: string
): string[] {
  const bytes = Buffer.from(places.buffer, places.byteOffset, places.byteLength)
  const first = Number.parseInt(like.slice(0, 8), 16)
  const rows: string[] = []
  for (let at = 0; at + PLACE_BYTES <= bytes.length; at += PLACE_BYTES) {
    if (bytes.readUInt32BE(at + offset) !== first) continue
    if (!isRight(bytes.toString('hex', at + offset, at + offset + 8))) continue
    rows.push(bytes.toString('hex', at + PLACE_BYTES - REF_BYTES, at + PLACE_BYTES))
  }
  return rows
}
