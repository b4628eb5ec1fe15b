import { afterEach, beforeEach, expect, test } from 'vitest'
import type { ContentHash } from '../../../protocols/hash.ts'
import { parsePath } from '../../../protocols/path.ts'
import { SpareBuffers } from '../../../src/base/spare-buffers.ts'
import type { KnownFile } from '../../../src/http/hot-image.ts'
import { HotImages } from '../../../src/http/hot-images.ts'
import type { FileStamp } from '../../../src/store/blob-store.ts'
import { makeSvg } from '../../fixtures/make-images.ts'
import { sha256 } from '../../support/digests.ts'
import { type HttpNode, startHttpNode } from '../../support/http-node.ts'
import {
  type MemoryNode,
  openMemoryNode,
  tinyImage,
  withMethod
} from '../../support/memory-node.ts'
import { SeededChance } from '../../support/seeded-chance.ts'

let http: HttpNode
/** How often bytes were read from the disk. */
let reads: number

beforeEach(async () => {
  reads = 0
  http = await startHttpNode({
    parts: ({ flows }) => {
      const open = (hash: Parameters<typeof flows.store.open>[0]) => {
        reads++
        return flows.store.open(hash)
      }
      return { flows: { ...flows, store: withMethod(flows.store, { open }) } }
    }
  })
})

afterEach(() => http.close())

const get = (path: string, headers = {}) => http.send(path, { headers })

test('what is read again and again is read from the disk twice, and always the same', async () => {
  await http.node.put('a/图.svg', tinyImage(1))
  const url = encodeURI('/images/a/图.svg')
  const { headers: first } = await get(url)
  for (let n = 0; n < 5; n++) {
    const { status, headers, bytes } = await get(url)
    expect([status, bytes]).toEqual([200, tinyImage(1)])
    expect({ ...headers, date: '' }).toEqual({ ...first, date: '' })
  }
  expect(reads).toBe(2)
})

test('conditions, parts, other methods and other addresses get what they ask for', async () => {
  await http.node.put('a.svg', tinyImage(1))
  for (let n = 0; n < 3; n++) await get('/images/a.svg')
  const { etag } = (await get('/images/a.svg')).headers
  const same = await get('/images/a.svg', { 'If-None-Match': etag })
  expect([same.status, same.bytes.length, same.headers.etag]).toEqual([304, 0, etag])
  expect(same.headers['x-content-type-options']).toBe('nosniff')
  const other = await get('/images/a.svg', { 'If-None-Match': '"another", W/"x"' })
  expect([other.status, other.bytes]).toEqual([200, tinyImage(1)])
  const listed = await get('/images/a.svg', { 'If-None-Match': `"another", ${etag}` })
  expect(listed.status).toBe(304)
  const since = { 'If-Modified-Since': 'Sun, 06 Nov 1994 08:49:37 GMT' }
  expect((await get('/images/a.svg', since)).status).toBe(200)
  expect((await get('/images/a.svg', { ...since, 'If-None-Match': etag })).status).toBe(304)
  const part = await get('/images/a.svg', { Range: 'bytes=0-3' })
  expect([part.status, part.bytes]).toEqual([206, tinyImage(1).subarray(0, 4)])
  expect((await get('/images/a.svg', { 'If-Match': '"another"' })).status).toBe(412)
  const head = await http.send('/images/a.svg', { method: 'HEAD' })
  expect([head.status, head.bytes.length]).toEqual([200, 0])
  const saved = await get('/images/a.svg?download')
  expect(saved.headers['content-disposition']).toMatch(/^attachment/)
  expect((await get('/images/a.svg')).headers['content-disposition']).toBeUndefined()
})

