import { createHash } from 'node:crypto'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { ContentHash } from '../../../../protocols/hash.ts'
import { galleryRoutes } from '../../../../src/http/routes/gallery.ts'
import {
  addEntries,
  addNames,
  type MemoryNode,
  openMemoryNode,
  tinyImage,
  withMethod
} from '../../../support/memory-node.ts'
import { serveRoutes } from '../../../support/serve-routes.ts'

let node: MemoryNode
beforeEach(async () => {
  node = await openMemoryNode()
})
afterEach(() => node.close())

async function ask(query: Record<string, string | number> = {}) {
  const server = serveRoutes(galleryRoutes(node.http, node.options))
  return server.inject(`/api/images?${new URLSearchParams(query as never)}`)
}

async function walk(query: Record<string, string | number>, between = async () => {}) {
  const seen: string[] = []
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const body = (await ask({ ...query, ...(cursor && { cursor }) })).json()
    seen.push(...body.images.map(({ path }: { path: string }) => path))
    cursor = body.next_cursor
    await between()
  }
  return seen
}

const names = (count: number, prefix = '') =>
  Array.from({ length: count }, (_, n) => `${prefix}${String(n).padStart(4, '0')}.jpg`)

test('the documented fields, and the id that is the same on every node', async () => {
  await node.put('cat/x.svg', tinyImage(1))
  const body = (await ask()).json()
  expect(Object.keys(body)).toEqual(['status', 'total', 'count', 'next_cursor', 'images'])
  const [image] = body.images
  expect(Object.keys(image)).toEqual([
    ...['id', 'path', 'filename', 'size', 'hash', 'sha256', 'cid', 'mime_type', 'width', 'height'],
    ...['source_url', 'created_at', 'modified_at', 'url', 'state']
  ])
  const digest = createHash('sha256').update('cat/x.svg').digest()
  expect(image).toMatchObject({
    id: Number(digest.readBigUInt64BE() >> 11n),
    path: 'cat/x.svg',
    filename: 'x.svg',
    hash: createHash('md5').update(tinyImage(1)).digest('hex'),
    url: '/images/cat/x.svg'
  })
})

test('newest first, 50 at a time', async () => {
  await addEntries(node, names(120))
  const body = (await ask()).json()
  expect(body).toMatchObject({ total: 120, count: 50 })
  expect(body.images[0].path).toBe('0119.jpg')
  expect(await walk({ limit: 1000 })).toEqual(names(120).reverse())
})

test('pages cover everything once while images are added', async () => {
  await addEntries(node, names(50))
  let n = 0
  const seen = await walk({ limit: 7 }, () => addEntries(node, [`new${n++}.jpg`]))
  expect(seen).toEqual(names(50).reverse())
})

test('images of one version, as an adopted folder has, are all on some page', async () => {
  await addEntries(node, names(20), { versionMs: node.clock.now() - 1000 })
  const seen = await walk({ limit: 3 })
  expect(seen.toSorted()).toEqual(names(20))
})

test('a rare prefix is found among many, with its total', async () => {
  await addEntries(node, names(3, 'rare/'))
  await addEntries(node, names(500, 'common/'))
  expect((await ask({ prefix: 'rare/', limit: 2 })).json()).toMatchObject({ total: 3, count: 2 })
  expect(await walk({ prefix: 'rare/', limit: 2 })).toEqual(names(3, 'rare/').reverse())
  expect((await ask({ prefix: 'no/' })).json()).toMatchObject({ total: 0, next_cursor: null })
})

test('a prefix of too many images to sort is found by going through all', async () => {
  await addEntries(node, [...names(10, 'common/'), ...names(10, 'other/')])
  const { index } = node.flows
  async function* listAll() {
    for (let n = 0; n <= 2000; n++) yield index.image('common/0000.jpg' as never) as never
  }
  const many = { ...node.http, flows: { ...node.flows, index: withMethod(index, { listAll }) } }
  const server = serveRoutes(galleryRoutes(many, node.options))
  const body = (await server.inject('/api/images?prefix=common/&limit=3')).json()
  expect(body).toMatchObject({ total: null, count: 3 })
  const found = body.images.map(({ path }: { path: string }) => path)
  expect(found).toEqual(names(10, 'common/').slice(7).reverse())
})

test('limits are bounded and unknown parameters named', async () => {
  expect((await ask({ limit: 1001 })).statusCode).toBe(422)
  const answer = await ask({ pge: 2 })
  expect(answer.statusCode).toBe(422)
  expect(answer.json().detail[0].msg).toContain('pge')
})

test('a part of the name, whatever its capitals', async () => {
  await addEntries(node, ['cats/Żółty.jpg', 'cats/TABBY.jpg', 'dogs/tabby-2.jpg', 'dogs/rex.jpg'])
  const found = async (query: Record<string, string>) =>
    (await ask(query)).json().images.map(({ path }: { path: string }) => path)
  expect(await found({ contains: 'Tabby' })).toEqual(['dogs/tabby-2.jpg', 'cats/TABBY.jpg'])
  expect(await found({ contains: 'tabby', prefix: 'cats/' })).toEqual(['cats/TABBY.jpg'])
  expect(await found({ contains: 'żÓŁTY'.normalize('NFD') })).toEqual(['cats/Żółty.jpg'])
  expect(await found({ contains: 'jpg.' })).toEqual([])
  expect((await ask({ contains: 'tabby' })).json().total).toBeNull()
})

test('a rare part is found page by page, and no page looks at too many', async () => {
  await addEntries(node, ['rare.jpg', ...names(20_010)])
  const first = (await ask({ contains: 'rare' })).json()
  expect([first.count, typeof first.next_cursor]).toEqual([0, 'string'])
  expect(await walk({ contains: 'rare' })).toEqual(['rare.jpg'])
})

test('by the hash, in each of its forms', async () => {
  await node.put('one.svg', tinyImage(1))
  await node.put('same/one.svg', tinyImage(1))
  await node.put('two.svg', tinyImage(2))
  const [{ sha256, hash, cid }] = (await ask({ prefix: 'one' })).json().images
  for (const one of [sha256, sha256.toUpperCase(), hash, cid]) {
    const { images } = (await ask({ hash: one })).json()
    expect(images.map(({ path }: { path: string }) => path).toSorted()).toEqual([
      'one.svg',
      'same/one.svg'
    ])
  }
  expect((await ask({ hash: 'a'.repeat(64) })).json()).toMatchObject({ count: 0, images: [] })
})

test('by hash, all of very many names', async () => {
  const paths = names(2050)
  const hash = 'a'.repeat(64)
  await addNames(node, paths, hash as ContentHash)
  await node.put('other.svg', tinyImage(1))
  expect(await walk({ hash, limit: 1000 })).toEqual(paths.toReversed())
})

test('what is no hash is refused', async () => {
  for (const hash of ['zz', 'a'.repeat(63), 'bafkreih']) {
    expect([hash, (await ask({ hash })).statusCode]).toEqual([hash, 422])
  }
})
