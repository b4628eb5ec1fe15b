// What comes in is shown to a virus scanner before anybody can read it, whether a person or another
// server sends it. Where none answers, it is refused, or taken in and noted, to be scanned later.
// What other servers send, and what is found later, is blocked on all servers; so is all that is
// stored, when it is read again by the scrub: a scanner knows more by then.

import type { ContentHash } from '../../protocols/hash.ts'
import { saidAs } from '../base/cause.ts'
import { NodeError } from '../base/errors.ts'
import { formatSize } from '../base/units.ts'
import { type AskClamd, ScannerError, ScannerLimit } from '../content/clamd.ts'
import type { StagedBlob } from '../store/blob-store.ts'
import type { FlowParts } from './parts.ts'
import { openTrusted } from './read.ts'

export interface ScanOptions {
  /** What is done with images while the scanner does not answer. */
  readonly absent: 'refuse' | 'accept'
  /** Whether what other servers send, and what is stored, is shown to it too. */
  readonly stored: boolean
}

export interface VirusScannerParts {
  readonly ask: AskClamd
  readonly flows: Pick<
    FlowParts,
    'index' | 'store' | 'settler' | 'blocks' | 'log' | 'name' | 'clock'
  >
}

type Bytes = Iterable<Uint8Array> | AsyncIterable<Uint8Array>

/** Blobs that were taken in unseen; of more the oldest are forgotten, and the log says so. */
const UNSEEN_MAX = 10_000
/** Name of the row of this node that has their hashes. */
const ROW = 'unscanned'
const RETRY_MS = 30_000
/** Of one blob alone it may give no answer; after so many in a row it is not there. */
const MISSES_MAX = 8
const OUT_MS = 10_000
/** What is too long for it is tried again so often: it may take more by now. */
const LIMIT_MS = 60_000
/** Too many wait for the scanner, or too much is blocked at once. */
const LATER: readonly string[] = ['BUSY', 'BRAKE_ENGAGED']

export class VirusScanner {
  readonly #parts: VirusScannerParts
  readonly #options: ScanOptions
  #fault: string | undefined
  /** Bytes of the shortest stream that was too long for it, until one as long is taken. */
  #tooLong: number | undefined
  #tooLongMs = 0
  #misses = 0
  #missedMs = Number.NEGATIVE_INFINITY

  constructor(parts: VirusScannerParts, options: ScanOptions) {
    this.#parts = parts
    this.#options = options
  }

  /** Why there is no answer, for people; undefined while there is. */
  get fault(): string | undefined {
    return this.#fault
  }

  /** From how many bytes on it takes nothing, as far as was seen; undefined if it takes all. */
  get limit(): number | undefined {
    return this.#tooLong
  }

