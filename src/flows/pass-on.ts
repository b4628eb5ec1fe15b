// A blob that can't be kept here, because the disk is full or in doubt, goes from its holders to
// one reader, and nothing of it is written. Its last byte, or the last one of a range, leaves when
// all of them are known to be right.

import { createHash } from 'node:crypto'
import type { BlobAnswer } from '../../protocols/blobs/request.ts'
import { verified } from '../../protocols/blobs/verified.ts'
import type { ContentHash } from '../../protocols/hash.ts'
import { STATUS } from '../../protocols/status.ts'
import { WireError } from '../../protocols/wire-error.ts'
import { saidAs } from '../base/cause.ts'
import { NodeError } from '../base/errors.ts'
import { HandOver } from '../base/hand-over.ts'
import { firstOf, type Progress } from '../blob-sync/first-of.ts'
import type { ReaderLines, Wait } from '../blob-sync/reader-lines.ts'
import type { Transfers } from '../blob-sync/transfers.ts'
import { SMALL_BLOB_BYTES_MAX } from '../store/blob-store.ts'
import { AskedHolders } from './in-turn.ts'
import type { FlowParts, ReadableBlob } from './parts.ts'
import { SeenBytes } from './seen-bytes.ts'
import { Unneeded } from './take-in.ts'

export interface PassOnParts {
  readonly flows: Pick<FlowParts, 'scanner' | 'clock'>
  readonly lines: ReaderLines
  readonly transfers: Transfers
  /** Whom to ask, one after the other. */
  readonly holders: (hash: ContentHash) => Generator<{ peerId: string; isLast: boolean }, undefined>
  /** Throws only what is not the peer's fault. */
  readonly blaming: (peerId: string, hash: ContentHash, ask: () => Promise<void>) => Promise<void>
}

export interface PassedBlob {
  readonly peerId: string
  readonly blob: ReadableBlob
}

/** Undefined if no peer that is connected sends it. What a virus scanner sees first comes twice. */
export async function passOn(
  parts: PassOnParts,
  hash: ContentHash,
  bytes: number
): Promise<PassedBlob | undefined> {
  const isSmall = bytes <= SMALL_BLOB_BYTES_MAX
  const passed = await (isSmall ? passOnSmall(parts, hash, bytes) : passOnLarge(parts, hash, bytes))
  const { scanner } = parts.flows
  try {
    if (passed === undefined || !scanner?.seesArrived) return passed
    const seen = new SeenBytes()
    await scanner.scanArrived(hash, seen.note(passed.blob.read(0, bytes)))
    return { ...passed, blob: seen.only(passed.blob) }
  } catch (error) {
    passed?.blob.close()
    throw error
  }
}

async function passOnLarge(
  parts: PassOnParts,
  hash: ContentHash,
  bytes: number
): Promise<PassedBlob | undefined> {
  let passage: Passage | undefined = new Passage(parts, hash, bytes)
  const peerId = await passage.begun
  if (peerId === undefined) return undefined
  const all = new Set([passage])
  const blob: ReadableBlob = {
    bytes,
    async *read(start, end) {
      // the first read takes what has begun to come; each further one is sent all of it again
      const own = passage ?? new Passage(parts, hash, bytes)
      passage = undefined
      all.add(own)
      try {
        yield* rangeOf(own.pieces, start, end)
      } finally {
        own.pieces.close()
      }
    },
    close() {
      for (const one of all) one.pieces.close()
    }
  }
  return { peerId, blob }
}

async function passOnSmall(
  { flows, lines, transfers, holders, blaming }: PassOnParts,
  hash: ContentHash,
  bytes: number
): Promise<PassedBlob | undefined> {
  const ask = async (peerId: string, progress: Progress) => {
    let whole: Buffer | undefined
    const take = async ({ status, length, body }: BlobAnswer) => {
      if (status !== STATUS.OK) return
      if (length !== bytes) throw new Unneeded('it has another size')
      const coming = transfers.counted({ hash, peerId, bytesDone: 0, bytes }, body)
      whole = Buffer.concat(await Array.fromAsync(verified(coming, hash, bytes)))
    }
    const item = { hash, offset: 0, bytes }
    await blaming(peerId, hash, () => lines.askShared(peerId, item, take, progress))
    return whole
  }
  const first = await firstOf({
    ...{ clock: flows.clock, holders: holders(hash), ask },
    patienceMs: (peerId) => lines.patienceMs(peerId),
    leave() {}
  })
  return first && { peerId: first.peerId, blob: inMemory(first.got) }
}

