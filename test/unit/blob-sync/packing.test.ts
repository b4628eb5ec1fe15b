import { expect, test } from 'vitest'
import { unpackBlock } from '../../../protocols/blobs/packing.ts'
import { Packing } from '../../../src/blob-sync/packing.ts'
import { testBytes } from '../../support/data-folder.ts'

const traffic = { isRemote: (peerId: string) => peerId === 'far' }

test('only for servers that are to get packed blobs there is a packer', () => {
  const has = (compress: 'remote' | 'never') =>
    ['far', 'near'].map((id) => new Packing({ traffic }, compress).packerFor(id) !== undefined)
  expect([has('remote'), has('never')]).toEqual([
    [true, false],
    [false, false]
  ])
  expect(new Packing({ traffic }, 'never').unpacking.packings).toBe(0)
})

test('the first block tells whether it pays, and what was saved is counted', async () => {
  const packing = new Packing({ traffic }, 'remote')
  const packer = packing.packerFor('far')
  const soft = Buffer.alloc(60_000, 'abc')
  const hard = testBytes(1000).map((byte, n) => (n % 8 === 0 ? 0 : byte))
  const packed = await packer?.pack(soft, true)
  expect(Buffer.from(unpackBlock(packed ?? soft, 60_000))).toEqual(soft)
  const first = 60_000 - (packed?.byteLength ?? 0)
  expect(packing.saved).toEqual({ sent: first, received: 0 })
  expect(await packer?.pack(hard, true)).toBeUndefined()
  expect(packing.saved.sent).toBe(first)
  packing.unpacking.onSaved?.(7)
  expect(packing.saved.received).toBe(7)
})
