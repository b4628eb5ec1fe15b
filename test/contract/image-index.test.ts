import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { encodeEntry, KIND_IMAGE } from '../../protocols/entry.ts'
import type { ContentHash, Md5 } from '../../protocols/hash.ts'
import { parsePath } from '../../protocols/path.ts'
import { versionAt, versionMs } from '../../protocols/version.ts'
import type { ImageIndex } from '../../src/index/image-index.ts'
import type { BlobState } from '../../src/index/rows.ts'
import { imageIdOf, keys } from '../../src/index/tables.ts'
import type { ImageDraft } from '../../src/index/transaction.ts'
import { auditIndex } from '../support/audit-index.ts'
import { openLevelIndex, openMemoryIndex, type TestIndex } from '../support/open-index.ts'

function draft(path: string, content: string, more: Partial<ImageDraft> = {}): ImageDraft {
  return {
    path: parsePath(path),
    hash: createHash('sha256').update(content).digest('hex') as ContentHash,
    md5: createHash('md5').update(content).digest('hex') as Md5,
    bytes: content.length,
    mediaType: 'image/jpeg',
    createdMs: 1_600_000_000_000,
    ...more
  }
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}

const STAMP = { ino: 1, size: 1, mtimeMs: 1, ctimeMs: 1 }

