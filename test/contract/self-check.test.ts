import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { decodeEntry } from '../../protocols/entry.ts'
import type { ContentHash } from '../../protocols/hash.ts'
import { type ImagePath, parsePath } from '../../protocols/path.ts'
import { ROOT_KEY, type TreeNode } from '../../protocols/time-tree-shape.ts'
import { pagesOf, type Scan } from '../../src/index/check-scan.ts'
import type { ImageIndex } from '../../src/index/image-index.ts'
import { decodePast } from '../../src/index/past.ts'
import type { BlobRow, Counts, ReviewRow } from '../../src/index/rows.ts'
import { keys, MS_LENGTH, openTables, type TableName, type Tables } from '../../src/index/tables.ts'
import { auditIndex } from '../support/audit-index.ts'
import { check, fill, hashOf, kindsOf, putImage } from '../support/filled-index.ts'
import { openLevelIndex, openMemoryIndex, type TestIndex } from '../support/open-index.ts'

/** Which tables are worked out from others, so that each of their rows can be made anew. */
const DERIVED = ['version', 'tree', 'id', 'hash', 'source', 'md5', 'want', 'age'] as const

for (const [name, open] of [
  ['memory-level', openMemoryIndex],
  ['level', openLevelIndex]
] as const) {
  describe(`the self-check over ${name}`, () => {
    let test_: TestIndex
    let index: ImageIndex
    let tables: Tables
    beforeEach(async () => {
      test_ = await open()
      index = test_.index
      tables = await openTables(test_.database)
      await fill(test_)
    })
    afterEach(() => test_.close())

    const keysOf = (table: TableName) => tables[table].keys({}).all()

    test('finds nothing where nothing is wrong, and changes nothing', async () => {
      const before = await test_.database.iterator({}).all()
      expect(await check(index)).toEqual([])
      expect(await test_.database.iterator({}).all()).toEqual(before)
      expect(index.selfCheck.faults()).toBeUndefined()
    })

    test.each(DERIVED)('makes rows of table %s anew, some of them or all', async (table) => {
      const rows = await keysOf(table)
      await tables[table].del(rows[Math.floor(rows.length / 2)] as string)
      expect(await auditIndex(test_.database)).not.toEqual([])
      expect(await check(index)).not.toEqual([])
      expect(await auditIndex(test_.database)).toEqual([])
      await tables[table].clear()
      expect(await check(index)).not.toEqual([])
      expect(await auditIndex(test_.database)).toEqual([])
      expect(await check(index)).toEqual([])
    })

    test('takes away look-ups of what is not there', async () => {
      const stray = (key: string, path: string) => key.slice(0, -'2.png'.length) + path
      const ofTwo = (table: 'id' | 'hash' | 'source') =>
        keysOf(table).then((keys) => keys.find((key) => key.endsWith('2.png')) as string)
      for (const table of ['id', 'hash', 'source'] as const) {
        await tables[table].put(stray(await ofTwo(table), 'none.png'), '')
        await tables[table].put(stray(await ofTwo(table), '3.png'), '')
      }
      await tables.version.put(`${'0'.repeat(15)}1${'0'.repeat(32)}`, '1/none.png')
      await tables.version.put(`${'0'.repeat(15)}1${'1'.repeat(32)}`, '1/2.png')
      await tables.want.put(`${'0'.repeat(15)}1${hashOf('content 0')}`, '')
      expect(await check(index)).toHaveLength(9)
      expect(await auditIndex(test_.database)).toEqual([])
    })

    test('mends any sum, of whatever level, and also those of nothing', async () => {
      for (const key of await keysOf('tree')) {
        const node = (await tables.tree.get(key)) as TreeNode
        await tables.tree.put(key, { ...node, live: node.live + 3, deadSum: 7n })
      }
      await tables.tree.put('3ffffffff', { live: -1, dead: 2, liveSum: 5n, deadSum: 0n })
      const faults = await check(index)
      expect(kindsOf(faults)).toEqual(['sum'])
      expect(await auditIndex(test_.database)).toEqual([])
    })

    test('counts anew what names a blob, by the entries where look-ups are gone too', async () => {
      const [first, second, third] = (await keysOf('blob')) as ContentHash[]
      const change = async (hash: ContentHash | undefined, row: Partial<BlobRow>) => {
        const before = (await tables.blob.get(hash as string)) as BlobRow
        await tables.blob.put(hash as string, { ...before, ...row })
      }
      await change(first, { live: 9 })
      await change(second, { live: 0, past: 3 })
      await change(third, { live: 5 })
      await tables.blob.del(hashOf('content 5'))
      await tables.blob.del(hashOf('content 6'))
      await tables.hash.clear({ gte: first as string, lt: second as string })
      expect(kindsOf(await check(index))).toEqual(['blob', 'count', 'look_up'])
      expect(await auditIndex(test_.database)).toEqual([])
    })

    test('lets no bytes go that nothing names any more only because the index was damaged', async () => {
      const held = hashOf('content 6')
      await tables.entry.del('1/6.png')
      await tables.entry.del('1/206.png')
      await check(index)
      expect(index.blob(held)).toMatchObject({ state: 'held', live: 0, past: 0 })
      expect(index.intent('blob', held)).toBeUndefined()
    })

    test('lets what waits for a person wait, and what no person will see grow old from now', async () => {
      const ages = await keysOf('age')
      const [inReview] = (await tables.review.values({}).all()) as ReviewRow[]
      const past = await tables.past.get(inReview?.past as string)
      const { sinceMs } = decodePast(past as Uint8Array)
      await tables.age.put(keys.age(sinceMs, inReview?.past as string), '')
      expect(kindsOf(await check(index))).toEqual(['look_up'])
      expect(await keysOf('age')).toEqual(ages)
      test_.clock.advance(1_000_000)
      await tables.review.clear()
      await tables.age.clear()
      await check(index)
      expect(await auditIndex(test_.database)).toEqual([])
      for await (const _ of index.pastBefore(test_.clock.now())) expect.unreachable()
      expect(await keysOf('age')).toHaveLength(ages.length + 2)
    })

    test('forgets what waits for a person if it is there no more', async () => {
      const { past } = (await tables.review.get('8.png')) as ReviewRow
      await tables.past.del(past)
      await check(index)
      expect(index.reviewedAt(parsePath('8.png'))).toBeUndefined()
      expect(index.counts().reviewImages).toBe(1)
      expect(await auditIndex(test_.database)).toEqual([])
    })

    test('mends the counts of images and bytes', async () => {
      const counts = (await tables.meta.get('counts')) as Counts
      await tables.meta.put('counts', { ...counts, images: 1, wantBytes: -5, trashBlobs: 7 })
      expect(kindsOf(await check(index))).toEqual(['count'])
      expect(index.counts()).toEqual(counts)
    })

    test('leaves an entry that can not be read as it is, and its sums, and says so', async () => {
      const root = index.root()
      await tables.entry.put('1/8.png', Buffer.from('no entry'))
      expect(kindsOf(await check(index))).toContain('damaged')
      expect(index.root()).toEqual(root)
      expect(await tables.entry.get('1/8.png')).toEqual(Buffer.from('no entry'))
      expect(index.selfCheck.faults()).toMatchObject({ damaged: 1 })
    })

    test('an entry that can not be read is in the way of no other', async () => {
      const count = async (items: AsyncIterable<unknown>) => {
        let found = 0
        for await (const _ of items) found++
        return found
      }
      const listed = await count(index.list())
      const all = await count(index.listByVersion({}))
      const records = await count(index.records('member/'))
      const past = await count(index.pastBefore(Number.MAX_SAFE_INTEGER))
      await tables.entry.put('1/12.png', Buffer.from('?'))
      await tables.entry.put('2/member/11', Buffer.from('?'))
      const [aged] = (await keysOf('age')) as [string]
      await tables.past.put(aged.slice(MS_LENGTH), Buffer.from('?'))
      expect(await count(index.list())).toBe(listed - 1)
      expect(await count(index.listByVersion({}))).toBe(all)
      expect(await count(index.records('member/'))).toBe(records - 1)
      expect(await count(index.pastBefore(Number.MAX_SAFE_INTEGER))).toBe(past - 1)
      expect(await count(index.beyond(1).range(ROOT_KEY))).toBeGreaterThan(listed)
    })

    test('does not make its own what a disk has made of an entry', async () => {
      const root = index.root()
      const raw = Buffer.from((await tables.entry.get('1/12.png')) as Uint8Array)
      raw[raw.indexOf('image/png')] = 'j'.charCodeAt(0)
      await tables.entry.put('1/12.png', raw)
      expect(kindsOf(await check(index))).toEqual(['damaged'])
      expect(await check(index)).toHaveLength(1)
      expect(index.root()).toEqual(root)
      expect(index.selfCheck.faults()).toMatchObject({ mended: 0, damaged: 1 })
    })

    test('makes right what the disk has made of an entry in the order of versions', async () => {
      const raw = Buffer.from((await tables.entry.get('1/12.png')) as Uint8Array)
      const { version } = decodeEntry(raw)
      const row = keys.version(version, '1/12.png')
      raw[raw.indexOf('image/png')] = 'j'.charCodeAt(0)
      for (const bytes of [raw, Buffer.from('?')]) {
        await tables.version.put(row, bytes)
        expect(kindsOf(await check(index))).toEqual(['look_up'])
        expect(await auditIndex(test_.database)).toEqual([])
      }
    })

    test('is right while entries are written, and mends by what they add', async () => {
      for (const key of (await keysOf('tree')).slice(0, 40)) {
        const node = (await tables.tree.get(key)) as TreeNode
        await tables.tree.put(key, { ...node, live: node.live + 1 })
      }
      const damaged = (await keysOf('tree')).slice(0, 40)
      let running = true
      const write = async () => {
        for (let n = 0; running; n++) {
          test_.clock.advance(n % 50 === 0 ? 70_000 : 10)
          await index.change((tx) => {
            putImage(tx, `${n % 400}.png`, `content ${n}`)
            if (n % 5 === 0) tx.deleteImage(parsePath(`${(n * 7) % 400}.png`))
          })
        }
      }
      const writing = write()
      try {
        const subjects = (await check(index)).map(({ subject }) => subject.slice(5, 14))
        expect(subjects.sort()).toEqual(damaged.sort())
        expect(await check(index)).toEqual([])
      } finally {
        running = false
        await writing
      }
      expect(await auditIndex(test_.database)).toEqual([])
    })

    test('broken off anywhere, goes on there and still finds all', async () => {
      for (const table of DERIVED) await tables[table].clear()
      await tables.meta.del('counts')
      let attempts = 0
      for (let ended = false; !ended; ) {
        const abort = new AbortController()
        // each attempt comes a little further than the longest slice
        let left = 10
        attempts++
        const breathe = async () => {
          if (--left === 0) abort.abort(new Error('stopped'))
        }
        ended = await index.selfCheck
          .goOn({ signal: abort.signal, breathe, onFaults: () => {} })
          .then(() => true)
          .catch((error: Error) => {
            expect(error.message).toBe('stopped')
            expect(index.selfCheck.position().check).toBeDefined()
            return false
          })
      }
      expect(attempts).toBeGreaterThan(2)
      expect(index.selfCheck.position()).toEqual({ from: '', endedAtMs: test_.clock.now() })
      expect(await auditIndex(test_.database)).toEqual([])
    })
  })
}

