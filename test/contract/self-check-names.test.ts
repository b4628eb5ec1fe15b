// What the self-check does where a blob does not lead to its paths.

import { expect, test } from 'vitest'
import type { ContentHash } from '../../protocols/hash.ts'
import type { BlobRow } from '../../src/index/rows.ts'
import { openTables } from '../../src/index/tables.ts'
import { auditIndex } from '../support/audit-index.ts'
import { check, fill, hashOf, kindsOf } from '../support/filled-index.ts'
import { openLevelIndex, openMemoryIndex } from '../support/open-index.ts'

for (const [name, open] of [
  ['memory-level', openMemoryIndex],
  ['level', openLevelIndex]
] as const) {
  test(`finds the paths of a blob again, wherever they were, over ${name}`, async () => {
    const test_ = await open()
    const { index, database } = test_
    const tables = await openTables(database)
    await fill(test_)
    const [one, shared] = [hashOf('content 150'), hashOf('content 2')]
    const change = async (hash: ContentHash, row: Partial<BlobRow>) => {
      const before = (await tables.blob.get(hash)) as BlobRow
      await tables.blob.put(hash, { ...before, ...row })
    }
    const paths = async () => [await index.pathsOf(one, 9), await index.pathsOf(shared, 9)]
    const before = await paths()
    expect(before).toEqual([['150.png'], ['2.png', '202.png']])
    await change(one, { path: undefined })
    await change(shared, { path: '202.png' })
    expect(await auditIndex(database)).not.toEqual([])
    expect(kindsOf(await check(index))).toEqual(['look_up'])
    expect(await auditIndex(database)).toEqual([])
    expect(await paths()).toEqual(before)
    await change(one, { path: '3.png' })
    await change(shared, { path: 'none.png' })
    expect(kindsOf(await check(index))).toEqual(['look_up'])
    expect(await auditIndex(database)).toEqual([])
    expect(await paths()).toEqual(before)
    await test_.close()
  })
}