for (const [name, open] of [
  ['memory-level', openMemoryIndex],
  ['level', openLevelIndex]
] as const) {
  describe(`image index over ${name}`, () => {
    let test_: TestIndex
    let index: ImageIndex
    beforeEach(async () => {
      test_ = await open()
      index = test_.index
    })
    afterEach(() => test_.close())

    const put = (d: ImageDraft) => index.change((tx) => tx.putImage(d))

    test('paths of all lengths and letters are found, each for itself', async () => {
      const paths = ['x', '\u00e9', '\u56fe', '\u{1f600}'].flatMap((letter) =>
        [1, 20, 60, 80, 85, 170, 250].flatMap((count) => {
          const folder = letter.repeat(count)
          return [folder, `${folder}.jpg`, `${folder}/${letter}`]
        })
      )
      for (const path of paths) await put(draft(path, path))
      for (const path of paths) {
        expect(index.image(parsePath(path))?.path).toBe(path)
        const seen = await index.change((tx) => tx.get(parsePath(path)))
        expect(seen?.path).toBe(path)
      }
      for (const path of paths) await index.change((tx) => tx.deleteImage(parsePath(path)))
      expect(index.counts()).toMatchObject({ images: 0, tombstones: paths.length })
      expect(await auditIndex(test_.database)).toEqual([])
    })

    test('an image that was put is found by path, hash, MD5, source, id and version', async () => {
      const d = draft('cats/tom.jpg', 'tom', { sourceUrl: 'http://example.org/tom', width: 3 })
      const { entry } = await put(d)
      expect(index.image(d.path)).toMatchObject({
        path: d.path,
        hash: d.hash,
        width: 3,
        writer: 'node-a'
      })
      expect(await index.pathsOf(d.hash, 9)).toEqual([d.path])
      expect(await index.hashesOf(d.md5, 9)).toEqual([d.hash])
      expect(await index.pathsFrom('http://example.org/tom', 9)).toEqual([d.path])
      expect(await index.pathsWithId(imageIdOf(d.path), 9)).toEqual([d.path])
      expect((await collect(index.listByVersion({}))).map((e) => e.path)).toEqual([d.path])
      expect(versionMs(entry.version)).toBe(test_.clock.now())
    })

    test('the same bytes under the same path make no entry', async () => {
      const first = await put(draft('a.jpg', 'x'))
      const second = await put(draft('a.jpg', 'x'))
      expect([first.changed, second.changed]).toEqual([true, false])
      expect(second.entry.version).toBe(first.entry.version)
    })

    test('versions rise although the clock stands still or goes back', async () => {
      const versions = [await put(draft('a.jpg', '1')), await put(draft('b.jpg', '2'))]
      test_.clock.jump(-3_600_000)
      versions.push(await put(draft('a.jpg', '3')), await put(draft('c.jpg', '4')))
      const values = versions.map(({ entry }) => entry.version)
      expect(values).toEqual([...values].sort((a, b) => (a < b ? -1 : 1)))
      expect(new Set(values).size).toBe(4)
      expect(versions[2]?.entry.replaces).toBe(values[0])
    })

    test('a version is never at or below the floor, also for a file with an old date', async () => {
      const floor = versionAt(test_.clock.now() + 10_000)
      await index.change((tx) => tx.setMeta('floor', floor.toString()))
      expect((await put(draft('a.jpg', '1'))).entry.version > floor).toBe(true)
      const found = await put(draft('b.jpg', '2', { versionMs: 1000 }))
      expect(found.entry.version > floor).toBe(true)
    })

    test('a found file keeps its date as version', async () => {
      await put(draft('new.jpg', 'n'))
      const { entry } = await put(draft('old.jpg', 'o', { versionMs: 1_500_000_000_000 }))
      expect(versionMs(entry.version)).toBe(1_500_000_000_000)
    })

    test('deleting leaves a tombstone and a past version; its blob is named by the past only', async () => {
      const d = draft('a.jpg', 'x')
      await put(d)
      await index.change((tx) => tx.deleteImage(d.path))
      expect(index.image(d.path)).toBeUndefined()
      expect(index.get(d.path)?.deleted).toBe(true)
      expect(await collect(index.list())).toEqual([])
      expect((await index.past(d.path, 9)).map(({ entry }) => entry.hash)).toEqual([d.hash])
      expect(index.blob(d.hash)).toMatchObject({ live: 0, past: 1 })
      expect(await index.change((tx) => tx.deleteImage(d.path))).toBeUndefined()
      expect(await auditIndex(test_.database)).toEqual([])
    })

    test('a change that throws leaves no trace, and those beside it are written', async () => {
      const results = await Promise.allSettled([
        put(draft('a.jpg', '1')),
        index.change((tx) => {
          tx.putImage(draft('b.jpg', '2'))
          throw new Error('no')
        }),
        put(draft('c.jpg', '3'))
      ])
      expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
      expect((await collect(index.list())).map(({ path }) => path)).toEqual(['a.jpg', 'c.jpg'])
      expect(await auditIndex(test_.database)).toEqual([])
    })

    test('changes of one batch see each other, also by hash', async () => {
      const [, found] = await Promise.all([
        put(draft('a.jpg', 'same')),
        index.change(async (tx) => tx.firstPathOf(draft('a.jpg', 'same').hash))
      ])
      expect(found).toBe('a.jpg')
    })

    test('a later change keeps an intent open that an earlier generation would close', async () => {
      await put(draft('a.jpg', '1'))
      const first = index.intent('view', 'a.jpg')
      await put(draft('a.jpg', '2'))
      const second = index.intent('view', 'a.jpg')
      expect(second?.generation).toBeGreaterThan(first?.generation as number)
      await index.change((tx) => tx.endIntent('view', 'a.jpg', first?.generation as number))
      expect(index.intent('view', 'a.jpg')).toEqual(second)
      await index.change((tx) => tx.endIntent('view', 'a.jpg', second?.generation as number))
      expect(index.intent('view', 'a.jpg')).toBeUndefined()
      const left = await collect(index.intents()) // the blob that nothing shows any more
      expect(left.map(({ step, subject }) => [step, subject])).toEqual([
        ['blob', draft('a.jpg', '1').hash]
      ])
    })

    test('wants are the blobs that live images lack', async () => {
      const d = draft('a.jpg', 'x')
      await put(d)
      expect(await collect(index.wants())).toEqual([d.hash])
      await index.change((tx) => tx.setBlob(d.hash, { state: 'held', stamp: STAMP }))
      expect(await collect(index.wants())).toEqual([])
      expect(index.counts()).toMatchObject({ images: 1, heldImages: 1, blobs: 1, wants: 0 })
      await index.change((tx) => tx.setBlob(d.hash, { state: 'damaged', reason: 'bits' }))
      expect(index.counts()).toMatchObject({ heldImages: 0, damagedImages: 1, wants: 1 })
      expect(index.blob(d.hash)).toMatchObject({ state: 'damaged', reason: 'bits' })
      expect(index.blob(d.hash)?.stamp).toBeUndefined()
      await index.change((tx) => tx.deleteImage(d.path))
      expect(await collect(index.wants())).toEqual([])
    })

    test('lists are paged by prefix and position, over more rows than a page', async () => {
      await index.change((tx) => {
        for (let n = 0; n < 700; n++)
          tx.putImage(draft(`p/${String(n).padStart(4, '0')}.jpg`, `${n}`))
        tx.putImage(draft('q/other.jpg', 'o'))
        tx.putImage(draft('p\u{1F600}.jpg', 'smile'))
      })
      expect(await collect(index.list({ prefix: 'p/' }))).toHaveLength(700)
      const after = await collect(index.list({ prefix: 'p/', after: 'p/0697.jpg' }))
      expect(after.map(({ path }) => path)).toEqual(['p/0698.jpg', 'p/0699.jpg'])
      expect(await collect(index.list({ after: 'p/0699.jpg' }))).toHaveLength(2)
      expect(await collect(index.listByVersion({}))).toHaveLength(702)
    })

    test('what is deleted is told of to who counts what it looks at', async () => {
      await put(draft('a.jpg', 'a'))
      await put(draft('b.jpg', 'b'))
      await index.change((tx) => tx.deleteImage(parsePath('a.jpg')))
      const paths = async (all: AsyncIterable<{ path: string }>) =>
        (await collect(all)).map(({ path }) => path)
      expect(await paths(index.list())).toEqual(['b.jpg'])
      expect(await paths(index.listAll())).toEqual(['a.jpg', 'b.jpg'])
      expect(await paths(index.listByVersion({}))).toEqual(['a.jpg', 'b.jpg'])
    })

    test('wants go on from any of them', async () => {
      for (const name of ['a', 'b', 'c']) await put(draft(`${name}.jpg`, name))
      const all = await collect(index.wants())
      const second = all[1] as ContentHash
      const from = keys.want(index.blob(second)?.want as string, second)
      expect(await collect(index.wants({ from }))).toEqual(all.slice(1))
    })

    test('lists hold the last path there can be, and end before what starts otherwise', async () => {
      const last = '\u{10FFFF}\u{10FFFF}.jpg'
      for (const path of ['a.jpg', 'b\uD7FF.jpg', 'b\uE000.jpg', 'c.jpg', last]) {
        await put(draft(path, path))
      }
      const pathsIn = async (prefix: string) =>
        (await collect(index.list({ prefix }))).map(({ path }) => path)
      expect(await pathsIn('')).toHaveLength(5)
      expect(await pathsIn('\u{10FFFF}')).toEqual([last])
      expect(await pathsIn('b\uD7FF')).toEqual(['b\uD7FF.jpg'])
      expect(await pathsIn('b')).toHaveLength(2)
    })

    test('two writers who chose the same version of a path both have their past', async () => {
      const image = (writer: string) => {
        const fields = {
          ...draft('a', writer),
          kind: KIND_IMAGE,
          deleted: false,
          replaces: undefined
        }
        return encodeEntry({ ...fields, version: versionAt(test_.clock.now()), writer })
      }
      await index.change((tx) => tx.merge(image('node-x'), 'node-x'))
      await index.change((tx) => tx.merge(image('node-y'), 'node-y'))
      await put(draft('a', 'third'))
      const past = await index.past(parsePath('a'), 9)
      expect(past.map(({ entry }) => entry.writer)).toEqual(
        expect.arrayContaining(['node-x', 'node-y'])
      )
      expect(await auditIndex(test_.database)).toEqual([])
      await index.change((tx) => past.map((version) => tx.dropPast(version)))
      expect(await collect(index.pastBefore(Number.MAX_SAFE_INTEGER))).toEqual([])
    })

    test('who asks to hears of blobs that were lost, and of nothing else', async () => {
      let lost = 0
      index.onLost(() => {
        lost++
      })
      const { hash } = draft('a', 'one')
      const set = (state: BlobState) => index.change((tx) => tx.setBlob(hash, { state }))
      await index.change((tx) => {
        tx.putImage(draft('a', 'one'))
        tx.setBlob(hash, { state: 'held', stamp: STAMP })
      })
      expect(lost).toBe(0)
      await set('damaged')
      expect(lost).toBe(1)
      await set('missing')
      await set('held')
      await index.change((tx) => tx.deleteImage(parsePath('a')))
      expect(lost).toBe(1)
    })

    test('the oldest past versions come first', async () => {
      await put(draft('a.jpg', '1'))
      test_.clock.advance(1000)
      await put(draft('a.jpg', '2'))
      test_.clock.advance(1000)
      await put(draft('a.jpg', '3'))
      const past = await collect(index.pastBefore(Number.MAX_SAFE_INTEGER))
      expect(past.map(({ entry }) => entry.bytes)).toEqual([1, 1])
      expect(past[0]?.sinceMs).toBeLessThan(past[1]?.sinceMs as number)
      expect(await collect(index.pastBefore(test_.clock.now()))).toHaveLength(1)
    })

    test('the newest come first the other way round, and go on after any of them', async () => {
      for (const bytes of ['1', '22', '333', '4444']) {
        await put(draft('a.jpg', bytes))
        test_.clock.advance(1000)
      }
      const all = await collect(index.pastNewestFirst())
      const ages = await collect(index.pastBefore(Number.MAX_SAFE_INTEGER))
      expect(all.map(({ version }) => version)).toEqual(ages.toReversed())
      expect(await collect(index.pastNewestFirst(all[0]?.place))).toEqual(all.slice(1))
      expect(await collect(index.pastNewestFirst(all[2]?.place))).toEqual([])
    })

    test('whatever is done, all tables agree with the entries', async () => {
      const paths = ['a.jpg', 'b/a.jpg', 'b/c.jpg']
      const contents = ['x', 'y', 'zz']
      const step = fc.record({
        do: fc.constantFrom('put', 'delete', 'held', 'damaged', 'forget', 'drop'),
        path: fc.constantFrom(...paths),
        content: fc.constantFrom(...contents),
        url: fc.constantFrom(undefined, 'http://a/', 'http://b/'),
        wait: fc.nat(100_000)
      })
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.array(step, { maxLength: 4 }), { maxLength: 12 }),
          async (batches) => {
            const { index: own, database, clock, close } = await open()
            for (const batch of batches) {
              clock.advance(batch[0]?.wait ?? 0)
              await Promise.all(
                batch.map((s) =>
                  own.change(async (tx) => {
                    const d = draft(s.path, s.content, { sourceUrl: s.url })
                    if (s.do === 'put') tx.putImage(d)
                    else if (s.do === 'delete') tx.deleteImage(d.path)
                    else if (s.do === 'forget') tx.forgetBlob(d.hash)
                    else if (s.do === 'drop')
                      for await (const v of tx.pastOf(d.path)) tx.dropPast(v)
                    else if (tx.blob(d.hash))
                      tx.setBlob(d.hash, { state: s.do as 'held', stamp: STAMP })
                  })
                )
              )
            }
            // blobs that nothing names are forgotten by whoever removes their files
            await own.change((tx) =>
              contents.forEach((c) => void tx.forgetBlob(draft('a.jpg', c).hash))
            )
            expect(await auditIndex(database)).toEqual([])
            await close()
          }
        ),
        { numRuns: name === 'level' ? 15 : 150 }
      )
    })
  })
}
