import { createHash } from 'node:crypto'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { BlobsClient } from '../../protocols/blobs/request.ts'
import { blobsProtocol } from '../../protocols/blobs/serve.ts'
import type { ByteStream } from '../../protocols/byte-stream.ts'
import { requestOffer } from '../../protocols/lane/request.ts'
import { STATUS } from '../../protocols/status.ts'
import { testBytes } from '../support/data-folder.ts'
import { eventually } from '../support/eventually.ts'
import { type LaneNode, LanePair } from '../support/lane-ends.ts'
import { MemoryBlobSource } from '../support/memory-blob-source.ts'
import { echo, never, readAll, writePieces } from '../support/network-talks.ts'
import { talks } from '../support/protocol-talks.ts'
import { streamPair } from '../support/stream-pair.ts'

let serve: (stream: ByteStream, peerId: string) => Promise<void>
let pair: LanePair
beforeEach(async () => {
  serve = echo
  pair = await new LanePair((stream, peerId) => serve(stream, peerId)).start()
})
afterEach(() => pair.stop())

const open = (from: LaneNode, onClose = () => {}) =>
  from.lanes.open(from === pair.a ? 'b' : 'a', onClose, never)
const both = () => [pair.a, pair.b]
const counts = () => both().map(({ lanes }) => lanes.count())

test.each(['dialled', 'was dialled'])('the side that %s asks on a lane', async (which) => {
  const [from, to] = which === 'dialled' ? [pair.a, pair.b] : [pair.b, pair.a]
  const asked: string[] = []
  serve = (stream, peerId) => {
    asked.push(peerId)
    return echo(stream)
  }
  const stream = await open(from)
  await stream.write(Buffer.from('hello'))
  await stream.end()
  expect((await readAll(stream)).toString()).toBe('hello')
  expect(asked).toEqual([from === pair.a ? 'a' : 'b'])
  await eventually(() => expect(counts()).toEqual([0, 0]))
  const [, id] = [to, to === pair.b ? 'b' : 'a']
  expect(from.counters.get(id)).toEqual({ bytesIn: 5, bytesOut: 5, faults: 0 })
})

test.each(talks.map((talk) => [talk.name, talk] as const))(
  'the protocol of %s runs on a lane as on any stream',
  async (_, talk) => {
    const { left, right } = streamPair()
    const [expected] = await Promise.all([talk.ask(left), talk.serve(right)])
    serve = (stream) => talk.serve(stream)
    for (const from of both()) expect(await talk.ask(await open(from))).toEqual(expected)
  }
)

