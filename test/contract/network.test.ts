import { createHash } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ByteStream } from '../../protocols/byte-stream.ts'
import type { ConnectedPeer } from '../../src/network/network.ts'
import {
  libp2pWorld,
  memoryWorld,
  type NetworkWorld,
  type TestNetwork
} from '../support/network-worlds.ts'

const ECHO = '/tumesh/echo/1'
const TAKE = '/tumesh/take/1'
const PIECE_BYTES = 64 * 1024
const never = new AbortController().signal

const worlds = { libp2p: libp2pWorld, memory: memoryWorld }

describe.each(Object.entries(worlds))('a network over %s', (_, makeWorld) => {
  let world: NetworkWorld
  const run = (work: () => Promise<void>) => () => world.run(work)

  beforeEach(() => {
    world = makeWorld()
  })

  afterEach(() => world.stop())

  /** A started node that echoes. */
  async function echoing(cluster?: string, streamsMax = 8): Promise<TestNetwork> {
    const node = await world.node(cluster)
    node.handle({ id: ECHO, streamsMax, serve: echo })
    await node.start()
    return node
  }

  async function connected(): Promise<[TestNetwork, TestNetwork]> {
    const [a, b] = [await echoing(), await echoing()]
    await a.dial(b.addresses(), never)
    await world.until(() => expect(b.peers()).toHaveLength(1))
    return [a, b]
  }

  test(
    'connects two nodes, and both see the other',
    run(async () => {
      const [a, b] = [await echoing(), await echoing()]
      const seen = [listen(a), listen(b)]
      const peer = await a.dial(b.addresses(), never)
      expect(peer).toMatchObject({ id: b.id, dialled: true })
      expect(a.peers()).toEqual([peer])
      await world.until(() => expect(b.peers()).toMatchObject([{ id: a.id, dialled: false }]))
      expect(seen).toEqual([[`up ${b.id}`], [`up ${a.id}`]])
    })
  )

  test(
    'has addresses, with its id, from start to stop only',
    run(async () => {
      const node = await world.node()
      expect(node.addresses()).toEqual([])
      await node.start()
      expect(node.addresses()[0]).toContain(`/p2p/${node.id}`)
    })
  )

  test(
    'opens streams both ways, many at a time',
    run(async () => {
      const [a, b] = await connected()
      const texts = Array.from({ length: 8 }, (_, at) => `stream ${at}`)
      const answers = await Promise.all(
        texts.flatMap((text) => [ask(a, b.id, text), ask(b, a.id, text)])
      )
      expect(answers).toEqual(texts.flatMap((text) => [text, text]))
    })
  )

  test(
    'tells the handler who asks',
    run(async () => {
      const asked: ConnectedPeer[] = []
      const [a, b] = [await echoing(), await world.node()]
      b.handle({
        id: TAKE,
        streamsMax: 1,
        async serve(stream, peer) {
          asked.push(peer)
          await stream.end()
        }
      })
      await b.start()
      await a.dial(b.addresses(), never)
      expect(await readAll(await a.open(b.id, TAKE, never))).toHaveLength(0)
      expect(asked).toMatchObject([{ id: a.id, dialled: false }])
    })
  )

  test(
    'carries 5 MB there and back past a slow reader, in order',
    run(async () => {
      const [a, b] = await connected()
      const stream = await a.open(b.id, ECHO, never)
      const sent = createHash('sha256')
      const writing = writePieces(stream, 80, sent)
      const got = createHash('sha256')
      for await (const piece of stream.source) {
        got.update(piece)
        if (Math.random() < 0.05) await world.pause()
      }
      await writing
      expect(got.digest('hex')).toBe(sent.digest('hex'))
      expect(a.counters(b.id)).toEqual({ bytesIn: 5_242_880, bytesOut: 5_242_880, faults: 0 })
      expect(b.counters(a.id)).toEqual({ bytesIn: 5_242_880, bytesOut: 5_242_880, faults: 0 })
    })
  )

  test(
    'stops a writer whose reader does not read, and goes on when it does',
    run(async () => {
      const gate = Promise.withResolvers<void>()
      const [a, b] = [await echoing(), await world.node()]
      const got = createHash('sha256')
      const read = Promise.withResolvers<void>()
      b.handle({
        id: TAKE,
        streamsMax: 1,
        async serve({ source }) {
          await gate.promise
          for await (const piece of source) got.update(piece)
          read.resolve()
        }
      })
      await b.start()
      await a.dial(b.addresses(), never)
      const stream = await a.open(b.id, TAKE, never)
      let written = 0
      const sent = createHash('sha256')
      const writing = writePieces(stream, 160, sent, (bytes) => {
        written += bytes
      })
      let before = -1
      while (written !== before) {
        before = written
        await world.pause()
      }
      expect(written).toBeLessThan(2 * 2 ** 20)
      gate.resolve()
      await writing
      await read.promise
      expect(got.digest('hex')).toBe(sent.digest('hex'))
    })
  )

  test(
    'keeps a slow stream bounded while another of the same peers is fast',
    run(async () => {
      const [a, b] = [await echoing(), await world.node()]
      const done = Promise.withResolvers<void>()
      b.handle({ id: TAKE, streamsMax: 1, serve: () => done.promise })
      b.handle({ id: ECHO, streamsMax: 8, serve: echo })
      await b.start()
      await a.dial(b.addresses(), never)
      const slow = await a.open(b.id, TAKE, never)
      let written = 0
      const writing = writePieces(slow, 160, createHash('sha256'), (bytes) => {
        written += bytes
      })
      writing.catch(() => {})
      const fast = await a.open(b.id, ECHO, never)
      const writingFast = writePieces(fast, 80, createHash('sha256'))
      expect(await readAll(fast)).toHaveLength(80 * PIECE_BYTES)
      await writingFast
      expect(written).toBeLessThan(2 * 2 ** 20)
      slow.abort(new Error('enough'))
      await expect(writing).rejects.toThrow()
      done.resolve()
    })
  )

  test(
    'lets one half end while the other goes on',
    run(async () => {
      const [a, b] = [await echoing(), await world.node()]
      b.handle({
        id: TAKE,
        streamsMax: 1,
        async serve(stream) {
          const question = await readAll(stream)
          await stream.write(Buffer.from(`got ${question.length}`))
          await stream.end()
        }
      })
      await b.start()
      await a.dial(b.addresses(), never)
      const stream = await a.open(b.id, TAKE, never)
      await stream.write(new Uint8Array(10))
      await stream.end()
      await stream.end()
      await expect(stream.write(new Uint8Array(1))).rejects.toThrow('ended')
      expect((await readAll(stream)).toString()).toBe('got 10')
    })
  )

  test(
    'sends the end of a stream that nobody read yet',
    run(async () => {
      const [a, b] = [await echoing(), await world.node()]
      b.handle({ id: TAKE, streamsMax: 1, serve: (stream) => stream.write(new Uint8Array(5)) })
      await b.start()
      await a.dial(b.addresses(), never)
      const stream = await a.open(b.id, TAKE, never)
      await world.pause()
      expect(await readAll(stream)).toHaveLength(5)
    })
  )

  test(
    'writes that are made at the same time do not mix',
    run(async () => {
      const [a, b] = await connected()
      const stream = await a.open(b.id, ECHO, never)
      const parts = [1, 2, 3].map((value) => new Uint8Array(200_000).fill(value))
      const writing = Promise.all([...parts.map((part) => stream.write(part)), stream.end()])
      expect((await readAll(stream)).equals(Buffer.concat(parts))).toBe(true)
      await writing
    })
  )

  test.each(['the one that opened', 'the one that serves'])(
    'an abort by %s breaks the stream for both',
    (who) =>
      world.run(async () => {
        const served = Promise.withResolvers<ByteStream>()
        const outcome = Promise.withResolvers<unknown>()
        const [a, b] = [await echoing(), await world.node()]
        b.handle({
          id: TAKE,
          streamsMax: 1,
          async serve(stream) {
            served.resolve(stream)
            await readAll(stream).then(outcome.resolve, outcome.resolve)
          }
        })
        await b.start()
        await a.dial(b.addresses(), never)
        const opened = await a.open(b.id, TAKE, never)
        await opened.write(new Uint8Array(1000))
        const reading = readAll(opened).catch((error: unknown) => error)
        const aborting = who === 'the one that opened' ? opened : await served.promise
        aborting.abort(new Error('no more'))
        aborting.abort(new Error('no more'))
        expect(await reading).toBeInstanceOf(Error)
        expect(await outcome.promise).toBeInstanceOf(Error)
        await expect(opened.write(new Uint8Array(1))).rejects.toThrow()
        await expect(opened.end()).rejects.toThrow()
      })
  )

  test(
    'a stream that is aborted in the middle never looks complete',
    run(async () => {
      const [a, b] = [await echoing(), await world.node()]
      b.handle({
        id: TAKE,
        streamsMax: 1,
        async serve(stream) {
          await stream.write(new Uint8Array(100_000))
          throw new Error('the disk broke')
        }
      })
      await b.start()
      await a.dial(b.addresses(), never)
      const stream = await a.open(b.id, TAKE, never)
      await expect(readAll(stream)).rejects.toThrow()
      expect(b.counters(a.id).faults).toBe(1)
      expect(await ask(b, a.id, 'still there')).toBe('still there')
    })
  )

  test(
    'a reader that leaves early stops the writer',
    run(async () => {
      const [a, b] = await connected()
      const stream = await a.open(b.id, ECHO, never)
      const writing = writePieces(stream, 80, createHash('sha256'))
      writing.catch(() => {})
      for await (const _ of stream.source) break
      await expect(writing).rejects.toThrow()
      await world.until(() => expect(b.counters(a.id).faults).toBe(1))
    })
  )

  test(
    'tells both sides that the other has gone, once',
    run(async () => {
      const [a, b] = await connected()
      const seen = [listen(a), listen(b)]
      const stream = await a.open(b.id, ECHO, never)
      const reading = readAll(stream).catch((error: unknown) => error)
      await a.hangUp(b.id)
      await a.hangUp(b.id)
      await world.until(() => expect(seen).toEqual([[`down ${b.id}`], [`down ${a.id}`]]))
      expect(await reading).toBeInstanceOf(Error)
      expect([a.peers(), b.peers()]).toEqual([[], []])
      await expect(a.open(b.id, ECHO, never)).rejects.toMatchObject({ code: 'PEER_UNREACHABLE' })
      await a.dial(b.addresses(), never)
      expect(await ask(a, b.id, 'again')).toBe('again')
    })
  )

  test(
    'a listener that was taken off hears nothing',
    run(async () => {
      const [a, b] = [await echoing(), await echoing()]
      const seen: string[] = []
      a.onPeer((_, event) => seen.push(event))()
      await a.dial(b.addresses(), never)
      expect(seen).toEqual([])
    })
  )

  test(
    'stops with streams open: they break for the other side and nothing hangs',
    run(async () => {
      const [a, b] = await connected()
      const stream = await b.open(a.id, ECHO, never)
      await stream.write(new Uint8Array(10))
      const reading = readAll(stream).catch((error: unknown) => error)
      const own = await a.open(b.id, ECHO, never)
      const ownReading = readAll(own).catch((error: unknown) => error)
      await a.stop()
      expect(await ownReading).toBeInstanceOf(Error)
      expect(await reading).toBeInstanceOf(Error)
      expect(a.peers()).toEqual([])
      await world.until(() => expect(b.peers()).toEqual([]))
      await expect(a.dial(b.addresses(), never)).rejects.toMatchObject({ code: 'STOPPING' })
      expect(a.counters(b.id).faults).toBe(0)
    })
  )

  test(
    'refuses more streams of a protocol than allowed, and others when some have ended',
    run(async () => {
      const [a, b] = [await echoing('test', 3), await echoing('test', 3)]
      await a.dial(b.addresses(), never)
      const streams = []
      for (let at = 0; at < 3; at++) streams.push(await a.open(b.id, ECHO, never))
      await expect(a.open(b.id, ECHO, never)).rejects.toMatchObject({ code: 'BUSY' })
      expect(await ask(b, a.id, 'the other way')).toBe('the other way')
      const [first, second] = streams as [ByteStream, ByteStream]
      await first.end()
      await readAll(first)
      second.abort(new Error('enough'))
      const texts = await Promise.all([ask(a, b.id, 'one'), ask(a, b.id, 'two')])
      expect(texts).toEqual(['one', 'two'])
    })
  )

  test(
    'does not let a peer open more streams than the serving side allows',
    run(async () => {
      const [a, b] = [await echoing('test', 8), await echoing('test', 3)]
      await a.dial(b.addresses(), never)
      const tries = Array.from({ length: 6 }, () => ask(a, b.id, 'x', true))
      const outcomes = await Promise.allSettled(tries)
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(3)
      expect(await ask(b, a.id, 'unharmed')).toBe('unharmed')
    })
  )

  test(
    'says that the other side does not speak a protocol',
    run(async () => {
      const [a, b] = await connected()
      await expect(a.open(b.id, '/tumesh/other/1', never)).rejects.toMatchObject({
        code: 'PEER_UNREACHABLE',
        message: expect.stringContaining('does not speak')
      })
      expect(await ask(a, b.id, 'fine')).toBe('fine')
    })
  )

  test(
    'a node of another cluster gets nothing, and nobody is harmed',
    run(async () => {
      const [a, b, other] = [await echoing(), await echoing(), await echoing('other')]
      for (const [from, to] of [[a, other] as const, [other, a] as const]) {
        await expect(from.dial(to.addresses(), never)).rejects.toMatchObject({
          code: 'PEER_UNREACHABLE',
          details: { reason: 'other-cluster' }
        })
      }
      await a.dial(b.addresses(), never)
      expect(await ask(a, b.id, 'fine')).toBe('fine')
      expect(other.peers()).toEqual([])
    })
  )

  test(
    'a removed peer is hung up on and stays out until it is allowed',
    run(async () => {
      const [a, b] = await connected()
      await b.deny(a.id)
      await world.until(() => expect([a.peers(), b.peers()]).toEqual([[], []]))
      const seen = listen(a)
      for (const [from, to] of [[a, b] as const, [b, a] as const]) {
        await expect(from.dial(to.addresses(), never)).rejects.toMatchObject({
          code: 'PEER_UNREACHABLE'
        })
      }
      expect(seen).toEqual([])
      b.allow(a.id)
      await a.dial(b.addresses(), never)
      expect(await ask(b, a.id, 'back')).toBe('back')
    })
  )

  test(
    'says that nobody listens, and that the node dialled itself',
    run(async () => {
      const a = await echoing()
      await expect(a.dial([world.nowhere], never)).rejects.toMatchObject({
        code: 'PEER_UNREACHABLE',
        message: expect.stringContaining('Nothing listens')
      })
      await expect(a.dial(a.addresses(), never)).rejects.toMatchObject({ code: 'SAME_NODE' })
      const [unnamed] = a.addresses().map((address) => address.split('/p2p/')[0] as string)
      await expect(a.dial([unnamed as string], never)).rejects.toMatchObject({ code: 'SAME_NODE' })
      await expect(a.dial(['nonsense'], never)).rejects.toMatchObject({ code: 'PEER_UNREACHABLE' })
      await expect(a.dial([], never)).rejects.toMatchObject({ code: 'PEER_UNREACHABLE' })
    })
  )

  test(
    'tries all addresses of a node',
    run(async () => {
      const [a, b] = [await echoing(), await echoing()]
      const addresses = [world.nowhere, ...b.addresses()]
      expect(await a.dial(addresses, never)).toMatchObject({ id: b.id })
    })
  )

  test(
    'gives up a dial and an open when asked to',
    run(async () => {
      const [a, b] = await connected()
      const given = AbortSignal.abort(new Error('given up'))
      await a.hangUp(b.id)
      await expect(a.dial(b.addresses(), given)).rejects.toThrow()
      await a.dial(b.addresses(), never)
      await expect(a.open(b.id, ECHO, given)).rejects.toThrow()
      expect(await ask(a, b.id, 'fine')).toBe('fine')
    })
  )

  test(
    'dials that cross each other end in one connection that works both ways',
    run(async () => {
      const [a, b] = [await echoing(), await echoing()]
      const seen = [listen(a), listen(b)]
      await Promise.all([a.dial(b.addresses(), never), b.dial(a.addresses(), never)])
      expect(await Promise.all([ask(a, b.id, 'there'), ask(b, a.id, 'back')])).toEqual([
        'there',
        'back'
      ])
      await world.pause()
      expect(seen).toEqual([[`up ${b.id}`], [`up ${a.id}`]])
      expect([a.peers().length, b.peers().length]).toEqual([1, 1])
    })
  )

  test(
    'three nodes in a line do not hear of each other',
    run(async () => {
      const [a, b, c] = [await echoing(), await echoing(), await echoing()]
      await a.dial(b.addresses(), never)
      await c.dial(b.addresses(), never)
      await world.until(() => expect(b.peers()).toHaveLength(2))
      expect([a.peers().length, c.peers().length]).toEqual([1, 1])
    })
  )
})

