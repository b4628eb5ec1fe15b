// Packs what is sent where that pays, and counts what that saves.

import { BlockPacker, KNOWN_PACKINGS } from '../../protocols/blobs/packing.ts'
import type { Unpacking } from '../../protocols/blobs/request.ts'
import type { Packer } from '../../protocols/blobs/source.ts'
import { Turns } from '../base/turns.ts'
import { type Compress, mayPay, packsFor, pays } from './plan-packing.ts'
import type { Traffic } from './traffic.ts'

/** Blocks that are packed at once: the threads that do it read and write files too. */
const RUNNING_MAX = 2
/** Every stream waits for one at most. */
const WAITING_MAX = 10_000
const never = new AbortController().signal

export interface SavedBytes {
  /** That did not have to be sent. */
  readonly sent: number
  readonly received: number
}

export class Packing {
  /** For who asks: what is asked for may come packed. */
  readonly unpacking: Unpacking
  readonly #traffic: Pick<Traffic, 'isRemote'>
  readonly #compress: Compress
  readonly #turns = new Turns({ runningMax: RUNNING_MAX, waitingMax: WAITING_MAX })
  readonly #idle: BlockPacker[] = []
  #sent = 0
  #received = 0

  constructor({ traffic }: { readonly traffic: Pick<Traffic, 'isRemote'> }, compress: Compress) {
    this.#traffic = traffic
    this.#compress = compress
    this.unpacking = {
      packings: compress === 'never' ? 0 : KNOWN_PACKINGS,
      onSaved: (bytes) => {
        this.#received += bytes
      }
    }
  }

  /** Since the start of the process. */
  get saved(): SavedBytes {
    return { sent: this.#sent, received: this.#received }
  }

  /** Undefined where nothing is packed for the server. */
  packerFor(peerId: string): Packer | undefined {
    const isFor = packsFor(this.#compress, this.#traffic.isRemote(peerId))
    if (!isFor || KNOWN_PACKINGS === 0) return undefined
    return { mayPay, pack: (block, isFirst) => this.#pack(block, isFirst) }
  }

  async #pack(block: Uint8Array, isFirst: boolean): Promise<Uint8Array | undefined> {
    const packed = await this.#turns.run(() => this.#packed(block), never)
    const saved = block.byteLength - packed.byteLength
    if (saved <= 0 || (isFirst && !pays(block.byteLength, packed.byteLength))) return undefined
    this.#sent += saved
    return packed
  }

  async #packed(block: Uint8Array): Promise<Uint8Array> {
    const packer = this.#idle.pop() ?? new BlockPacker()
    try {
      const packed = await packer.pack(block)
      this.#idle.push(packer)
      return packed
    } catch (error) {
      packer.close()
      throw error
    }
  }
}