export function inMemory(bytes: Uint8Array): ReadableBlob {
  return {
    bytes: bytes.byteLength,
    readInto(target, at = 0) {
      target.set(bytes.subarray(at, at + target.byteLength))
    },
    async *read(start, end) {
      yield bytes.subarray(start, end)
    },
    close() {}
  }
}

/** One time all bytes of a large blob, from one holder after the other. */
class Passage {
  readonly pieces = new HandOver<Uint8Array>()
  /** The first peer that sends; undefined if none does. Throws what no peer is to blame for. */
  readonly begun: Promise<string | undefined>
  readonly #parts: PassOnParts
  readonly #hash: ContentHash
  readonly #bytes: number
  readonly #began = Promise.withResolvers<string | undefined>()
  readonly #asked = new AskedHolders()
  readonly #digest = createHash('sha256')
  /** How many have come. */
  #at = 0
  /** Those of them that come last are held back. */
  #last: Uint8Array | undefined
  #isRight = false

  constructor(parts: PassOnParts, hash: ContentHash, bytes: number) {
    this.#parts = parts
    this.#hash = hash
    this.#bytes = bytes
    this.begun = this.#began.promise
    this.begun.catch(() => {}) // who reads hears of it
    void this.#run()
  }

  async #run(): Promise<void> {
    try {
      const holders = this.#parts.holders(this.#hash)
      for (const { peerId, wait } of this.#asked.inTurn(holders)) {
        await this.#ask(peerId, wait)
        if (this.#at >= this.#bytes || this.pieces.isClosed) break
      }
      this.#began.resolve(undefined) // unless one has begun
      this.pieces.end(this.#isRight ? undefined : this.#brokenOff())
    } catch (error) {
      this.#began.reject(error)
      this.pieces.end(error)
    }
  }

  #ask(peerId: string, wait: Wait): Promise<void> {
    const { lines, blaming } = this.#parts
    const hash = this.#hash
    const asked = () => (this.pieces.isClosed ? undefined : { hash, offset: this.#at })
    // clients that read slowly have turns before it
    const about = { wait, asked, isHeldUp: true }
    const take = (answer: BlobAnswer) => this.#take(peerId, answer)
    return blaming(peerId, hash, () =>
      this.#asked.unlessSlow(peerId, lines.askAlone(peerId, this.#bytes, about, take))
    )
  }

  async #take(peerId: string, { status, length, body }: BlobAnswer): Promise<void> {
    const [hash, bytes] = [this.#hash, this.#bytes]
    if (status !== STATUS.OK) return
    if (length !== bytes - this.#at) throw new Unneeded('it has another size')
    this.#began.resolve(peerId)
    const { transfers } = this.#parts
    for await (const piece of transfers.counted(
      { hash, peerId, bytesDone: this.#at, bytes },
      body
    )) {
      if (this.#at + piece.byteLength > bytes) throw new WireError('TOO_LARGE', `of ${hash}`)
      this.#at += piece.byteLength
      this.#digest.update(piece)
      const before = this.#last
      this.#last = piece
      if (before !== undefined) await this.#give(before)
    }
    if (this.#at === bytes) await this.#giveLast()
  }

  async #giveLast(): Promise<void> {
    const last = this.#last as Uint8Array
    if (this.#digest.digest('hex') !== this.#hash) {
      throw new WireError('BAD_HASH', `the bytes that came for the blob ${this.#hash} are others`)
    }
    this.#isRight = true
    await this.#give(last)
  }

  async #give(piece: Uint8Array): Promise<void> {
    if (!(await this.pieces.put(piece))) throw new Unneeded('nobody reads it any more')
  }

  #brokenOff(): NodeError {
    const sentence = 'No server could send this image to its end. Ask again in a moment.'
    return new NodeError('NOT_AVAILABLE', sentence, {
      ...{ hash: this.#hash, ...saidAs('image_broken_off') }
    })
  }
}

/** Bytes start to end of all that come; the last of them once all have come. */
async function* rangeOf(
  pieces: AsyncIterable<Uint8Array>,
  start: number,
  end: number
): AsyncGenerator<Uint8Array> {
  let at = 0
  let last: Uint8Array | undefined
  for await (const piece of pieces) {
    const wanted = piece.subarray(Math.max(0, start - at), Math.max(0, end - at))
    at += piece.byteLength
    if (wanted.byteLength === 0) continue
    if (last !== undefined) yield last
    last = wanted
  }
  if (last !== undefined) yield last
}
