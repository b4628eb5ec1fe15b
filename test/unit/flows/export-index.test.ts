import { expect, test } from 'vitest'
import type { Md5 } from '../../../protocols/hash.ts'
import { parseHash } from '../../../protocols/hash.ts'
import { parsePath } from '../../../protocols/path.ts'
import { indexText } from '../../../src/flows/export-index.ts'
import { md5, sha256 } from '../../support/digests.ts'
import { openMemoryNode } from '../../support/memory-node.ts'

test('an image from a time that no calendar has is written like any other', async () => {
  const { flows, close } = await openMemoryNode()
  const bytes = Buffer.from('x')
  await flows.index.change((tx) =>
    tx.putImage({
      path: parsePath('a.png'),
      hash: parseHash(sha256(bytes)),
      md5: md5(bytes) as Md5,
      bytes: 1,
      mediaType: 'image/png',
      createdMs: Number.MAX_SAFE_INTEGER
    })
  )
  const text = (await Array.fromAsync(indexText(flows, new AbortController().signal))).join('')
  expect(JSON.parse(text).files['a.png'].created_at).toBe('+275760-09-13T00:00:00.000Z')
  await close()
})