  /** How many blobs wait to be scanned. */
  unseen(): number {
    return unseenOf(this.#parts.flows.index.meta(ROW)).length
  }

  /** Whether other servers' blobs are shown to it before anybody can read them. */
  get seesArrived(): boolean {
    return this.#options.stored
  }

  /** Nothing that comes from other servers would be taken now: there is no use in asking for it. */
  get keepsOut(): boolean {
    if (!this.seesArrived || this.#options.absent === 'accept') return false
    const sinceMs = this.#parts.flows.clock.monotonicMs() - this.#missedMs
    return this.#misses >= MISSES_MAX && sinceMs < OUT_MS
  }

  /** The same of so many bytes: it takes no stream as long, and has said so a short while ago. */
  keepsOutBytes(bytes: number): boolean {
    if (!this.seesArrived || this.#options.absent === 'accept') return false
    if (this.#tooLong === undefined || bytes < this.#tooLong) return false
    return this.#parts.flows.clock.monotonicMs() - this.#tooLongMs < LIMIT_MS
  }

  /** Before bytes are published. Errors: INFECTED, NOT_AVAILABLE, BLOB_TOO_LARGE, BUSY. */
  async scan(staged: StagedBlob): Promise<void> {
    const { flows } = this.#parts
    const { hash } = staged
    const found = await this.#look(hash, flows.store.read(staged), true)
    if (found === undefined) return
    flows.log.warn(
      { hash, reason: found },
      'an image was refused: the virus scanner found something'
    )
    throw new NodeError('INFECTED', `The virus scanner found ${found}: this file is not taken.`, {
      found,
      ...saidAs('infected', { found })
    })
  }

  /**
   * What another server sends, before anybody can read it; blocked everywhere if something is
   * found. Errors: BLOCKED, BRAKE_ENGAGED, NOT_AVAILABLE, BUSY.
   */
  async scanArrived(hash: ContentHash, bytes: Bytes): Promise<void> {
    if (!this.seesArrived) return
    const found = await this.#look(hash, bytes, false)
    if (found === undefined) return
    await this.#block(hash, found)
    this.#parts.flows.blocks.require(hash)
  }

  /** Without an answer it is noted, or refused. */
  async #look(hash: ContentHash, bytes: Bytes, isUpload: boolean): Promise<string | undefined> {
    try {
      return await this.#ask(bytes)
    } catch (error) {
      if (!(error instanceof ScannerError)) throw error
      await this.#miss(hash, error, isUpload)
      return undefined
    }
  }

  async #ask(bytes: Bytes): Promise<string | undefined> {
    let count = 0
    async function* counted() {
      for await (const piece of bytes) {
        count += piece.byteLength
        yield piece
      }
    }
    try {
      const found = await this.#parts.ask(counted())
      if (count >= (this.#tooLong ?? 0)) this.#tooLong = undefined
      this.#isThere()
      return found
    } catch (error) {
      if (error instanceof ScannerLimit) {
        this.#isThere()
        this.#noteLimit(count)
      }
      throw error
    }
  }

  #isThere(): void {
    this.#fault = undefined
    this.#misses = 0
  }

  #noteLimit(sent: number): void {
    if (this.#tooLong === undefined) {
      const text = 'the virus scanner takes no image as large as some here: see StreamMaxLength'
      this.#parts.flows.log.error({ bytes: sent }, text)
    }
    this.#tooLong = Math.min(sent, this.#tooLong ?? sent)
    this.#tooLongMs = this.#parts.flows.clock.monotonicMs()
  }

  /** A blob that is held; without an answer it is for the next time. */
  async scanStored(hash: ContentHash): Promise<void> {
    if (!this.#options.stored) return
    const blob = openTrusted(this.#parts.flows, hash)
    if (blob === undefined) return
    try {
      const found = await this.#ask(blob.read(0, blob.bytes))
      if (found !== undefined) await this.#block(hash, found)
    } catch (error) {
      if (error instanceof ScannerError) this.#noteFault(error)
      else if (!(error instanceof NodeError && LATER.includes(error.code))) throw error
    } finally {
      blob.close()
    }
  }

  /** Scans what was taken in unseen, while there are answers. */
  async catchUp(signal: AbortSignal): Promise<void> {
    const { flows } = this.#parts
    for (const hash of unseenOf(flows.index.meta(ROW))) {
      if (signal.aborted) return
      const blob = openTrusted(flows, hash)
      try {
        const found = blob && (await this.#ask(blob.read(0, blob.bytes)))
        if (found !== undefined) await this.#block(hash, found)
      } catch (error) {
        if (!(error instanceof ScannerError)) throw error
        this.#noteFault(error)
        // it may be this one alone that gets no answer
        await this.#takeOut(hash, { toEnd: true })
        if (error instanceof ScannerLimit) continue
        return
      } finally {
        blob?.close()
      }
      // in the trash, or changed on the disk, it may come back
      if (blob !== undefined || flows.index.blob(hash) === undefined) await this.#takeOut(hash)
    }
  }

  #noteFault(error: ScannerError): void {
    if (!(error instanceof ScannerLimit)) this.#fault = error.message
  }

  async #takeOut(hash: ContentHash, { toEnd = false } = {}): Promise<void> {
    await this.#parts.flows.index.change((tx) => {
      const others = unseenOf(tx.meta(ROW)).filter((one) => one !== hash)
      tx.setMeta(ROW, toEnd ? [...others, hash] : others)
    })
  }

  async #miss(hash: ContentHash, error: ScannerError, isUpload: boolean): Promise<void> {
    const { index, log } = this.#parts.flows
    const isLimit = error instanceof ScannerLimit
    if (!isLimit) this.#noteMiss(error)
    if (this.#options.absent === 'refuse') {
      throw isLimit ? overLimit(isUpload, this.#tooLong ?? 0) : absent()
    }
    await index.change((tx) => {
      const unseen = unseenOf(tx.meta(ROW))
      if (unseen.includes(hash)) return
      if (unseen.length >= UNSEEN_MAX) log.warn({ hash: unseen[0] }, 'a blob is never scanned')
      tx.setMeta(ROW, [...unseen, hash].slice(-UNSEEN_MAX))
    })
  }

  #noteMiss(error: ScannerError): void {
    const { log, clock } = this.#parts.flows
    this.#misses++
    this.#missedMs = clock.monotonicMs()
    if (this.#fault === undefined) log.error({ err: error }, 'the virus scanner does not answer')
    this.#fault = error.message
  }

  async #block(hash: ContentHash, found: string): Promise<void> {
    const { blocks, log, name } = this.#parts.flows
    log.error({ hash, reason: found }, 'the virus scanner found something: it is blocked')
    if (blocks.has(hash)) return
    await blocks.add(hash, { reason: `virus: ${found}`, node: name })
  }
}

function absent(): NodeError {
  const sentence = 'The virus scanner does not answer, and nothing is taken in without it.'
  const details = { retryAfterMs: RETRY_MS, ...saidAs('scanner_absent') }
  return new NodeError('NOT_AVAILABLE', sentence, details)
}

function overLimit(isUpload: boolean, bytes: number): NodeError {
  const size = formatSize(bytes)
  const sentence = `The virus scanner takes no image of ${size} or more, and nothing is taken in without it: see StreamMaxLength in its clamd.conf.`
  const details = { retryAfterMs: RETRY_MS, ...saidAs('scanner_limit', { size }) }
  return isUpload
    ? new NodeError('BLOB_TOO_LARGE', sentence, details)
    : new NodeError('NOT_AVAILABLE', sentence, details)
}

function unseenOf(value: unknown): readonly ContentHash[] {
  return (value as readonly ContentHash[] | undefined) ?? []
}
