import { describe, expect, test } from 'vitest'
import { FrameReader, frameOf } from '../../../protocols/frame.ts'

/** A source that counts how many of its pieces were asked for. */
function counted(pieces: readonly Uint8Array[]) {
  const seen = { asked: 0 }
  async function* source() {
    for (const piece of pieces) {
      seen.asked++
      yield piece
    }
  }
  return { seen, source: source() }
}

const bytes = (...values: number[]) => Uint8Array.from(values)

describe('FrameReader', () => {
  test('golden bytes of a frame', () => {
    expect(Buffer.from(frameOf(bytes(1, 2, 3))).toString('hex')).toBe('03010203')
    expect(Buffer.from(frameOf(new Uint8Array(300))).toString('hex', 0, 4)).toBe('ac020000')
  })

  test('refuses a frame that is too large before it reads the payload', async () => {
    const { seen, source } = counted([bytes(0xff, 0xff, 0xff, 0xff, 0x0f), new Uint8Array(1000)])
    await expect(new FrameReader(source).frame(100)).rejects.toMatchObject({ fault: 'TOO_LARGE' })
    expect(seen.asked).toBe(1)
  })

  test('takes a frame of exactly the limit, and none of a byte more', async () => {
    const payload = new Uint8Array(100)
    expect(await new FrameReader(counted([frameOf(payload)]).source).frame(100)).toEqual(payload)
    const one = new FrameReader(counted([frameOf(payload)]).source).frame(99)
    await expect(one).rejects.toMatchObject({ fault: 'TOO_LARGE' })
  })

  test.each([
    ['endless', bytes(0x80, 0x80, 0x80, 0x80, 0x80, 0x01)],
    ['longer than need be', bytes(0x81, 0x00)]
  ])('refuses a length that is %s', async (_, piece) => {
    const one = new FrameReader(counted([piece]).source).frame(100)
    await expect(one).rejects.toMatchObject({ fault: 'BAD_MESSAGE' })
  })

  test('asks for no piece before it needs it', async () => {
    const { seen, source } = counted([frameOf(bytes(1)), bytes(10, 11), bytes(12, 13)])
    const reader = new FrameReader(source)
    expect(seen.asked).toBe(0)
    await reader.frame(10)
    const body = reader.bytes(4)
    expect(seen.asked).toBe(1)
    expect((await body.next()).value).toEqual(bytes(10, 11))
    expect(seen.asked).toBe(2)
  })

  test('reads the rest of a body in one piece, as it came where that was one', async () => {
    const piece = bytes(1, 7, 8, 9)
    const { source } = counted([piece, bytes(10), bytes(11, 1, 12)])
    const reader = new FrameReader(source)
    await reader.frame(1)
    reader.bytes(2)
    const rest = await reader.rest()
    expect([rest, rest.buffer]).toEqual([bytes(8, 9), piece.buffer])
    const body = reader.bytes(3)
    await body.next()
    let pieces = 0
    expect(Buffer.from(await reader.rest(() => pieces++))).toEqual(Buffer.of(11, 1))
    expect([(await body.next()).done, pieces]).toEqual([true, 1])
    expect(await reader.rest()).toEqual(bytes())
    reader.bytes(3)
    await expect(reader.rest()).rejects.toMatchObject({ fault: 'TRUNCATED' })
  })

  test('hands bodies on without copying them', async () => {
    const piece = bytes(1, 7, 8, 9)
    const reader = new FrameReader(counted([piece]).source)
    await reader.frame(1)
    const { value } = await reader.bytes(2).next()
    expect(value).toEqual(bytes(8, 9))
    expect((value as Uint8Array).buffer).toBe(piece.buffer)
  })

  test('a reader of a skipped body gets nothing of what follows', async () => {
    const pieces = [frameOf(bytes(1)), bytes(10, 11), frameOf(bytes(2))]
    const reader = new FrameReader(counted(pieces).source)
    await reader.frame(10)
    const body = reader.bytes(2)
    const late = body.next() // not waited for
    expect(await reader.frame(10)).toEqual(bytes(2))
    expect((await late).value).toBeUndefined()
    expect((await body.next()).done).toBe(true)
  })

  test('what the source throws comes through', async () => {
    async function* source() {
      yield bytes(5, 1)
      throw new Error('lost')
    }
    await expect(new FrameReader(source()).frame(10)).rejects.toThrow('lost')
  })
})
