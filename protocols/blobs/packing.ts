// Blobs that are packed on their way: in blocks, each for itself, so that any offset will do, and
// nobody needs room for more than one of them.

import zlib from 'node:zlib'
import { badMessage } from '../message.ts'

/** Of a block before it is packed; the last one of a blob may have fewer. */
export const BLOCK_BYTES = 64 * 1024
/** Bits of the ways to pack that a peer knows. */
export const PACKINGS = { zstd: 1 } as const
/** What this node can unpack: none before Node 22.15. */
export const KNOWN_PACKINGS = zlib.zstdDecompressSync === undefined ? 0 : PACKINGS.zstd

const { ZSTD_c_compressionLevel, ZSTD_c_windowLog, ZSTD_d_windowLogMax } = zlib.constants
/** Twice as many bytes a second as level 3, for a tenth more of them to send. */
const LEVEL = 1
/** A block is all that is looked back on; who unpacks sets no more memory aside for it. */
const WINDOW_LOG = Math.log2(BLOCK_BYTES)
const PACK = { params: { [ZSTD_c_compressionLevel]: LEVEL, [ZSTD_c_windowLog]: WINDOW_LOG } }
const UNPACK = { params: { [ZSTD_d_windowLogMax]: WINDOW_LOG } }
/** One buffer for a block, and no second one to find that nothing follows. */
const SPARE_BYTES = 64

/**
 * Packs one block after the other, in the pool of threads. Its memory is used again and again:
 * what each block would leave behind has V8 look through the whole heap all the time.
 */
export class BlockPacker {
  readonly #stream = zlib.createZstdCompress(PACK)
  #parts: Uint8Array[] = []

  constructor() {
    this.#stream.on('data', (part) => this.#parts.push(part))
  }

  /** A zstd frame of it alone, which may be longer. For one at a time; after an error for none. */
  async pack(block: Uint8Array): Promise<Uint8Array> {
    if (this.#stream.destroyed) throw new Error('a packer that has failed or was closed')
    const failed = Promise.withResolvers<never>()
    this.#stream.once('error', failed.reject)
    try {
      this.#stream.write(block)
      const packed = new Promise<void>((resolve) => {
        this.#stream.flush(zlib.constants.ZSTD_e_end, resolve)
      })
      await Promise.race([packed, failed.promise])
    } finally {
      this.#stream.off('error', failed.reject)
    }
    while (this.#stream.read() !== null); // told as 'data' too
    const parts = this.#parts
    this.#parts = []
    return parts.length === 1 ? (parts[0] as Uint8Array) : Buffer.concat(parts)
  }

  close(): void {
    this.#stream.on('error', () => {}).destroy()
  }
}

/**
 * What was packed into a payload; what has the length of the block came as it was. Never makes more
 * than `bytes`. Throws WireError BAD_MESSAGE where it is not so many.
 */
export function unpackBlock(payload: Uint8Array, bytes: number): Uint8Array {
  if (payload.byteLength === bytes) return payload
  let block: Uint8Array
  try {
    const limits = { maxOutputLength: bytes, chunkSize: bytes + SPARE_BYTES }
    block = zlib.zstdDecompressSync(payload, { ...UNPACK, ...limits })
  } catch {
    throw badMessage('a block of a blob can not be unpacked')
  }
  if (block.byteLength !== bytes) throw badMessage('a block of a blob has another length')
  return block
}
