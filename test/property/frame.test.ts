import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { FrameReader, frameOf } from '../../protocols/frame.ts'
import { WireError } from '../../protocols/wire-error.ts'

/** Bytes in pieces that end at the given places. */
async function* cut(bytes: Uint8Array, cuts: readonly number[]): AsyncGenerator<Uint8Array> {
  const ends = [...cuts.map((at) => at % (bytes.byteLength + 1)), bytes.byteLength]
  let start = 0
  for (const end of ends.sort((a, b) => a - b)) {
    yield bytes.subarray(start, end)
    start = end
  }
}

/** Frames, and a body of `bodyBytes` after each, until the source ends. */
async function readAll(reader: FrameReader, bytesMax: number, bodyBytes = 0) {
  const frames: Uint8Array[] = []
  const bodies: Buffer[] = []
  for (;;) {
    const frame = await reader.frame(bytesMax)
    if (frame === undefined) return { frames, bodies }
    frames.push(frame)
    bodies.push(Buffer.concat(await Array.fromAsync(reader.bytes(bodyBytes))))
  }
}

const payloads = fc.array(
  fc.oneof(
    fc.uint8Array({ maxLength: 20 }),
    fc.constantFrom(0, 1, 127, 128, 16383, 16384).map((length) => new Uint8Array(length).fill(7))
  ),
  { maxLength: 6 }
)
const cuts = fc.array(fc.nat(), { maxLength: 30 })

describe('frames', () => {
  test('are the same however the bytes are split', async () => {
    await fc.assert(
      fc.asyncProperty(payloads, cuts, async (given, at) => {
        const { frames } = await readAll(
          new FrameReader(cut(Buffer.concat(given.map(frameOf)), at)),
          16384
        )
        expect(frames.map((one) => Buffer.from(one))).toEqual(given.map((one) => Buffer.from(one)))
      })
    )
  })

  test('and bodies are told apart, whether a body is read or skipped', async () => {
    const turn = fc.tuple(fc.uint8Array({ maxLength: 200 }), fc.integer({ min: 0, max: 3 }))
    await fc.assert(
      fc.asyncProperty(fc.array(turn, { maxLength: 6 }), cuts, async (turns, at) => {
        const wire = turns.flatMap(([body, readPieces]) => [
          frameOf(Buffer.from([readPieces, body.byteLength])),
          body
        ])
        const reader = new FrameReader(cut(Buffer.concat(wire), at))
        for (const [body, readPieces] of turns) {
          expect(await reader.frame(2)).toEqual(Uint8Array.of(readPieces, body.byteLength))
          const pieces = reader.bytes(body.byteLength)
          const read: Uint8Array[] = []
          for (let count = 0; count < readPieces; count++) {
            const { value } = await pieces.next()
            if (value !== undefined) read.push(value)
          }
          const got = Buffer.concat(read)
          expect(got).toEqual(Buffer.from(body.subarray(0, got.byteLength)))
        }
        expect(await reader.frame(2)).toBeUndefined()
      })
    )
  })

  test('random bytes give frames or WireError, and no frame above the limit', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 400 }),
        cuts,
        fc.nat(100),
        async (bytes, at, max) => {
          const read = readAll(new FrameReader(cut(bytes, at)), max, 3)
          const { frames } = await read.catch((error: unknown) => {
            expect(error).toBeInstanceOf(WireError)
            return { frames: [] }
          })
          for (const frame of frames) expect(frame.byteLength).toBeLessThanOrEqual(max)
        }
      ),
      { numRuns: 500 }
    )
  })

  test('cut short anywhere but between frames, are TRUNCATED', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 300 }),
        fc.nat(),
        cuts,
        async (payload, end, at) => {
          const whole = Buffer.concat([frameOf(payload), Buffer.alloc(5)])
          const bytes = whole.subarray(0, end % whole.byteLength)
          const read = readAll(new FrameReader(cut(bytes, at)), 300, 5)
          if (bytes.byteLength === 0) expect((await read).frames).toEqual([])
          else await expect(read).rejects.toMatchObject({ fault: 'TRUNCATED' })
        }
      )
    )
  })
})
