// As golden.test.ts, of blobs that are packed.

import { expect, test } from 'vitest'
import { BlobsClient } from '../../../protocols/blobs/request.ts'
import { blobsProtocol } from '../../../protocols/blobs/serve.ts'
import { MemoryBlobSource } from '../../support/memory-blob-source.ts'
import { never, servePair } from '../../support/serve-pair.ts'

test('blobs: fetch, packed', async () => {
  const soft = Buffer.alloc(65_538, 'ab')
  // how tightly a block is packed may change, and what was packed is read all the same
  const block = Buffer.from('28b52ffd6000ff5500001061620100fbff748705', 'hex')
  const pack = async (_: Uint8Array, isFirst: boolean) => (isFirst ? block : undefined)
  const source = Object.assign(new MemoryBlobSource(), { packer: { mayPay: () => true, pack } })
  const served = servePair(blobsProtocol, source)
  const client = new BlobsClient(served.stream, { packings: 1 })
  let same = false
  await client.fetch(
    [{ hash: source.add(soft), offset: 0 }],
    async ({ whole }) => {
      same = Buffer.compare(await whole(), soft) === 0
    },
    never
  )
  expect(same).toBe(true)
  expect({
    asked: served.stream.sent().toString('hex'),
    answered: served.server.sent().toString('hex')
  }).toMatchInlineSnapshot(`
    {
      "answered": "0808011882800440011428b52ffd6000ff5500001061620100fbff748705026162",
      "asked": "280a260a220a20cb9f8435220dafca513ea33425b7abe15a50fb4715cfc7f612e33a8fa6aecb971001",
    }
  `)
})
