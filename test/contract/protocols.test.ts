// What every protocol keeps to, whatever happens to its stream and whoever is at the other end.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { StatusError } from '../../protocols/status.ts'
import { WireError } from '../../protocols/wire-error.ts'
import { type Talk, talks } from '../support/protocol-talks.ts'
import { seededRandom } from '../support/seeded-random.ts'
import {
  BrokenStream,
  type PairOptions,
  type StreamEnd,
  streamPair
} from '../support/stream-pair.ts'

interface Outcome {
  readonly value?: unknown
  readonly error?: unknown
}

/** One side of a talk. Breaks the stream if it fails, as a network does. */
async function side(stream: StreamEnd, work: Promise<unknown>): Promise<Outcome> {
  try {
    return { value: await work }
  } catch (error) {
    stream.abort(error as Error)
    return { error }
  }
}

async function hold(talk: Talk, options: PairOptions = {}) {
  const { left, right } = streamPair(options)
  const [asked, served] = await Promise.all([
    side(left, talk.ask(left)),
    side(right, talk.serve(right))
  ])
  return { asked, served, left, right }
}

/** A side that says `bytes`, hears the other one out, and ends. */
async function babble(stream: StreamEnd, bytes: Uint8Array) {
  const listen = async () => {
    for await (const _ of stream.source);
  }
  const speak = async () => {
    await stream.write(bytes)
    await stream.end()
  }
  await Promise.allSettled([listen(), speak()])
}

/** Bytes that were right until some of them were changed, or that never were. */
function garbage(right: Uint8Array) {
  const spoilt = fc
    .array(fc.tuple(fc.nat(right.byteLength - 1), fc.nat(255)), { minLength: 1, maxLength: 5 })
    .map((changes) => {
      const bytes = Uint8Array.from(right)
      for (const [at, byte] of changes) bytes[at] = byte
      return bytes
    })
  return fc.oneof(fc.uint8Array({ maxLength: 300 }), spoilt)
}

describe.each(talks)('$name', (talk) => {
  test('says the same over pieces of any size and the smallest of buffers', async () => {
    const plain = await hold(talk)
    expect(plain.asked.error).toBeUndefined()
    expect(plain.served.error).toBeUndefined()
    for (let seed = 1; seed <= 20; seed++) {
      const torn = await hold(talk, { random: seededRandom(seed), bufferBytes: seed })
      expect(torn.asked).toEqual(plain.asked)
      expect(torn.left.sent()).toEqual(plain.left.sent())
      expect(torn.right.sent()).toEqual(plain.right.sent())
    }
  })

  test.each([
    ['left', 'break'],
    ['left', 'end'],
    ['right', 'break'],
    ['right', 'end']
  ] as const)('fails if the bytes of the %s %s anywhere', async (from, how) => {
    const plain = await hold(talk)
    const bytes = (from === 'left' ? plain.left : plain.right).sent().byteLength
    for (let afterBytes = 0; afterBytes < bytes; afterBytes++) {
      const { asked, served } = await hold(talk, { fault: { afterBytes, from, how } })
      for (const error of [asked.error, served.error]) {
        if (error !== undefined && !(error instanceof BrokenStream)) {
          expect(error).toMatchObject({ fault: 'TRUNCATED' })
        }
      }
      expect(asked.error).toBeDefined()
    }
  })

  test('answers or refuses garbage, and throws nothing but WireError', async () => {
    const plain = await hold(talk)
    await fc.assert(
      fc.asyncProperty(garbage(plain.left.sent()), async (bytes) => {
        const { left, right } = streamPair()
        const [served] = await Promise.all([side(right, talk.serve(right)), babble(left, bytes)])
        if (served.error !== undefined) expect(served.error).toBeInstanceOf(WireError)
      }),
      { numRuns: 300 }
    )
  })

  test('takes no garbage for an answer, and throws nothing but WireError and StatusError', async () => {
    const plain = await hold(talk)
    await fc.assert(
      fc.asyncProperty(garbage(plain.right.sent()), async (bytes) => {
        const { left, right } = streamPair()
        const [asked] = await Promise.all([side(left, talk.ask(left)), babble(right, bytes)])
        const { error } = asked
        if (error !== undefined && !(error instanceof StatusError)) {
          expect(error).toBeInstanceOf(WireError)
        }
      }),
      { numRuns: 300 }
    )
  })

  test.each([0x00, 0x01, 0x7f, 0xff])('ends when the other side says %i for ever', async (byte) => {
    const endless = async (stream: StreamEnd) => {
      try {
        for (;;) await stream.write(new Uint8Array(1000).fill(byte))
      } catch (error) {
        expect(error).toBeInstanceOf(BrokenStream)
      }
    }
    const { left, right } = streamPair()
    const [{ error }] = await Promise.all([side(left, talk.ask(left)), endless(right)])
    expect(error).toBeInstanceOf(WireError)
  })
})