async function echo(stream: ByteStream): Promise<void> {
  for await (const piece of stream.source) await stream.write(piece)
}

function listen(network: TestNetwork): string[] {
  const seen: string[] = []
  network.onPeer(({ id }, event) => seen.push(`${event} ${id}`))
  return seen
}

/** The echo of a text; `hold` leaves the stream open. */
async function ask(from: TestNetwork, peerId: string, text: string, hold = false): Promise<string> {
  const stream = await from.open(peerId, ECHO, never)
  await stream.write(Buffer.from(text))
  if (!hold) {
    await stream.end()
    return (await readAll(stream)).toString()
  }
  const { value } = await stream.source[Symbol.asyncIterator]().next()
  return Buffer.from(value ?? []).toString()
}

async function readAll({ source }: ByteStream): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  for await (const piece of source) pieces.push(piece)
  return Buffer.concat(pieces)
}

/** Writes pieces that differ, hashes them and ends. */
async function writePieces(
  stream: ByteStream,
  count: number,
  hash: ReturnType<typeof createHash>,
  onWritten = (_bytes: number) => {}
): Promise<void> {
  for (let at = 0; at < count; at++) {
    const piece = new Uint8Array(PIECE_BYTES).fill(at)
    hash.update(piece)
    await stream.write(piece)
    onWritten(piece.byteLength)
  }
  await stream.end()
}
