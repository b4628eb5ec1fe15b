import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { ContentHash, Md5 } from '../../protocols/hash.ts'
import { planImageResponse } from '../../src/http/plan-image-response.ts'
import { planRanges, RANGES_MAX } from '../../src/http/ranges.ts'
import { splitMultipart } from '../support/multipart.ts'

const position = fc.oneof(fc.nat(40), fc.bigInt({ min: 0n, max: 2n ** 70n }))
const range = fc.oneof(
  fc.tuple(position, position).map(([start, end]) => `${start}-${end}`),
  position.map((start) => `${start}-`),
  position.map((length) => `-${length}`)
)
const anyHeader = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.array(range, { maxLength: 20 }).map((all) => `bytes=${all.join(',')}`)
  },
  fc.string(),
  fc.string().map((text) => `bytes=${text}`),
  fc.string({ unit: fc.constantFrom(...'bytes=0123456789-, \t') })
)
const blob = fc.uint8Array({ maxLength: 64 })

test('any Range header: in bounds, no overlap, not more than is there', () => {
  fc.assert(
    fc.property(anyHeader, fc.nat(60), (header, bytes) => {
      const plan = planRanges(header, bytes)
      if (typeof plan === 'string') return
      expect(plan.length).toBeLessThanOrEqual(RANGES_MAX)
      const sorted = plan.toSorted((a, b) => a.start - b.start)
      let past = -1
      for (const { start, end } of sorted) {
        expect(start).toBeGreaterThan(past)
        expect(end).toBeGreaterThan(start)
        past = end
      }
      expect(past).toBeLessThanOrEqual(bytes)
    })
  )
})

test('any Range header: the body is what its headers say, sliced from the image', () => {
  fc.assert(
    fc.property(anyHeader, blob, (header, bytes) => {
      const { status, headers, body } = respond(header, bytes)
      if (status === 416) return
      expect(Number(headers.get('Content-Length'))).toBe(body.byteLength)
      if (status === 200) {
        expect(body).toEqual(Buffer.from(bytes))
        return
      }
      const type = headers.get('Content-Type') ?? ''
      const single = { headers: `Content-Range: ${headers.get('Content-Range')}`, body }
      const parts = type.startsWith('multipart/') ? splitMultipart(type, body) : [single]
      expect(parts.length).toBeGreaterThan(type.startsWith('multipart/') ? 1 : 0)
      for (const part of parts) {
        const found = /Content-Range: bytes (\d+)-(\d+)\/(\d+)/.exec(part.headers)
        const [first, last, size] = (found ?? []).slice(1).map(Number)
        expect(size).toBe(bytes.byteLength)
        expect(part.body).toEqual(Buffer.from(bytes.slice(first, (last ?? 0) + 1)))
      }
    })
  )
})

test('a single range is answered with exactly its bytes', () => {
  fc.assert(
    fc.property(blob, fc.nat(70), fc.nat(70), (bytes, start, length) => {
      const { status, body } = respond(`bytes=${start}-${start + length}`, bytes)
      const slice = Buffer.from(bytes.slice(start, start + length + 1))
      if (bytes.byteLength === 0) expect(status).toBe(200)
      else if (start >= bytes.byteLength) expect(status).toBe(416)
      else expect({ status, body }).toEqual({ status: 206, body: slice })
    })
  )
})

function respond(range: string, bytes: Uint8Array) {
  const plan = planImageResponse(
    { method: 'GET', url: '/images/a.png', headers: { range } },
    {
      hash: 'ab'.repeat(32) as ContentHash,
      md5: 'cd'.repeat(16) as Md5,
      bytes: bytes.byteLength,
      mediaType: 'image/png',
      modifiedMs: 0,
      fileName: 'a.png',
      cacheControl: 'no-cache',
      recognized: true
    }
  )
  if (plan.send === 'error') return { status: 416, headers: new Map(), body: Buffer.alloc(0) }
  const headers = new Map<string, string>()
  for (let at = 0; at < plan.headers.length; at += 2) {
    headers.set(plan.headers[at] ?? '', plan.headers[at + 1] ?? '')
  }
  const pieces = plan.send === 'pieces' ? plan.pieces : []
  const body = Buffer.concat(
    pieces.map((piece) => ('start' in piece ? bytes.slice(piece.start, piece.end) : piece))
  )
  return { status: plan.status, headers, body }
}