test('an image that is replaced, deleted or restored is never shown as it was', async () => {
  const { node } = http
  const chance = new SeededChance(7)
  const paths = ['a.svg', 'b/c.svg', 'd.svg']
  const current = new Map<string, Buffer>()
  for (let n = 0; n < 300; n++) {
    const path = paths[Math.floor(chance.fraction() * paths.length)] as string
    const luck = chance.fraction()
    if (luck < 0.15) {
      const image = tinyImage(Math.floor(chance.fraction() * 4))
      await node.put(path, image)
      current.set(path, image)
    } else if (luck < 0.25 && current.has(path)) {
      const { status } = await http.send(`/images/${path}`, { method: 'DELETE' })
      expect(status).toBe(200)
      current.delete(path)
    }
    const { status, bytes } = await get(`/images/${path}`)
    const expected = current.get(path)
    if (expected === undefined) expect([404, 410]).toContain(status)
    else expect([status, bytes]).toEqual([200, expected])
  }
  expect(reads).toBeLessThan(200)
})

test('by their hash they are kept, too, and go with the path that names them', async () => {
  const { node } = http
  await node.put('a.svg', tinyImage(1))
  const hash = sha256(tinyImage(1))
  for (let n = 0; n < 5; n++) {
    const { status, bytes, headers } = await get(`/blobs/${hash}`)
    expect([status, bytes]).toEqual([200, tinyImage(1)])
    expect(headers['cache-control']).toMatch(/immutable/)
  }
  expect(reads).toBe(2)
  await node.put('b.svg', tinyImage(1))
  expect((await http.send('/images/a.svg', { method: 'DELETE' })).status).toBe(200)
  expect((await get(`/blobs/${hash}`)).status, 'another path names it').toBe(200)
  expect((await http.send('/images/b.svg', { method: 'DELETE' })).status).toBe(200)
  expect((await get(`/blobs/${hash}`)).status).toBe(410)
})

test('where there is no room for bytes they are read each time, from the file they were in', async () => {
  // for about 75 of them
  const small = await startHttpNode({ options: { hotBytesMax: 64 * 2600 } })
  const image = makeSvg({ seed: 1 })
  const { node } = small
  await node.put('a.svg', image)
  const fills = Array.from({ length: 90 }, (_, n) => makeSvg({ seed: n + 2 }))
  for (const [n, fill] of fills.entries()) await node.put(`${n}.svg`, fill)
  for (let times = 0; times < 4; times++) {
    for (const n of fills.keys()) await small.send(`/images/${n}.svg`)
  }
  for (let n = 0; n < 6; n++) expect((await small.send('/images/a.svg')).bytes).toEqual(image)
  await node.put('a.svg', fills[0] as Buffer)
  expect((await small.send('/images/a.svg')).bytes).toEqual(fills[0])
  await small.close()
})

test('what was kept with its bytes and comes again is gone with its path, too', async () => {
  other = await openMemoryNode()
  const { index, store } = other.flows
  await other.put('a.svg', tinyImage(1))
  const hash = sha256(tinyImage(1)) as ContentHash
  const stamp = store.stamp(hash) as FileStamp
  const buffers = new SpareBuffers({ bytesMax: 2 ** 16, keptBytesMax: 2 ** 20 })
  const files = {
    open: (of: ContentHash) => store.open(of),
    stamp: (of: ContentHash) => store.stamp(of),
    buffers
  }
  const hot = new HotImages(index, { bytesMax: 64 * 4200 }, files)
  const read = (name: string, url: string, times = 2) => {
    for (let n = 1; n < times; n++) hot.ask(url)
    const about = { path: parsePath(name), etag: '"a"', headers: [], sameHeaders: [] }
    const image = { ...about, body: Buffer.alloc(2000) }
    hot.offer(url, hot.ask(url) as number, image, { hash, stamp })
  }
  read('a.svg', '/a')
  // no more have room beside it
  for (let n = 0; n < 65; n++) read(`${n}.svg`, `/${n}`, 12)
  // of two that asked at one time, or of one that has other bytes
  read('a.svg', '/a')
  // what is kept without bytes is pushed out
  for (let n = 0; n < 40; n++) read(`${n}.svg`, `/${n}?again`)
  await other.flows.index.change((tx) => tx.deleteImage(parsePath('a.svg')))
  const response = { socket: {}, writeHead: () => response, end: () => response }
  expect(hot.tryAnswer({ headers: {}, url: '/a' } as never, response as never)).toBe(false)
})

