import { describe, expect, test } from 'vitest'
import { HELD_TIMEOUT_MS_MAX, ITEMS_MAX, WRITE_BYTES } from '../../../../protocols/blobs/limits.ts'
import { ResponseSchema } from '../../../../protocols/blobs/messages_pb.ts'
import { type BlobAnswer, BlobsClient } from '../../../../protocols/blobs/request.ts'
import { blobsProtocol } from '../../../../protocols/blobs/serve.ts'
import { FrameReader, frameOf } from '../../../../protocols/frame.ts'
import { type ContentHash, parseHash } from '../../../../protocols/hash.ts'
import { encodeMessage, parseMessage } from '../../../../protocols/message.ts'
import { STATUS, StatusError } from '../../../../protocols/status.ts'
import { MemoryBlobSource } from '../../../support/memory-blob-source.ts'
import { never, servePair } from '../../../support/serve-pair.ts'
import { type PairOptions, streamPair } from '../../../support/stream-pair.ts'

const MISSING = parseHash('ab'.repeat(32))
const settled = () => new Promise((resolve) => setImmediate(resolve))
const bytesOf = (length: number) => new Uint8Array(length).map((_, at) => at * 7 + length)
const whole = (hash: ContentHash) => ({ hash, offset: 0 })

function setUp(source = new MemoryBlobSource(), options: PairOptions = {}) {
  const served = servePair(blobsProtocol, source, options)
  return { client: new BlobsClient(served.stream), source, ...served }
}

/** Reads all of each answer. */
function collector() {
  const got: { hash: string; status: number; bytes: Buffer }[] = []
  const onBlob = async ({ hash, status, length, body }: BlobAnswer) => {
    const bytes = Buffer.concat(await Array.fromAsync(body))
    expect(bytes.byteLength).toBe(length)
    got.push({ hash, status, bytes })
  }
  return { got, onBlob }
}