test('whatever derived rows are changed or lost, one round makes all of them right', {
  timeout: 60_000
}, async () => {
  const harm = fc.record({
    table: fc.constantFrom(...DERIVED, 'blob' as const),
    at: fc.nat(10_000),
    do: fc.constantFrom('lose', 'copy', 'move'),
    many: fc.nat(20)
  })
  await fc.assert(
    fc.asyncProperty(
      fc.array(harm, { minLength: 1, maxLength: 6 }),
      fc.boolean(),
      async (harms, isHurried) => {
        const opened = await openMemoryIndex()
        await fill(opened)
        const tables = await openTables(opened.database)
        for (const { table, at, do: deed, many } of harms) {
          const rows = await tables[table].iterator({}).all()
          for (const [key, value] of rows.slice(at % rows.length, (at % rows.length) + many)) {
            const other = rows[(at * 7) % rows.length]?.[1]
            // a look-up has no value: a copy of it leads to a path that nobody has
            if (deed !== 'copy') await tables[table].del(key)
            if (deed === 'move' && ['version', 'id', 'hash', 'source'].includes(table))
              await tables[table].put(`${key.slice(0, -1)}${key.endsWith('0') ? 1 : 0}`, value)
            if (deed !== 'copy') continue
            if (['tree', 'version'].includes(table)) await tables[table].put(key, other)
            else if (['id', 'hash', 'source', 'age'].includes(table))
              await tables[table].put(`${key}~`, value)
          }
        }
        const { selfCheck } = opened.index
        const { signal } = new AbortController()
        if (isHurried) await check(opened.index)
        else await selfCheck.goOn({ signal, breathe: async () => {}, onFaults: () => {} })
        expect(await auditIndex(opened.database)).toEqual([])
        await opened.close()
      }
    ),
    { numRuns: 40 }
  )
})

test('a slice ends with the leaf it is in, and the next begins there', async () => {
  const { index, close } = await openMemoryIndex()
  for (let n = 0; n < 20; n++) {
    await index.change((tx) => {
      for (let m = 0; m < 256; m++) putImage(tx, `${n}/${m}.png` as ImagePath, 'x')
    })
  }
  expect(await check(index)).toEqual([])
  await close()
})

test('a scan that is left early leaves no iterator open', async () => {
  const { database, close } = await openMemoryIndex()
  const tables = await openTables(database)
  await tables.id.put('a', '')
  const snapshot = database.snapshot()
  const scan: Scan = { tables, snapshot, right: new Set(), breathe: async () => {} }
  for await (const _ of pagesOf(scan, 'id', { gte: '' })) break
  await snapshot.close() // would wait for it
  await close()
})