test('what gets room for its bytes in the end is not read from the disk any more', async () => {
  other = await openMemoryNode()
  const { index, store } = other.flows
  await other.put('a.svg', tinyImage(1))
  const hash = sha256(tinyImage(1)) as ContentHash
  const stamp = store.stamp(hash) as FileStamp
  const buffers = new SpareBuffers({ bytesMax: 2 ** 16, keptBytesMax: 2 ** 20 })
  let opened = 0
  const open = (of: ContentHash) => {
    opened++
    return store.open(of)
  }
  const hot = new HotImages(index, { bytesMax: 64 * 4200 }, { open, stamp: () => stamp, buffers })
  const offer = (name: string, url: string, body: Uint8Array, file?: KnownFile) => {
    hot.ask(url)
    const about = { path: parsePath(name), etag: '"a"', headers: [], sameHeaders: [] }
    hot.offer(url, hot.ask(url) as number, { ...about, body }, file)
  }
  for (let n = 0; n < 64; n++) offer(`${n}.svg`, `/${n}`, Buffer.alloc(2140))
  for (let n = 0; n < 64; n++) for (let times = 0; times < 9; times++) hot.ask(`/${n}`)
  offer('a.svg', '/a', tinyImage(1), { hash, stamp })
  const response = { socket: {}, writeHead: () => response, end: () => response }
  for (let n = 0; n < 30; n++) {
    expect(hot.tryAnswer({ headers: {}, url: '/a' } as never, response as never)).toBe(true)
  }
  expect(opened).toBeGreaterThan(0)
  expect(opened).toBeLessThan(15)
})

test('an answer whose file is another by now is not sent', async () => {
  other = await openMemoryNode()
  const { flows } = other
  await other.put('a.svg', tinyImage(1))
  const hash = sha256(tinyImage(1)) as ContentHash
  const stamp = flows.store.stamp(hash) as FileStamp
  const buffers = new SpareBuffers({ bytesMax: 2 ** 16, keptBytesMax: 2 ** 20 })
  const files = {
    open: (of: ContentHash) => flows.store.open(of),
    stamp: (of: ContentHash) => flows.store.stamp(of),
    buffers
  }
  const hot = new HotImages(flows.index, { bytesMax: 64 * 4200 }, files)
  const image = { path: parsePath('a.svg'), etag: '"a"', headers: ['X', 'y'], sameHeaders: [] }
  // others with their bytes leave no room
  for (let n = 0; n < 90; n++) {
    for (let times = 0; times < 12; times++) hot.ask(`/${n}`)
    const asked = hot.ask(`/${n}`) as number
    hot.offer(`/${n}`, asked, { ...image, path: parsePath(`${n}.svg`), body: Buffer.alloc(2000) })
  }
  const sent: Buffer[] = []
  const response = {
    socket: {},
    writeHead: () => response,
    end(bytes: Buffer, whenLeft?: () => void) {
      sent.push(Buffer.from(bytes))
      whenLeft?.()
    }
  }
  const ask = () => hot.tryAnswer({ headers: {}, url: '/a' } as never, response as never)
  const offer = (known: FileStamp) => {
    hot.ask('/a')
    const asked = hot.ask('/a') as number
    hot.offer('/a', asked, { ...image, body: tinyImage(1) }, { hash, stamp: known })
  }
  offer(stamp)
  expect([ask(), sent]).toEqual([true, [tinyImage(1)]])
  offer({ ...stamp, mtimeMs: stamp.mtimeMs + 1 })
  expect([ask(), ask(), sent.length]).toEqual([false, false, 1])
})

