// A version that ceased to be current, came back from another node, and ceased to be again.

import { expect, test } from 'vitest'
import { parsePath } from '../../../protocols/path.ts'
import { bucketOf } from '../../../protocols/time-tree-shape.ts'
import { auditIndex } from '../../support/audit-index.ts'
import { imageEntry } from '../../support/memory-entries.ts'
import { openMemoryIndex } from '../../support/open-index.ts'

const PATH = parsePath('a.jpg')

test('is one past version, that ages from the last time', async () => {
  const { index, database, clock, close } = await openMemoryIndex()
  const image = imageEntry(PATH, 1n << 40n)
  for (let round = 0; round < 3; round++) {
    await index.change((tx) => tx.merge(image, 'other'))
    const deleted = await index.change((tx) => tx.deleteImage(PATH))
    await index.change((tx) => tx.forgetTombstones(bucketOf(deleted?.version ?? 0n)))
    clock.advance(1000)
  }
  expect(await index.past(PATH, 10)).toMatchObject([{ sinceMs: clock.now() - 1000 }])
  expect(await auditIndex(database)).toEqual([])
  await close()
})
