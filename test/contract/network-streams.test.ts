import { createHash } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ByteStream } from '../../protocols/byte-stream.ts'
import {
  ask,
  ECHO,
  echo,
  never,
  PIECE_BYTES,
  readAll,
  startConnected,
  startEchoing,
  TAKE,
  writePieces
} from '../support/network-talks.ts'
import { NETWORK_WORLDS, type NetworkWorld } from '../support/network-worlds.ts'

describe.each(Object.entries(NETWORK_WORLDS))('streams of a network over %s', (_, makeWorld) => {
  let world: NetworkWorld
  const run = (work: () => Promise<void>) => () => world.run(work)
  const echoing = (cluster?: string, streamsMax?: number) =>
    startEchoing(world, cluster, streamsMax)
  const connected = () => startConnected(world)

  beforeEach(() => {
    world = makeWorld()
  })

  afterEach(() => world.stop())

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
    'carries 5 MB there and back past a slow reader, in order',
    run(async () => {
      const [a, b] = await connected()
      const stream = await a.open(b.id, ECHO, never)
      const sent = createHash('sha256')
      const writing = writePieces(stream, 80, sent)
      const got = createHash('sha256')
      let pieces = 0
      for await (const piece of stream.source) {
        got.update(piece)
        if (++pieces % 16 === 0) await world.pause()
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
})
