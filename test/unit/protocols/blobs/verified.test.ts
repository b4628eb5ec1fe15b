import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { verified } from '../../../../protocols/blobs/verified.ts'
import { parseHash } from '../../../../protocols/hash.ts'
import { sha256 } from '../../../support/digests.ts'

const bytes = Uint8Array.from({ length: 1000 }, (_, at) => at)
const hash = parseHash(sha256(bytes))

async function* pieces(of: Uint8Array, size = 300): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < of.byteLength; at += size) yield of.subarray(at, at + size)
}

/** What came out, and how it ended. */
async function read(body: AsyncIterable<Uint8Array>) {
  const got: Uint8Array[] = []
  try {
    for await (const piece of body) got.push(piece)
    return { got: Buffer.concat(got) }
  } catch (error) {
    return { got: Buffer.concat(got), error }
  }
}

describe('verified', () => {
  test.each([1, 300, 999, 1000, 5000])('lets right bytes through in pieces of %i', async (size) => {
    expect(await read(verified(pieces(bytes, size), hash, 1000))).toEqual({
      got: Buffer.from(bytes)
    })
  })

  test('knows the empty blob', async () => {
    const empty = parseHash(sha256(new Uint8Array(0)))
    expect(await read(verified(pieces(new Uint8Array(0)), empty, 0))).toEqual({
      got: Buffer.alloc(0)
    })
    const other = await read(verified(pieces(new Uint8Array(0)), hash, 0))
    expect(other.error).toMatchObject({ fault: 'BAD_HASH' })
  })

  test.each([0, 500, 999])('holds the end back when byte %i is wrong', async (at) => {
    const wrong = Uint8Array.from(bytes)
    wrong[at] = (wrong[at] as number) ^ 1
    const { got, error } = await read(verified(pieces(wrong), hash, 1000))
    expect(error).toMatchObject({ fault: 'BAD_HASH' })
    expect(got.byteLength).toBe(900)
  })

  test('says what is too short and too long', async () => {
    const short = await read(verified(pieces(bytes.subarray(0, 999)), hash, 1000))
    expect(short.error).toMatchObject({ fault: 'TRUNCATED' })
    const long = await read(verified(pieces(Buffer.concat([bytes, bytes])), hash, 1000))
    expect(long.error).toMatchObject({ fault: 'TOO_LARGE' })
    expect(long.got.byteLength).toBeLessThan(1000)
  })

  test('goes on with a digest that has the first bytes', async () => {
    const digest = createHash('sha256').update(bytes.subarray(0, 400))
    const rest = bytes.subarray(400)
    expect(await read(verified(pieces(rest), hash, 600, digest))).toEqual({
      got: Buffer.from(rest)
    })
  })

  test('leaves the body when it is left', async () => {
    let left = false
    async function* body() {
      try {
        yield* pieces(bytes, 10)
      } finally {
        left = true
      }
    }
    for await (const _ of verified(body(), hash, 1000)) break
    expect(left).toBe(true)
  })
})
