// Sends a blob: packed where the peer can unpack it and it pays, else as it is, and at the pace
// that the node sets.

import { frameOf, framePrefix } from '../frame.ts'
import type { ContentHash } from '../hash.ts'
import { encodeMessage, headOf } from '../message.ts'
import { STATUS, StatusError } from '../status.ts'
import { GATHERED_BYTES_MAX, PACED_BYTES_MAX } from './limits.ts'
import { ResponseSchema } from './messages_pb.ts'
import { BLOCK_BYTES, PACKINGS } from './packing.ts'
import type { BlobItem } from './parse-request.ts'
import type { SmallWrites } from './small-writes.ts'
import type { BlobSource, OpenBlob, Packer } from './source.ts'

/** Enough to see what a file is; and of so few bytes there is nothing to save. */
const HEAD_BYTES = 64
const PACKED_BYTES_MIN = 512

/** `packings`: what the peer can unpack. */
export async function sendBlob(
  { hash, offset }: BlobItem,
  packings: number,
  source: BlobSource,
  out: SmallWrites
): Promise<void> {
  const blob = await openFrom(hash, offset, source)
  if (blob instanceof StatusError) {
    return out.write(frameOf(encodeMessage(ResponseSchema, headOf(blob))))
  }
  try {
    const packer = (packings & PACKINGS.zstd) === 0 ? undefined : source.packer
    const first = packer && (await firstBlock(blob, offset, packer))
    const packing = first?.packed === undefined ? 0 : PACKINGS.zstd
    const head = { status: STATUS.OK, length: BigInt(blob.bytes - offset), packing }
    await out.write(frameOf(encodeMessage(ResponseSchema, head)))
    if (packer !== undefined && first?.packed !== undefined) {
      const { block, packed } = first
      await sendPacked(blob, offset, { block, packed }, { packer, source, out })
      return
    }
    if (first !== undefined) await writePaced(first.block, source, out)
    await sendPlain(blob, offset + (first?.block.byteLength ?? 0), source, out)
  } catch (cause) {
    // what was promised can't be taken back by any answer: the stream must break
    throw new Error(`the blob ${hash} could not be sent to its end`, { cause })
  } finally {
    await blob.close()
  }
}

/** Undefined where nobody need look at it. */
async function firstBlock(
  blob: OpenBlob,
  offset: number,
  packer: Packer
): Promise<{ readonly block: Uint8Array; readonly packed: Uint8Array | undefined } | undefined> {
  if (blob.bytes - offset < PACKED_BYTES_MIN) return undefined
  if (!packer.mayPay(await bytesOf(blob, 0, Buffer.alloc(HEAD_BYTES)))) return undefined
  const bytes = Math.min(BLOCK_BYTES, blob.bytes - offset)
  const block = await bytesOf(blob, offset, Buffer.allocUnsafeSlow(bytes))
  return { block, packed: await packer.pack(block, true) }
}

async function sendPacked(
  blob: OpenBlob,
  offset: number,
  first: { readonly block: Uint8Array; readonly packed: Uint8Array },
  { packer, source, out }: { packer: Packer; source: BlobSource; out: SmallWrites }
): Promise<void> {
  const { block: buffer } = first
  let [block, packed]: [Uint8Array, Uint8Array | undefined] = [first.block, first.packed]
  for (let at = offset; ; ) {
    const isShorter = packed !== undefined && packed.byteLength < block.byteLength
    const payload = isShorter && packed !== undefined ? packed : block
    await out.write(framePrefix(payload.byteLength))
    // the buffer is used again
    await writePaced(
      payload === block && !out.usesBuffersAgain ? Buffer.from(block) : payload,
      source,
      out
    )
    at += block.byteLength
    if (at === blob.bytes) return
    block = await bytesOf(blob, at, buffer.subarray(0, blob.bytes - at))
    packed = await packer.pack(block, false)
  }
}

/** Fills it. */
async function bytesOf(blob: OpenBlob, at: number, bytes: Uint8Array): Promise<Uint8Array> {
  const count = bytes.byteLength
  if (blob.readInto !== undefined) {
    blob.readInto(bytes, at)
    return bytes
  }
  let filled = 0
  for await (const piece of blob.read(at, at + count)) {
    if (filled + piece.byteLength > count) break
    bytes.set(piece, filled)
    filled += piece.byteLength
  }
  if (filled !== count) throw wrongCount()
  return bytes
}

async function sendPlain(
  blob: OpenBlob,
  offset: number,
  source: BlobSource,
  out: SmallWrites
): Promise<void> {
  let left = blob.bytes - offset
  if (left === 0) return
  if (blob.readInto !== undefined && (left <= GATHERED_BYTES_MAX || out.usesBuffersAgain)) {
    while (left > 0) {
      const wait = source.pace?.(Math.min(left, PACED_BYTES_MAX), out.broken)
      if (wait !== undefined) await wait
      const most = wait === undefined ? GATHERED_BYTES_MAX : PACED_BYTES_MAX
      const room = await out.room(Math.min(left, most))
      blob.readInto(room, blob.bytes - left)
      left -= room.byteLength
      if (wait !== undefined) await out.flush(PACED_BYTES_MAX)
    }
    return
  }
  for await (const piece of blob.read(offset, blob.bytes)) {
    left -= piece.byteLength
    if (left < 0) break
    await writePaced(piece, source, out)
  }
  if (left !== 0) throw wrongCount()
}

async function writePaced(piece: Uint8Array, source: BlobSource, out: SmallWrites): Promise<void> {
  for (let at = 0; at < piece.byteLength; ) {
    const wait = source.pace?.(Math.min(piece.byteLength - at, PACED_BYTES_MAX), out.broken)
    if (wait !== undefined) await wait
    const part = piece.subarray(at, wait === undefined ? undefined : at + PACED_BYTES_MAX)
    await out.write(part)
    at += part.byteLength
    // what has had its turn does not wait for that of others
    if (wait !== undefined) await out.flush(PACED_BYTES_MAX)
  }
}

function wrongCount(): Error {
  return new Error('it has not as many bytes as its store said')
}

async function openFrom(
  hash: ContentHash,
  offset: number,
  source: BlobSource
): Promise<OpenBlob | StatusError> {
  try {
    const blob = await source.open(hash)
    if (blob === undefined) return new StatusError(STATUS.MISSING, '')
    if (blob === 'busy') return new StatusError(STATUS.BUSY, '')
    if (offset <= blob.bytes) return blob
    await blob.close()
    return new StatusError(STATUS.BAD_REQUEST, `the blob has ${blob.bytes} bytes`)
  } catch (error) {
    if (error instanceof StatusError) return error
    throw error
  }
}