describe('fetch', () => {
  const sizes = [0, 1, WRITE_BYTES - 1, WRITE_BYTES, WRITE_BYTES + 1, 3 * WRITE_BYTES]

  test('gives blobs of any size in their order, and says which are missing', async () => {
    const { client, source, outcome } = setUp()
    const contents = sizes.map(bytesOf)
    const hashes = contents.map((bytes) => source.add(bytes))
    const { got, onBlob } = collector()
    await client.fetch([...hashes.map(whole), whole(MISSING)], onBlob, never)
    expect(got.map(({ hash }) => hash)).toEqual([...hashes, MISSING])
    for (const [at, bytes] of contents.entries()) {
      expect(got[at]).toEqual({ hash: hashes[at], status: STATUS.OK, bytes: Buffer.from(bytes) })
    }
    expect(got.at(-1)).toMatchObject({ status: STATUS.MISSING })
    await client.end(never)
    expect(await outcome).toBeUndefined()
    expect(source.opened).toBe(0)
  })

  test('writes many small blobs together', async () => {
    const { client, source, server } = setUp()
    const hashes = Array.from({ length: ITEMS_MAX }, (_, at) => source.add(bytesOf(at)))
    let writes = 0
    const write = server.write
    server.write = (bytes) => {
      writes++
      return write(bytes)
    }
    const { got, onBlob } = collector()
    await client.fetch(hashes.map(whole), onBlob, never)
    expect(got).toHaveLength(ITEMS_MAX)
    expect(writes).toBe(1)
  })

  test('goes on from an offset, up to the end of the blob', async () => {
    const { client, source } = setUp()
    const hash = source.add(bytesOf(100))
    const { got, onBlob } = collector()
    const offsets = [0, 99, 100, 101]
    await client.fetch(
      offsets.map((offset) => ({ hash, offset })),
      onBlob,
      never
    )
    const { OK, BAD_REQUEST } = STATUS
    expect(got.map(({ status }) => status)).toEqual([OK, OK, OK, BAD_REQUEST])
    expect(got.map(({ bytes }) => bytes.byteLength)).toEqual([100, 1, 0, 0])
    expect(source.opened).toBe(0)
  })

  test('skips what is not read', async () => {
    const { client, source } = setUp()
    const hashes = [50, 200_000, 60].map((length) => source.add(bytesOf(length)))
    const lengths: number[] = []
    await client.fetch(
      hashes.map(whole),
      async ({ length, body }) => {
        lengths.push(length)
        for await (const _ of body) break
      },
      never
    )
    expect(lengths).toEqual([50, 200_000, 60])
    expect(await client.have(hashes, never)).toEqual([true, true, true])
  })

  test('of nothing asks nothing', async () => {
    const { client, stream } = setUp()
    await client.fetch([], collector().onBlob, never)
    expect(stream.sent().byteLength).toBe(0)
  })

  test('sends four requests ahead', async () => {
    const { left, right } = streamPair()
    const client = new BlobsClient(left)
    const calls = Array.from({ length: 6 }, () => client.have([MISSING], never))
    await settled()
    const requestBytes = left.sent().byteLength / 4
    expect(left.sent().subarray(0, requestBytes)).toEqual(left.sent().subarray(-requestBytes))
    const answer = frameOf(
      encodeMessage(ResponseSchema, { status: STATUS.OK, bitmap: Uint8Array.of(1) })
    )
    await right.write(answer)
    expect(await calls[0]).toEqual([true])
    await settled()
    expect(left.sent().byteLength).toBe(5 * requestBytes)
    for (let at = 1; at < 6; at++) await right.write(answer)
    expect(await Promise.all(calls)).toHaveLength(6)
  })

  test('reads no more of a blob than the other side takes', async () => {
    const source = new MemoryBlobSource({ pieceBytes: 1000 })
    const { client } = setUp(source, { bufferBytes: 10_000 })
    const hash = source.add(bytesOf(1_000_000))
    const { promise: go, resolve } = Promise.withResolvers<void>()
    let read = 0
    const fetching = client.fetch(
      [whole(hash)],
      async ({ body }) => {
        await go
        for await (const piece of body) read += piece.byteLength
      },
      never
    )
    await settled()
    await settled()
    const ahead = 10_000 + 2 * WRITE_BYTES
    expect(source.piecesRead * 1000).toBeLessThan(ahead)
    resolve()
    await fetching
    expect(read).toBe(1_000_000)
  })

  test('what the receiver throws breaks the stream, for calls that wait as well', async () => {
    const { client, source, outcome } = setUp()
    const hash = source.add(bytesOf(10))
    const full = async () => {
      throw new Error('disk full')
    }
    const first = client.fetch([whole(hash)], full, never)
    const second = client.fetch([whole(hash)], collector().onBlob, never)
    await expect(first).rejects.toThrow('disk full')
    await expect(second).rejects.toThrow('disk full')
    expect(await outcome).toBeInstanceOf(Error)
    expect(source.opened).toBe(0)
  })

  test('a body that ends too early is TRUNCATED, whether it is read or not', async () => {
    const head = frameOf(encodeMessage(ResponseSchema, { status: STATUS.OK, length: 100n }))
    for (const read of [true, false]) {
      const { left, right } = streamPair()
      await right.write(Buffer.concat([head, new Uint8Array(99)]))
      await right.end()
      const onBlob = read ? collector().onBlob : async () => {}
      const fetching = new BlobsClient(left).fetch([whole(MISSING)], onBlob, never)
      await expect(fetching).rejects.toMatchObject({ fault: 'TRUNCATED' })
    }
  })

  test.each([
    ['no status', {}],
    ['bytes of a missing blob', { status: STATUS.MISSING, length: 5n }],
    ['an impossible length', { status: STATUS.OK, length: 2n ** 60n }],
    ['success of the whole before its parts', { status: STATUS.OK, whole: true }]
  ])('takes no answer with %s', async (_, answer) => {
    const { left, right } = streamPair()
    await right.write(frameOf(encodeMessage(ResponseSchema, answer)))
    const fetching = new BlobsClient(left).fetch([whole(MISSING)], collector().onBlob, never)
    await expect(fetching).rejects.toMatchObject({ fault: 'BAD_MESSAGE' })
  })

  test('of too many is refused as a whole, and the stream goes on', async () => {
    const { client, source } = setUp()
    const hash = source.add(bytesOf(3))
    const { got, onBlob } = collector()
    const many = client.fetch(Array(ITEMS_MAX + 1).fill(whole(hash)), onBlob, never)
    await expect(many).rejects.toMatchObject({ status: STATUS.TOO_LARGE })
    expect(got).toEqual([])
    await client.fetch(Array(ITEMS_MAX).fill(whole(hash)), onBlob, never)
    expect(got).toHaveLength(ITEMS_MAX)
  })
})

