// Blobs that are sent at the pace that the node sets.

import { expect, test } from 'vitest'
import { PACED_BYTES_MAX, WRITE_BYTES } from '../../../../protocols/blobs/limits.ts'
import { type BlobAnswer, BlobsClient } from '../../../../protocols/blobs/request.ts'
import { blobsProtocol } from '../../../../protocols/blobs/serve.ts'
import type { ContentHash } from '../../../../protocols/hash.ts'
import { MemoryBlobSource } from '../../../support/memory-blob-source.ts'
import { never, servePair } from '../../../support/serve-pair.ts'
import { streamPair } from '../../../support/stream-pair.ts'

const settled = () => new Promise((resolve) => setImmediate(resolve))
const bytesOf = (length: number) => new Uint8Array(length).map((_, at) => at * 7 + length)
const whole = (hash: ContentHash) => ({ hash, offset: 0 })

/** Reads all of each answer. */
function collector() {
  const got: Buffer[] = []
  const onBlob = async ({ body }: BlobAnswer) => {
    got.push(Buffer.concat(await Array.fromAsync(body)))
  }
  return { got, onBlob }
}

test('sends nothing before its turn, piece by piece', async () => {
  const source = new MemoryBlobSource()
  const hash = source.add(bytesOf(3 * WRITE_BYTES))
  const turns: (() => void)[] = []
  const asked: number[] = []
  const pace = (bytes: number) => {
    asked.push(bytes)
    return new Promise<void>((resolve) => turns.push(resolve))
  }
  const { stream } = servePair(blobsProtocol, {
    open: (one) => source.open(one),
    have: (one) => source.have(one),
    whenHeld: (one, ms) => source.whenHeld(one, ms),
    pace
  })
  const { got, onBlob } = collector()
  const fetching = new BlobsClient(stream).fetch([whole(hash)], onBlob, never)
  for (let sent = 0; sent < 3 * WRITE_BYTES; ) {
    await settled()
    expect(got).toEqual([])
    expect(turns).toHaveLength(1)
    turns.pop()?.()
    sent += asked.at(-1) ?? 0
  }
  await fetching
  expect(got.map((bytes) => bytes.byteLength)).toEqual([3 * WRITE_BYTES])
})

test.each(['read', 'read into a buffer'])(
  'what has had its turn does not wait for that of others: %s',
  async (how) => {
    const bytes = bytesOf(4 * PACED_BYTES_MAX)
    const source = new MemoryBlobSource()
    const hash = source.add(bytes)
    const turns: (() => void)[] = []
    const readInto = (target: Uint8Array, at: number) =>
      target.set(bytes.subarray(at, at + target.byteLength))
    const { left, right } = streamPair()
    const copying = {
      source: right.source,
      end: right.end,
      abort: right.abort,
      takesCopies: true,
      write: (piece: Uint8Array) => right.write(Uint8Array.from(piece))
    }
    const isInto = how !== 'read'
    const serving = blobsProtocol.serve(
      isInto ? copying : right,
      {
        async open(one) {
          const blob = await source.open(one)
          if (blob === undefined || blob === 'busy') return blob
          return { ...blob, ...(isInto && { readInto }) }
        },
        have: (one) => source.have(one),
        whenHeld: (one, ms) => source.whenHeld(one, ms),
        pace: () => new Promise<void>((resolve) => turns.push(resolve))
      },
      'asker'
    )
    const { got, onBlob } = collector()
    const client = new BlobsClient(left)
    const fetching = client.fetch([whole(hash)], onBlob, never)
    for (let turn = 0; turn < 4; turn++) {
      await settled()
      expect(right.sent().byteLength).toBeGreaterThanOrEqual(turn * PACED_BYTES_MAX)
      turns.pop()?.()
    }
    await fetching
    expect(Buffer.compare(got[0] ?? bytes.subarray(1), bytes)).toBe(0)
    await client.end(never)
    await serving
  }
)

test('a stream that breaks while it waits for its turn waits no longer', async () => {
  const source = new MemoryBlobSource()
  const hash = source.add(bytesOf(3 * WRITE_BYTES))
  const waits: AbortSignal[] = []
  const pace = (_bytes: number, broken: AbortSignal | undefined) =>
    new Promise<void>((_, reject) => {
      if (broken === undefined) return
      waits.push(broken)
      broken.addEventListener('abort', () => reject(broken.reason))
    })
  const { stream, outcome } = servePair(blobsProtocol, {
    open: (one) => source.open(one),
    have: (one) => source.have(one),
    whenHeld: (one, ms) => source.whenHeld(one, ms),
    pace
  })
  const fetching = new BlobsClient(stream).fetch([whole(hash)], collector().onBlob, never)
  await settled()
  expect(waits).toHaveLength(1)
  stream.abort(new Error('gone'))
  await expect(fetching).rejects.toThrow()
  expect(await outcome).toMatchObject({ cause: waits[0]?.reason })
  expect([waits.length, source.opened]).toEqual([1, 0])
})
