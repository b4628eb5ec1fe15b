import { expect, test } from 'vitest'
import type { ImageEntry } from '../../../protocols/entry.ts'
import type { ContentHash, Md5 } from '../../../protocols/hash.ts'
import { parsePath } from '../../../protocols/path.ts'
import { bySource, type ImageOrder, readPage, wanted } from '../../../src/http/image-orders.ts'
import { openMemoryIndex } from '../../support/open-index.ts'

/** So many images, of which only the last is wanted. */
function order(count: number): ImageOrder {
  return {
    name: 'path',
    async *from(place) {
      const first = place === undefined ? 0 : Number(place[0]) + 1
      for (let n = first; n < count; n++) {
        yield { entry: { bytes: n } as ImageEntry, place: [String(n)] }
      }
    }
  }
}
const { signal } = new AbortController()

test('a page ends after many images that do not match, and the next goes on there', async () => {
  const keep = ({ bytes }: ImageEntry) => bytes === 24_999
  const first = await readPage(order(25_000), keep, { limit: 10, cursor: undefined, signal })
  expect(first.entries).toEqual([])
  expect(first.nextCursor).toBeDefined()
  const second = await readPage(order(25_000), keep, {
    limit: 10,
    cursor: first.nextCursor,
    signal
  })
  expect(second.entries).toHaveLength(1)
  expect(second.nextCursor).toBeUndefined()
})

test('a page ends after many places without an image, and does not end at one', async () => {
  const places = (images: readonly number[], count: number): ImageOrder => ({
    name: 'path',
    async *from() {
      for (let n = 0; n < count; n++) {
        const entry = images.includes(n) ? ({ bytes: n } as ImageEntry) : undefined
        yield { entry, place: [String(n)] }
      }
    }
  })
  const page = (order: ImageOrder) =>
    readPage(order, () => true, { limit: 1, cursor: undefined, signal })
  const deleted = await page(places([24_999], 25_000))
  expect(deleted.entries).toEqual([])
  expect(deleted.nextCursor).toBeDefined()
  expect(await page(places([1], 10))).toMatchObject({
    entries: [{ bytes: 1 }],
    nextCursor: undefined
  })
})

test('a full page at the very end has no cursor', async () => {
  const all = () => true
  const page = await readPage(order(10), all, { limit: 10, cursor: undefined, signal })
  expect(page).toMatchObject({ entries: { length: 10 }, nextCursor: undefined })
})

test('all images of one source, or of one blob that is lacking, however many', async () => {
  const { index, close } = await openMemoryIndex()
  const paths = Array.from({ length: 10_050 }, (_, n) => `${String(n).padStart(5, '0')}.jpg`)
  const [hash, md5] = ['a'.repeat(64) as ContentHash, 'a'.repeat(32) as Md5]
  const about = { bytes: 1, mediaType: 'image/jpeg', createdMs: 1, sourceUrl: 'http://x/' }
  await index.change((tx) => {
    for (const path of paths) tx.putImage({ ...about, path: parsePath(path), hash, md5 })
  })
  for (const order of [bySource(index, about.sourceUrl), wanted(index)]) {
    const listed = await Array.fromAsync(order.from(undefined))
    expect(listed.map(({ entry }) => entry?.path)).toEqual(paths)
    const rest = await Array.fromAsync(order.from(listed[9000]?.place))
    expect(rest.map(({ entry }) => entry?.path)).toEqual(paths.slice(9001))
  }
  await close()
})

test('a client that is gone ends the search', async () => {
  const gone = AbortSignal.abort(new Error('gone'))
  const page = readPage(order(10), () => true, { limit: 10, cursor: undefined, signal: gone })
  await expect(page).rejects.toThrow('gone')
})