describe('a source that', () => {
  test('is busy, or says no to one blob, does not keep the others back', async () => {
    const { client, source } = setUp()
    const hash = source.add(bytesOf(3))
    const open = source.open.bind(source)
    const answers = ['busy', new StatusError(STATUS.REFUSED, 'not to you'), 'open']
    source.open = async (asked) => {
      const answer = answers.shift()
      if (answer instanceof StatusError) throw answer
      return answer === 'busy' ? 'busy' : open(asked)
    }
    const { got, onBlob } = collector()
    await client.fetch([whole(hash), whole(hash), whole(hash)], onBlob, never)
    const { BUSY, REFUSED, OK } = STATUS
    expect(got.map(({ status }) => status)).toEqual([BUSY, REFUSED, OK])
  })

  test.each([
    ['fails to open', 'open'],
    ['fails to read', 'read'],
    ['says no in the middle', 'no'],
    ['has less than it said', 'less'],
    ['has more than it said', 'more']
  ])('%s breaks the stream and is closed', async (_, how) => {
    const { client, source, outcome } = setUp()
    let closed = 0
    source.open = async () => {
      if (how === 'open') throw new Error('no disk')
      return {
        bytes: 100,
        close: () => {
          closed++
        },
        async *read() {
          yield bytesOf(50)
          if (how === 'read') throw new Error('no disk')
          if (how === 'no') throw new StatusError(STATUS.BUSY, 'too late')
          if (how === 'more') yield bytesOf(51)
        }
      }
    }
    const { got, onBlob } = collector()
    await expect(client.fetch([whole(MISSING)], onBlob, never)).rejects.toThrow()
    expect(got).toEqual([])
    const error = (await outcome) as Error
    if (how === 'open') expect(error.message).toBe('no disk')
    else expect(error).toMatchObject({ message: expect.stringContaining(MISSING) })
    expect(closed).toBe(how === 'open' ? 0 : 1)
  })
})

describe('have and held', () => {
  test.each([0, 1, 8, 9, ITEMS_MAX])('have answers for each of %i hashes', async (count) => {
    const { client, source } = setUp()
    const hashes = Array.from({ length: count }, (_, at) =>
      at % 3 === 0 ? MISSING : source.add(bytesOf(at))
    )
    expect(await client.have(hashes, never)).toEqual(hashes.map((_, at) => at % 3 !== 0))
  })

  test('a bitmap of another length is no answer', async () => {
    const { left, right } = streamPair()
    const answer = { status: STATUS.OK, bitmap: new Uint8Array(2) }
    await right.write(frameOf(encodeMessage(ResponseSchema, answer)))
    const have = new BlobsClient(left).have([MISSING], never)
    await expect(have).rejects.toMatchObject({ fault: 'BAD_MESSAGE' })
  })

  test('held waits as long as the asker says, within the limit', async () => {
    const { client, source } = setUp()
    const waits: number[] = []
    source.whenHeld = async (_, timeoutMs) => {
      waits.push(timeoutMs)
      return true
    }
    expect(await client.held(MISSING, HELD_TIMEOUT_MS_MAX, never)).toBe(true)
    const longer = client.held(MISSING, HELD_TIMEOUT_MS_MAX + 1, never)
    await expect(longer).rejects.toMatchObject({ status: STATUS.BAD_REQUEST })
    expect(waits).toEqual([HELD_TIMEOUT_MS_MAX])
  })

  test('requests of a kind that is not known are refused, and the stream goes on', async () => {
    const { stream, outcome } = setUp()
    const reader = new FrameReader(stream.source)
    for (let count = 0; count < 2; count++) {
      await stream.write(frameOf(Uint8Array.of(0xfa, 0x07, 0x00))) // field 127, no bytes
      const refusal = parseMessage(ResponseSchema, await reader.nextFrame(1000))
      expect(refusal).toMatchObject({ status: STATUS.BAD_REQUEST, whole: true })
    }
    await stream.end()
    expect(await outcome).toBeUndefined()
  })
})
