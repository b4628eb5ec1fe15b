import { describe, expect, test } from 'vitest'
import type { ByteStream } from '../../../protocols/byte-stream.ts'
import { adaptStream } from '../../../src/network/stream-adapter.ts'
import { FakeStream } from '../../support/fake-stream.ts'

const PIECE = 65_536
const WAITING_MAX = 4 * PIECE

function adapted(): { fake: FakeStream; stream: ByteStream; waited: boolean[] } {
  const fake = new FakeStream()
  const waited: boolean[] = []
  const meter = { received: () => {}, sent: (_: number, did: boolean) => waited.push(did) }
  return { fake, stream: adaptStream(fake.asStream, meter), waited }
}

async function readAll({ source }: ByteStream): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  for await (const piece of source) pieces.push(piece)
  return Buffer.concat(pieces)
}

/** All that can go on without the outside has gone on. */
const quiet = () => new Promise((resolve) => setImmediate(resolve))

describe('the source of a stream', () => {
  test('takes nothing before it is read', async () => {
    const { fake, stream } = adapted()
    expect(fake.readStatus).toBe('paused')
    fake.receive(Buffer.from('early'))
    expect(fake.readBufferLength).toBe(5)
    fake.receiveEnd()
    expect((await readAll(stream)).toString()).toBe('early')
  })

  test('pauses as soon as something came that was not asked for', async () => {
    const { fake, stream } = adapted()
    const pieces = stream.source[Symbol.asyncIterator]()
    const first = pieces.next()
    fake.receive(Buffer.from('a'))
    fake.receive(Buffer.from('b'))
    expect((await first).value).toEqual(Buffer.from('a'))
    expect([fake.readStatus, fake.readBufferLength]).toEqual(['paused', 1])
    expect((await pieces.next()).value).toEqual(Buffer.from('b'))
  })

  test('ends when the other side has ended and all is read', async () => {
    const { fake, stream } = adapted()
    const reading = readAll(stream)
    fake.receive(Buffer.from('ab'))
    fake.receiveEnd()
    expect((await reading).toString()).toBe('ab')
  })

  test('ends at once if the end had come before anybody listened', async () => {
    const fake = new FakeStream()
    fake.receive(Buffer.from('x'))
    fake.receiveEnd()
    const stream = adaptStream(fake.asStream, { received: () => {}, sent: () => {} })
    expect(await readAll(stream)).toHaveLength(1)
  })

  test.each([
    ['while it waits', 0],
    ['after some bytes', 3]
  ])('a lost connection is no end: %s', async (_, bytes) => {
    const { fake, stream } = adapted()
    const reading = readAll(stream)
    if (bytes > 0) fake.receive(new Uint8Array(bytes))
    await quiet()
    fake.loseConnection()
    await expect(reading).rejects.toThrow('broke')
  })

  test('a connection that was lost before anybody read is no end either', async () => {
    const { fake, stream } = adapted()
    fake.receive(new Uint8Array(3))
    fake.loseConnection()
    await expect(readAll(stream)).rejects.toThrow('broke')
    const late = new FakeStream()
    late.loseConnection()
    const meter = { received: () => {}, sent: () => {} }
    await expect(readAll(adaptStream(late.asStream, meter))).rejects.toThrow('broke')
  })

  test('hands out what was complete before the connection was lost', async () => {
    const { fake, stream } = adapted()
    fake.receive(Buffer.from('complete'))
    fake.receiveEnd()
    fake.loseConnection()
    fake.resumeFault = new Error('nowhere to send the window to')
    expect((await readAll(stream)).toString()).toBe('complete')
  })

  test('throws if the other side reset the stream', async () => {
    const { fake, stream } = adapted()
    const reading = readAll(stream)
    await quiet()
    fake.receiveReset()
    await expect(reading).rejects.toThrow('reset by the other side')
  })

  test('throws the error with which the stream was aborted here', async () => {
    const { fake, stream } = adapted()
    const reading = readAll(stream)
    await quiet()
    stream.abort(new Error('not wanted'))
    stream.abort(new Error('second'))
    await expect(reading).rejects.toThrow('not wanted')
    expect(fake.status).toBe('aborted')
  })

  test('tells who does not read that it has broken, and not that it has ended', async () => {
    const { fake, stream } = adapted()
    fake.receiveReset()
    expect(stream.broken?.aborted).toBe(true)
    const here = adapted().stream
    expect(here.broken?.aborted).toBe(false)
    const fault = new Error('not wanted')
    here.abort(fault)
    expect(here.broken?.reason).toBe(fault)
    const ended = adapted()
    ended.fake.receiveEnd()
    ended.fake.loseConnection()
    expect(ended.stream.broken?.aborted).toBe(false)
  })

  test('aborts the stream when its reader leaves', async () => {
    const { fake, stream } = adapted()
    fake.receive(new Uint8Array(3))
    for await (const _ of stream.source) break
    expect(fake.status).toBe('aborted')
  })
})

describe('writing to a stream', () => {
  test('sends in pieces', async () => {
    const { fake, stream, waited } = adapted()
    await stream.write(new Uint8Array(2 * PIECE + 1))
    expect(fake.sent.map((piece) => piece.byteLength)).toEqual([PIECE, PIECE, 1])
    expect(waited).toEqual([false, false, false])
    await stream.write(new Uint8Array(0))
    expect(fake.sent).toHaveLength(3)
  })

  test('waits for a slow reader, however often others are served', async () => {
    const { fake, stream, waited } = adapted()
    fake.window = 0
    let done = false
    const writing = stream.write(new Uint8Array(10 * PIECE)).then(() => {
      done = true
    })
    for (let others = 0; others < 100; others++) {
      fake.drain(0)
      await quiet()
    }
    expect(fake.writeBufferLength).toBe(WAITING_MAX)
    expect(done).toBe(false)
    for (let more = 0; more < 10; more++) {
      fake.drain(PIECE)
      await quiet()
    }
    await writing
    expect(waited).toContain(true)
  })

  test('a write that waits ends when the stream breaks', async () => {
    const { fake, stream } = adapted()
    fake.window = 0
    const writing = stream.write(new Uint8Array(10 * PIECE))
    const next = stream.write(new Uint8Array(1))
    await quiet()
    fake.receiveReset()
    await expect(writing).rejects.toThrow('reset')
    await expect(next).rejects.toThrow('reset')
    await expect(stream.end()).rejects.toThrow('reset')
  })

  test('an end waits for what was written, or for the break of the stream', async () => {
    const { fake, stream } = adapted()
    fake.window = 0
    await stream.write(new Uint8Array(PIECE))
    const ending = stream.end()
    await quiet()
    expect(fake.writeStatus).toBe('writable')
    stream.abort(new Error('given up'))
    await expect(ending).rejects.toThrow('given up')
  })

  test('writes that are made at the same time stay whole, and the end comes after them', async () => {
    const { fake, stream } = adapted()
    const [a, b] = [new Uint8Array(2 * PIECE).fill(1), new Uint8Array(2 * PIECE).fill(2)]
    await Promise.all([stream.write(a), stream.write(b), stream.end()])
    expect(Buffer.concat(fake.sent).equals(Buffer.concat([a, b]))).toBe(true)
    expect(fake.writeStatus).toBe('closed')
    await expect(stream.write(a)).rejects.toThrow('ended')
    await expect(stream.end()).resolves.toBeUndefined()
  })
})
