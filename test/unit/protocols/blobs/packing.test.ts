import { zstdCompressSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { AnswerFeed } from '../../../../protocols/blobs/answer-feed.ts'
import { ResponseSchema } from '../../../../protocols/blobs/messages_pb.ts'
import {
  BLOCK_BYTES,
  BlockPacker,
  KNOWN_PACKINGS,
  unpackBlock
} from '../../../../protocols/blobs/packing.ts'
import { type BlobAnswer, BlobsClient } from '../../../../protocols/blobs/request.ts'
import { blobsProtocol } from '../../../../protocols/blobs/serve.ts'
import type { Packer } from '../../../../protocols/blobs/source.ts'
import { frameOf } from '../../../../protocols/frame.ts'
import { parseHash } from '../../../../protocols/hash.ts'
import { encodeMessage } from '../../../../protocols/message.ts'
import { STATUS } from '../../../../protocols/status.ts'
import { WireError } from '../../../../protocols/wire-error.ts'
import { testBytes } from '../../../support/data-folder.ts'
import { MemoryBlobSource } from '../../../support/memory-blob-source.ts'
import { never, servePair } from '../../../support/serve-pair.ts'
import { streamPair } from '../../../support/stream-pair.ts'

const UNPACKING = { packings: KNOWN_PACKINGS }
const HASH = parseHash('ab'.repeat(32))
/** Looks like text. */
const soft = (length: number) => testBytes(length).map((byte) => 97 + (byte % 5))

/** Whatever becomes shorter is packed. */
const packer: Packer = {
  mayPay: (head) => head[0] !== 0xff,
  async pack(block) {
    const packed = zstdCompressSync(block)
    return packed.byteLength < block.byteLength ? packed : undefined
  }
}

function setUp(packings = KNOWN_PACKINGS, isPacking = true) {
  const source = Object.assign(new MemoryBlobSource(), isPacking && { packer })
  const served = servePair(blobsProtocol, source)
  let saved = 0
  const onSaved = (bytes: number) => {
    saved += bytes
  }
  const client = new BlobsClient(served.stream, { packings, onSaved })
  return { ...served, source, client, saved: () => saved }
}

const sizes = [511, 512, BLOCK_BYTES - 1, BLOCK_BYTES, BLOCK_BYTES + 1, 3 * BLOCK_BYTES + 5]

test.each(['in pieces', 'whole'])('packed blobs of any size come %s as they were', async (how) => {
  const { client, source, server, saved } = setUp()
  const contents = sizes.map(soft)
  const items = contents.map((bytes) => ({ hash: source.add(bytes), offset: 0 }))
  const got: Buffer[] = []
  const onBlob = async ({ body, whole }: BlobAnswer) => {
    const all = how === 'whole' ? await whole() : Buffer.concat(await Array.fromAsync(body))
    got.push(Buffer.from(all))
  }
  await client.fetch(items, onBlob, never)
  expect(got).toEqual(contents.map((bytes) => Buffer.from(bytes)))
  const all = sizes.reduce((sum, size) => sum + size)
  expect(server.sent().byteLength).toBeLessThan(all / 2)
  const spent = all - saved() - server.sent().byteLength
  expect(Math.abs(spent)).toBeLessThan(200) // frames
  expect(source.opened).toBe(0)
})

test('a packed blob is gone on with at any offset', async () => {
  const { client, source, server } = setUp()
  const bytes = soft(3 * BLOCK_BYTES)
  const hash = source.add(bytes)
  const offsets = [0, 1, BLOCK_BYTES - 1, BLOCK_BYTES + 7, bytes.length - 512, bytes.length]
  const onBlob = async ({ offset, length, body }: BlobAnswer) => {
    const got = Buffer.concat(await Array.fromAsync(body))
    expect([got.byteLength, Buffer.compare(got, bytes.subarray(offset))]).toEqual([length, 0])
  }
  const items = offsets.map((offset) => ({ hash, offset }))
  await client.fetch(items, onBlob, never)
  expect(server.sent().byteLength).toBeLessThan(6 * BLOCK_BYTES)
})

test('what is left of a packed blob is passed over', async () => {
  const { client, source } = setUp()
  const items = [1, 2, 3].map((n) => ({ hash: source.add(soft(n * BLOCK_BYTES)), offset: 0 }))
  const seen: number[] = []
  const onBlob = async ({ body, length }: BlobAnswer) => {
    for await (const piece of body) {
      seen.push(length, piece.byteLength)
      break
    }
  }
  await client.fetch(items, onBlob, never)
  expect(seen).toEqual([1, 1, 2, 1, 3, 1].map((n) => n * BLOCK_BYTES))
})

test('blocks that packing makes no shorter go as they are', async () => {
  const { client, source, server } = setUp()
  const hard = zstdCompressSync(soft(3 * BLOCK_BYTES))
  const bytes = Buffer.concat([soft(BLOCK_BYTES), hard, soft(3)])
  const got: Buffer[] = []
  await client.fetch(
    [{ hash: source.add(bytes), offset: 0 }],
    async ({ whole }) => {
      got.push(Buffer.from(await whole()))
    },
    never
  )
  expect(got).toEqual([bytes])
  expect(server.sent().byteLength).toBeLessThan(hard.byteLength + BLOCK_BYTES / 2)
})

test.each([
  ['the asker knows no packing', 0, true, soft(1000)],
  ['the sender does not pack', KNOWN_PACKINGS, false, soft(1000)],
  ['it does not look worth it', KNOWN_PACKINGS, true, Buffer.concat([Buffer.of(0xff), soft(999)])],
  ['its first block gets no shorter', KNOWN_PACKINGS, true, testBytes(1000)]
])('nothing is packed where %s', async (_, packings, isPacking, bytes) => {
  const { client, source, server, saved } = setUp(packings, isPacking)
  const got: Buffer[] = []
  await client.fetch(
    [{ hash: source.add(bytes), offset: 0 }],
    async ({ whole }) => {
      got.push(Buffer.from(await whole()))
    },
    never
  )
  expect(got).toEqual([Buffer.from(bytes)])
  expect(server.sent().includes(Buffer.from(bytes))).toBe(true)
  expect(saved()).toBe(0)
})

describe('what a sender has made up', () => {
  const zeros = (bytes: number) => zstdCompressSync(Buffer.alloc(bytes))
  const wide = zstdCompressSync(testBytes(2 ** 20))
  const answer = (length: number, packing: number, ...blocks: Uint8Array[]) => {
    const head = { status: STATUS.OK, length: BigInt(length), packing }
    const frames = blocks.map((block) => frameOf(block))
    return Buffer.concat([frameOf(encodeMessage(ResponseSchema, head)), ...frames])
  }
  const LIES: readonly [string, Buffer][] = [
    ['more than a block', answer(BLOCK_BYTES, 1, zeros(2 ** 26))],
    ['more than the rest of the blob', answer(1000, 1, zeros(1001))],
    ['less than a block', answer(BLOCK_BYTES + 1, 1, zeros(1000), zeros(1))],
    ['no packed bytes', answer(1000, 1, testBytes(100))],
    ['nothing', answer(1000, 1, Buffer.alloc(0))],
    ['a block that was cut', answer(1000, 1, zeros(1000).subarray(0, -2))],
    ['a look back over a megabyte', answer(BLOCK_BYTES, 1, wide.subarray(0, BLOCK_BYTES - 1))],
    ['a frame longer than its block', answer(1000, 1, testBytes(1001))],
    ['a way that nobody knows', answer(1000, 2, zeros(1000))]
  ]

  test.each(LIES)('%s is refused on a stream', async (_, bytes) => {
    const { left, right } = streamPair({ bufferBytes: 2 ** 20 })
    const client = new BlobsClient(left, UNPACKING)
    const got: number[] = []
    const onBlob = async ({ body }: BlobAnswer) => {
      for await (const piece of body) got.push(piece.byteLength)
    }
    const fetching = client.fetch([{ hash: HASH, offset: 0 }], onBlob, never)
    await right.write(bytes)
    await expect(fetching).rejects.toBeInstanceOf(WireError)
    expect(got).toEqual([])
  })

  test.each(LIES)('%s is refused in the thread for bulk bytes', (_, bytes) => {
    const got: number[] = []
    const sink = {
      begin: () => {},
      bytes: (piece: Uint8Array) => got.push(piece.byteLength),
      end: () => got.push(-1),
      refused: () => {}
    }
    expect(() => new AnswerFeed(sink, UNPACKING).feed(bytes)).toThrow(WireError)
    expect(got).toEqual([])
  })

  test('packed bytes that nobody asked for are refused', async () => {
    const bytes = answer(1000, 1, zeros(1000))
    const { left, right } = streamPair()
    const fetching = new BlobsClient(left).fetch([{ hash: HASH, offset: 0 }], async () => {}, never)
    await right.write(bytes)
    await expect(fetching).rejects.toThrow('not asked for')
  })

  test('a stream that ends inside a block is no end', async () => {
    const { left, right } = streamPair()
    const client = new BlobsClient(left, UNPACKING)
    const onBlob = async ({ whole }: BlobAnswer) => {
      await whole()
    }
    const fetching = client.fetch([{ hash: HASH, offset: 0 }], onBlob, never)
    await right.write(answer(1000, 1, zeros(1000)).subarray(0, -3))
    await right.end()
    await expect(fetching).rejects.toMatchObject({ fault: 'TRUNCATED' })
  })
})

test('a block is never made longer than it may be', () => {
  const packed = zstdCompressSync(Buffer.alloc(2 ** 26))
  expect(() => unpackBlock(packed, BLOCK_BYTES)).toThrow('can not be unpacked')
  expect(unpackBlock(zstdCompressSync(Buffer.alloc(9)), 9)).toEqual(Buffer.alloc(9))
})

test('one packer packs block after block, each for itself', async () => {
  const packer = new BlockPacker()
  for (const bytes of [
    soft(BLOCK_BYTES),
    testBytes(BLOCK_BYTES),
    soft(1),
    soft(700),
    soft(40_000)
  ]) {
    const packed = await packer.pack(bytes)
    expect(Buffer.compare(unpackBlock(packed, bytes.length), bytes)).toBe(0)
  }
  packer.close()
  await expect(packer.pack(soft(9))).rejects.toThrow()
})
