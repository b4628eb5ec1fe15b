// What comes in is shown to a virus scanner before it has a name. Where none answers, it is
// refused, or taken in and noted, to be scanned later: what is found then is blocked on all
// servers. So is what other servers have sent, soon after it came, and all that is stored, when it
// is read again by the scrub: a scanner knows more by then.

import type { ContentHash } from '../../protocols/hash.ts'
import { NodeError } from '../base/errors.ts'
import { type AskClamd, ScannerError } from '../content/clamd.ts'
import type { StagedBlob } from '../store/blob-store.ts'
import type { FlowParts } from './parts.ts'
import { openTrusted } from './read.ts'

export interface ScanOptions {
  /** What is done with images while the scanner does not answer. */
  readonly absent: 'refuse' | 'accept'
  /** Whether what is stored is shown to it too. */
  readonly stored: boolean
}

export interface VirusScannerParts {
  readonly ask: AskClamd
  readonly fileBytes: (path: string) => AsyncIterable<Uint8Array>
  readonly flows: Pick<FlowParts, 'index' | 'store' | 'settler' | 'blocks' | 'log' | 'name'>
}

/** Blobs that were taken in unseen; of more the oldest are forgotten, and the log says so. */
const UNSEEN_MAX = 10_000
/** Blobs of other servers that wait; of more the scrub takes care. */
const ARRIVED_MAX = 10_000
/** Name of the row of this node that has their hashes. */
const ROW = 'unscanned'
const RETRY_MS = 30_000
/** Too many wait for the scanner, or too much is blocked at once. */
const LATER: readonly string[] = ['BUSY', 'BRAKE_ENGAGED']

export class VirusScanner {
  readonly #parts: VirusScannerParts
  readonly #options: ScanOptions
  #fault: string | undefined
  readonly #arrived = new Set<ContentHash>()

  constructor(parts: VirusScannerParts, options: ScanOptions) {
    this.#parts = parts
    this.#options = options
  }

  /** Why there is no answer, for people; undefined while there is. */
  get fault(): string | undefined {
    return this.#fault
  }

  /** How many blobs wait to be scanned. */
  unseen(): number {
    return unseenOf(this.#parts.flows.index.meta(ROW)).length
  }

  /** Before bytes are published. Errors: INFECTED, NOT_AVAILABLE, BUSY. */
  async scan(staged: StagedBlob): Promise<void> {
    const { ask, fileBytes, flows } = this.#parts
    const { whole, file, head, hash } = staged
    let found: string | undefined
    try {
      found = await ask(whole ? [whole] : file ? fileBytes(file) : [head])
      this.#fault = undefined
    } catch (error) {
      if (!(error instanceof ScannerError)) throw error
      await this.#miss(hash, error)
    }
    if (found === undefined) return
    flows.log.warn(
      { hash, reason: found },
      'an image was refused: the virus scanner found something'
    )
    throw new NodeError('INFECTED', `The virus scanner found ${found}: this file is not taken.`, {
      found
    })
  }

  /** Another server has sent it. */
  noteArrived(hash: ContentHash): void {
    if (this.#options.stored && this.#arrived.size < ARRIVED_MAX) this.#arrived.add(hash)
  }

  /** A blob that is held; without an answer it is for the next time. */
  async scanStored(hash: ContentHash): Promise<void> {
    if (!this.#options.stored) return
    const { ask, flows } = this.#parts
    const blob = openTrusted(flows, hash)
    if (blob === undefined) return
    try {
      const found = await ask(blob.read(0, blob.bytes))
      this.#fault = undefined
      if (found !== undefined) await this.#block(hash, found)
    } catch (error) {
      if (error instanceof ScannerError) this.#fault = error.message
      else if (!(error instanceof NodeError && LATER.includes(error.code))) throw error
    } finally {
      blob.close()
    }
  }

  /** Scans what came from other servers, and what was taken in unseen while there are answers. */
  async catchUp(signal: AbortSignal): Promise<void> {
    for (const hash of this.#arrived) {
      if (signal.aborted) return
      this.#arrived.delete(hash)
      await this.scanStored(hash)
    }
    await this.#catchUp(signal)
  }

  async #catchUp(signal: AbortSignal): Promise<void> {
    const { ask, flows } = this.#parts
    for (const hash of unseenOf(flows.index.meta(ROW))) {
      if (signal.aborted) return
      const blob = openTrusted(flows, hash)
      try {
        const found = blob && (await ask(blob.read(0, blob.bytes)))
        if (blob !== undefined) this.#fault = undefined
        if (found !== undefined) await this.#block(hash, found)
      } catch (error) {
        if (!(error instanceof ScannerError)) throw error
        this.#fault = error.message
        // it may be this one alone that gets no answer: it is too large, say
        await this.#takeOut(hash, { toEnd: true })
        return
      } finally {
        blob?.close()
      }
      // in the trash, or changed on the disk, it may come back
      if (blob !== undefined || flows.index.blob(hash) === undefined) await this.#takeOut(hash)
    }
  }

  async #takeOut(hash: ContentHash, { toEnd = false } = {}): Promise<void> {
    await this.#parts.flows.index.change((tx) => {
      const others = unseenOf(tx.meta(ROW)).filter((one) => one !== hash)
      tx.setMeta(ROW, toEnd ? [...others, hash] : others)
    })
  }

  async #miss(hash: ContentHash, error: ScannerError): Promise<void> {
    const { index, log } = this.#parts.flows
    if (this.#fault === undefined) log.error({ err: error }, 'the virus scanner does not answer')
    this.#fault = error.message
    if (this.#options.absent === 'refuse') {
      const sentence = 'The virus scanner does not answer, and nothing is taken in without it.'
      throw new NodeError('NOT_AVAILABLE', sentence, { retryAfterMs: RETRY_MS })
    }
    await index.change((tx) => {
      const unseen = unseenOf(tx.meta(ROW))
      if (unseen.includes(hash)) return
      if (unseen.length >= UNSEEN_MAX) log.warn({ hash: unseen[0] }, 'a blob is never scanned')
      tx.setMeta(ROW, [...unseen, hash].slice(-UNSEEN_MAX))
    })
  }

  async #block(hash: ContentHash, found: string): Promise<void> {
    const { blocks, log, name } = this.#parts.flows
    log.error({ hash, reason: found }, 'an image that is stored is infected: it is blocked')
    await blocks.add(hash, { reason: `virus: ${found}`, node: name })
  }
}

function unseenOf(value: unknown): readonly ContentHash[] {
  return (value as readonly ContentHash[] | undefined) ?? []
}
