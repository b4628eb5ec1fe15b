// Heads of answers that are kept without the bytes: for who has these already, or asks for no more.

import { afterEach, beforeEach, expect, test } from 'vitest'
import type { ContentHash } from '../../../protocols/hash.ts'
import { parsePath } from '../../../protocols/path.ts'
import { NodeError } from '../../../src/base/errors.ts'
import { SpareBuffers } from '../../../src/base/spare-buffers.ts'
import { HotImages } from '../../../src/http/hot-images.ts'
import type { FileStamp } from '../../../src/store/blob-store.ts'
import { sha256 } from '../../support/digests.ts'
import { startHttpNode } from '../../support/http-node.ts'
import {
  type MemoryNode,
  openMemoryNode,
  tinyImage,
  withMethod
} from '../../support/memory-node.ts'

const hash = sha256(tinyImage(1)) as ContentHash
const etag = `"${hash}"`

let node: MemoryNode
let hot: HotImages
let cannotLook: boolean
beforeEach(async () => {
  cannotLook = false
  node = await openMemoryNode()
  await node.put('a.svg', tinyImage(1))
  const { index, store } = node.flows
  const files = {
    open: (of: ContentHash) => store.open(of),
    stamp: (of: ContentHash) => {
      if (cannotLook) throw new NodeError('NOT_AVAILABLE', 'EIO')
      return store.stamp(of)
    },
    buffers: new SpareBuffers({ bytesMax: 2 ** 16, keptBytesMax: 2 ** 20 })
  }
  hot = new HotImages(index, { bytesMax: 64 * 4200 }, files)
})
afterEach(() => node.close())

const about = { path: parsePath('a.svg'), etag, headers: ['ETag', etag], sameHeaders: ['X', 'y'] }

/** As if it was asked for again. */
function asked(url: string): number {
  hot.ask(url)
  return hot.ask(url) as number
}

function offer(stamp: FileStamp): void {
  hot.offer('/a', asked('/a'), { ...about, body: tinyImage(1) }, { hash, stamp })
}

/** Others that are asked for more take the room for bytes. */
function fill(): void {
  for (let n = 0; n < 75; n++) {
    for (let times = 0; times < 12; times++) hot.ask(`/${n}`)
    const image = { ...about, path: parsePath(`${n}.svg`), body: Buffer.alloc(2000) }
    hot.offer(`/${n}`, asked(`/${n}`), image)
  }
}

function quick(method: 'GET' | 'HEAD', tag?: string): string | undefined {
  return hot.quickAnswer({ method, url: '/a', etag: tag }, 0)?.bytes.toString('latin1')
}

test('whoever has the bytes is told so although nobody has read them here', async () => {
  hot.offerSame('/a', asked('/a'), about)
  expect(quick('GET', etag)).toMatch(/^HTTP\/1\.1 304 Not Modified\r\nX: y\r\nDate: /)
  expect([quick('GET', '"other"'), quick('GET'), quick('HEAD')]).toEqual([
    ...[undefined, undefined, undefined]
  ])
  await node.put('a.svg', tinyImage(2))
  expect(quick('GET', etag)).toBeUndefined()
  expect(hot.bytes).toBe(0)
})

test('a head that was read before a change is not kept after it', async () => {
  const before = asked('/a')
  await node.put('b.svg', tinyImage(2))
  hot.offerSame('/a', before, about)
  expect(hot.bytes).toBe(0)
})

test('of what is pushed out the head stays, and goes with its path', async () => {
  const stamp = node.flows.store.stamp(hash) as FileStamp
  offer(stamp)
  expect(quick('GET')).toContain(tinyImage(1).toString('latin1'))
  fill()
  expect(quick('HEAD')).toMatch(/^HTTP\/1\.1 200 OK\r\nETag: [\s\S]*\r\n\r\n$/)
  expect(quick('GET', etag)).toMatch(/^HTTP\/1\.1 304 /)
  await node.flows.index.change((tx) => tx.deleteImage(parsePath('a.svg')))
  expect([quick('HEAD'), quick('GET', etag)]).toEqual([undefined, undefined])
})

test('HEAD is not answered for bytes whose file is another by now', () => {
  const stamp = node.flows.store.stamp(hash) as FileStamp
  offer({ ...stamp, mtimeMs: stamp.mtimeMs + 1 })
  fill()
  expect(quick('GET', etag)).toMatch(/^HTTP\/1\.1 304 /)
  expect(quick('HEAD')).toBeUndefined()
})

test('HEAD of what the disk can not say anything about is left to whoever can say why', () => {
  const stamp = node.flows.store.stamp(hash) as FileStamp
  offer(stamp)
  fill()
  cannotLook = true
  expect(quick('HEAD')).toBeUndefined()
})

test('304 and HEAD of the same image again and again do not ask the index', async () => {
  let looks = 0
  const http = await startHttpNode({
    parts: ({ flows }) => {
      const image = (path: Parameters<typeof flows.index.image>[0]) => {
        looks++
        return flows.index.image(path)
      }
      return { flows: { ...flows, index: withMethod(flows.index, { image }) } }
    }
  })
  try {
    await http.node.put('a.svg', tinyImage(1))
    const get = (method: string, headers = {}) => http.send('/images/a.svg', { method, headers })
    const same = async () => (await get('GET', { 'If-None-Match': etag })).status
    for (let n = 0; n < 3; n++) expect(await same()).toBe(304)
    looks = 0
    for (let n = 0; n < 3; n++) expect(await same()).toBe(304)
    expect(looks).toBe(0)
    expect((await get('GET')).bytes).toEqual(tinyImage(1))
    const head = await get('HEAD')
    const { headers } = await get('GET')
    expect({ ...head.headers, date: '' }).toEqual({ ...headers, date: '' })
    expect(head.bytes).toHaveLength(0)
  } finally {
    await http.close()
  }
})
