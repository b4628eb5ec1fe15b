// What a node must have to serve blobs.

import type { ContentHash } from '../hash.ts'
import type { Copy } from './copy.ts'

/** Whether a node packs what it sends to a peer. */
export interface Packer {
  /** Whether it might pay for a blob with these first bytes. */
  mayPay(head: Uint8Array): boolean
  /**
   * The block, packed to fewer bytes; undefined: it is sent as it is, and so is the whole blob if
   * it is its first.
   */
  pack(block: Uint8Array, isFirst: boolean): Promise<Uint8Array | undefined>
}

/** A blob that can be read. */
export interface OpenBlob {
  readonly bytes: number
  /** Fills it with the bytes from `at` on, where these can be had at once. */
  readInto?(target: Uint8Array, at: number): void
  /**
   * The bytes from `start` (inclusive) to `end` (exclusive), all of them or an error, in pieces
   * that nobody changes later.
   */
  read(start: number, end: number): AsyncIterable<Uint8Array>
  close(): Promise<void> | void
}

/** Methods may throw StatusError to choose the answer; anything else ends the stream. */
export interface BlobSource {
  /**
   * A blob that this node may serve; undefined if it has none, busy if it has no time for it now.
   */
  open(hash: ContentHash): Promise<OpenBlob | undefined | 'busy'>
  /** Whether this node holds the blob, durably and verified. */
  have(hash: ContentHash): boolean | Promise<boolean>
  /**
   * Asked before so many bytes are sent: when that may be; undefined: now. Rejects when the signal
   * is aborted first.
   */
  pace?(bytes: number, broken: AbortSignal | undefined): Promise<void> | undefined
  /** Where what is sent may be packed, if the peer knows how. */
  readonly packer?: Packer | undefined
  /** How this node stands to the blob; without it nothing is told but whether it is had. */
  copy?(hash: ContentHash): Promise<Copy>
  /** True as soon as the blob is durable here; false after the time, or once nobody asks. */
  whenHeld(hash: ContentHash, timeoutMs: number, broken: AbortSignal | undefined): Promise<boolean>
}
