import { expect, test } from 'vitest'
import { SpareBuffers } from '../../../src/base/spare-buffers.ts'

const KIB = 1024
const spare = () => new SpareBuffers({ bytesMax: 64 * KIB, keptBytesMax: 100 * KIB })

test('a buffer that was given back is used again for as many bytes', () => {
  const buffers = spare()
  const first = buffers.take(20_000)
  expect(first.byteLength).toBe(32 * KIB)
  buffers.give(first)
  expect(buffers.take(40_000)).not.toBe(first)
  expect(buffers.take(17_000)).toBe(first)
  expect(buffers.take(17_000)).not.toBe(first)
})

test('no more is kept than is allowed, and no large one', () => {
  const buffers = spare()
  const made = [1, 2, 3, 4].map(() => buffers.take(32 * KIB))
  for (const buffer of made) buffers.give(buffer)
  const again = made.map(() => buffers.take(32 * KIB))
  expect(again.filter((buffer) => made.includes(buffer))).toHaveLength(3)
  const large = buffers.take(65 * KIB)
  buffers.give(large)
  expect(buffers.take(65 * KIB)).not.toBe(large)
})

test('an empty file needs a buffer, too', () => {
  expect(spare().take(0).byteLength).toBeGreaterThan(0)
})