test('20 MB pass there and back past a slow reader, in order', async () => {
  for (const from of both()) {
    const stream = await open(from)
    const [sent, got] = [createHash('sha256'), createHash('sha256')]
    const writing = writePieces(stream, 320, sent).then(() => stream.end())
    let pieces = 0
    for await (const piece of stream.source) {
      got.update(piece)
      if (++pieces % 16 === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    }
    await writing
    expect(got.digest('hex')).toBe(sent.digest('hex'))
  }
})

test('a sender waits for a reader who does not read', async () => {
  const stuck = Promise.withResolvers<void>()
  serve = () => stuck.promise
  const stream = await open(pair.a)
  let written = 0
  const writing = (async () => {
    for (; written < 1000; written++) await stream.write(Buffer.alloc(65_536))
  })()
  await eventually(async () => {
    const before = written
    await new Promise((resolve) => setTimeout(resolve, 200))
    expect([written > 0, written]).toEqual([true, before])
  })
  // what the two sides and the system keep
  expect(written).toBeLessThan(500)
  stream.abort(new Error('enough'))
  await expect(writing).rejects.toThrow('enough')
  stuck.resolve()
})

test('lanes close with the connection, and both sides hear of it', async () => {
  serve = async (stream) => {
    for await (const _ of stream.source);
  }
  const closed: number[] = []
  const lanes = await Promise.all(
    [pair.a, pair.b, pair.a].map((from, n) => open(from, () => closed.push(n)))
  )
  await eventually(() => expect(counts()).toEqual([3, 3]))
  pair.b.part()
  await eventually(() => expect(counts()).toEqual([0, 0]))
  expect(closed.toSorted()).toEqual([0, 1, 2])
  await expect(lanes[0]?.write(Buffer.of(1))).rejects.toThrow()
  await expect(open(pair.b)).rejects.toMatchObject({ status: STATUS.REFUSED })
})

test('who serves hears that a lane has broken, also where nobody reads', async () => {
  const served = Promise.withResolvers<ByteStream>()
  const stuck = Promise.withResolvers<void>()
  serve = (stream) => {
    served.resolve(stream)
    return stuck.promise
  }
  const stream = await open(pair.a)
  const other = await served.promise
  expect([stream.broken?.aborted, other.broken?.aborted]).toEqual([false, false])
  stream.abort(new Error('enough'))
  expect(stream.broken?.aborted).toBe(true)
  await eventually(async () => {
    await other.write(Buffer.alloc(1)).catch(() => {})
    expect(other.broken?.aborted).toBe(true)
  })
  stuck.resolve()
})

test('when the secret changes all lanes close, and new ones can be opened', async () => {
  const stream = await open(pair.a)
  pair.b.lanes.close(new Error('another secret'))
  await expect(async () => {
    for (;;) await stream.write(Buffer.alloc(65_536))
  }).rejects.toThrow()
  await eventually(() => expect(counts()).toEqual([0, 0]))
  await (await open(pair.b)).end()
})

test('a peer gets eight lanes and no more', async () => {
  const lanes = await Promise.all(Array.from({ length: 4 }, () => open(pair.a)))
  lanes.push(...(await Promise.all(Array.from({ length: 4 }, () => open(pair.b)))))
  await eventually(() => expect(counts()).toEqual([8, 8]))
  await expect(open(pair.a)).rejects.toMatchObject({ status: STATUS.BUSY })
  await expect(open(pair.b)).rejects.toMatchObject({ status: STATUS.BUSY })
  for (const lane of lanes) lane.abort(new Error('enough'))
  await eventually(() => expect(counts()).toEqual([0, 0]))
  await (await open(pair.a)).end()
})

test('a stop does not wait for a request that takes its time', async () => {
  const asked = Promise.withResolvers<void>()
  const answered = Promise.withResolvers<void>()
  serve = async (stream) => {
    await stream.source[Symbol.asyncIterator]().next()
    asked.resolve()
    await answered.promise
  }
  const stream = await open(pair.a)
  await stream.write(Buffer.from('hello'))
  await asked.promise
  await pair.b.lanes.stop()
  expect(pair.b.lanes.count()).toBe(0)
  answered.resolve()
})

test('a peer can not have a node dial any number of lanes', async () => {
  const dialled = new Set<Socket>()
  const silent = createServer((socket) => dialled.add(socket))
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
  const { port } = silent.address() as AddressInfo
  const key = { port, identity: '0'.repeat(32), secret: Buffer.alloc(32) }
  const offers = Array.from({ length: 50 }, () => requestOffer(pair.a.asked(), key, never))
  const refused = (await Promise.allSettled(offers)).filter(({ status }) => status === 'rejected')
  expect(refused).toHaveLength(42)
  await eventually(() => expect(dialled.size).toBe(8))
  for (const socket of dialled) socket.destroy()
  await eventually(() => requestOffer(pair.a.asked(), key, never))
  await eventually(() => expect(dialled.size).toBe(9))
  for (const socket of dialled) socket.destroy()
  await new Promise((resolve) => silent.close(resolve))
})

test('a lane whose offer breaks off once it is dialled is closed', async () => {
  pair.b.wrap = (stream) => ({
    source: breakingAtEnd(stream.source),
    write: (bytes) => stream.write(bytes),
    end: () => stream.end(),
    abort: (error) => stream.abort(error)
  })
  await expect(open(pair.b)).rejects.toThrow('broke off')
  await eventually(() => expect(counts()).toEqual([0, 0]))
})

async function* breakingAtEnd(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* source
  await eventually(() => expect(counts()).toEqual([1, 1]))
  throw new Error('it broke off')
}

test('a node that can not be dialled is asked elsewhere', async () => {
  await pair.b.lanes.stop()
  await expect(open(pair.a)).rejects.toMatchObject({ status: STATUS.REFUSED })
  await expect(open(pair.b)).rejects.toThrow()
})

test('a blob that ends too early is not taken for whole', async () => {
  const source = new MemoryBlobSource({ pieceBytes: 65_536 })
  const bytes = testBytes(400_000)
  const hash = source.add(bytes)
  serve = async (stream, peerId) => {
    let left = 200_000
    const cut: ByteStream = {
      source: stream.source,
      end: () => stream.end(),
      abort: (error) => stream.abort(error),
      async write(piece) {
        await stream.write(piece.subarray(0, left))
        left -= piece.byteLength
        if (left <= 0) await stream.end()
      }
    }
    await blobsProtocol.serve(cut, source, peerId)
  }
  const client = new BlobsClient(await open(pair.b))
  let got = 0
  const take = async ({ body }: { body: AsyncIterable<Uint8Array> }) => {
    for await (const piece of body) got += piece.byteLength
  }
  const fetching = client.fetch([{ hash, offset: 0 }], take, never)
  await expect(fetching).rejects.toMatchObject({ fault: 'TRUNCATED' })
  expect(got).toBeLessThan(bytes.length)
})