test('who may not read gets nothing out of memory either', async () => {
  const closed = await startHttpNode({ options: { read: 'key' } })
  await closed.node.put('a.svg', tinyImage(1))
  for (let n = 0; n < 4; n++) expect((await closed.send('/images/a.svg')).status).toBe(200)
  const headers = { Origin: 'https://evil.example' }
  expect((await closed.send('/images/a.svg', { headers })).status).toBe(401)
  await closed.close()
})

test('answers that wait for those before them hold no bytes', async () => {
  await http.node.put('a.svg', tinyImage(1))
  for (let n = 0; n < 3; n++) await get('/images/a.svg')
  const client = http.connect()
  const line = `GET /images/a.svg HTTP/1.1\r\nHost: 127.0.0.1:${http.port}\r\n`
  client.write(
    [...Array(20).fill(''), 'Connection: close\r\n'].map((more) => `${line}${more}\r\n`).join('')
  )
  expect((await client.end()).split('HTTP/1.1 200 OK').length).toBe(22)
})

let other: MemoryNode | undefined
afterEach(async () => {
  await other?.close()
  other = undefined
})

test('memory is bounded, and once-read images do not push out those read all the time', async () => {
  other = await openMemoryNode()
  const { index } = other.flows
  const hot = new HotImages(index, { bytesMax: 64 * 4200 })
  const image = (n: number) => ({
    ...{ path: parsePath(`${n}.svg`), etag: `"${n}"`, headers: [], sameHeaders: [] },
    body: Buffer.alloc(2048)
  })
  const read = (n: number) => {
    const asked = hot.ask(`/${n}`)
    if (asked !== undefined) hot.offer(`/${n}`, asked, image(n))
  }
  for (let times = 0; times < 8; times++) for (let n = 0; n < 60; n++) read(n)
  for (let n = 1000; n < 6000; n++) read(n)
  for (let n = 6000; n < 6500; n++) for (let times = 0; times < 3; times++) read(n)
  expect(hot.bytes).toBeLessThanOrEqual((64 * 4200 * 9) / 8)
  const response = { socket: {}, writeHead: () => response, end: () => response }
  const isKept = (n: number) =>
    hot.tryAnswer({ headers: {}, url: `/${n}` } as never, response as never)
  const kept = Array.from({ length: 60 }, (_, n) => isKept(n)).filter(Boolean).length
  expect(kept).toBeGreaterThan(50)
})

test('an answer that was read before a change is not kept after it', async () => {
  other = await openMemoryNode()
  const hot = new HotImages(other.flows.index, { bytesMax: 2 ** 20 })
  hot.ask('/a')
  const asked = hot.ask('/a') as number
  await other.put('b.svg', tinyImage(1))
  hot.offer('/a', asked, {
    ...{ path: parsePath('a.svg'), etag: '"1"', headers: [], sameHeaders: [] },
    body: Buffer.alloc(10)
  })
  expect(hot.bytes).toBe(0)
})

test('nothing is kept where nothing may be', async () => {
  const none = await startHttpNode({ options: { hotBytesMax: 0 } })
  await none.node.put('a.svg', tinyImage(1))
  for (let n = 0; n < 4; n++) expect((await none.send('/images/a.svg')).bytes).toEqual(tinyImage(1))
  await none.close()
})

test('addresses that clients make long count as well', async () => {
  other = await openMemoryNode()
  const hot = new HotImages(other.flows.index, { bytesMax: 2 ** 20 })
  const image = { path: parsePath('a.svg'), etag: '"a"', headers: [], sameHeaders: [] }
  for (let n = 0; n < 50; n++) {
    const url = `/images/a.svg?${n}${'x'.repeat(10_000)}`
    hot.ask(url)
    hot.offer(url, hot.ask(url) as number, { ...image, body: Buffer.alloc(100) })
  }
  expect(hot.bytes).toBeGreaterThan(50 * 10_000)
  expect(hot.ask(`/images/a.svg?${'x'.repeat(16_000)}`)).toBeUndefined()
})
