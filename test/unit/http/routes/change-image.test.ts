import { createHash } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type HttpNode, startHttpNode } from '../../../support/http-node.ts'
import { DAY_MS, tinyImage } from '../../../support/memory-node.ts'
import type { Reply } from '../../../support/raw-client.ts'

const IMAGE = tinyImage(1)
const SHA256 = createHash('sha256').update(IMAGE).digest('hex')

let http: HttpNode

beforeEach(async () => {
  http = await startHttpNode()
  await http.node.put('a/b.svg', IMAGE)
})

afterEach(() => http.close())

function post(path: string, body: unknown, headers = {}): Promise<Reply> {
  return http.send(path, { method: 'POST', headers, body: JSON.stringify(body) })
}

async function statusOf(path: string): Promise<number> {
  return (await http.send(`/images/${path}`)).status
}

describe('DELETE', () => {
  it.each([['/images/'], ['/file-sync/api/file-sync/file/']])('of %s', async (prefix) => {
    const { status, json } = await http.send(`${prefix}a/b.svg`, { method: 'DELETE' })
    expect(status).toBe(200)
    expect(json).toEqual({
      status: 'success',
      message: 'a/b.svg was deleted.',
      path: 'a/b.svg',
      deleted_servers: ['a'],
      pending_servers: [],
      recoverable_until: new Date(http.node.clock.now() + 7 * DAY_MS).toISOString()
    })
    expect(await statusOf('a/b.svg')).toBe(410)
    const again = await http.send(`${prefix}a/b.svg`, { method: 'DELETE' })
    expect([again.status, again.json.code]).toEqual([410, 'GONE'])
    const never = await http.send(`${prefix}c.svg`, { method: 'DELETE' })
    expect([never.status, never.json.code]).toEqual([404, 'NOT_FOUND'])
  })

  it('frees the bytes at once if asked to', async () => {
    const { json } = await http.send('/images/a/b.svg?purge=true', { method: 'DELETE' })
    expect(json.recoverable_until).toBeNull()
    expect(json.message).toContain('for good')
    expect((await http.send(`/blobs/${SHA256}`)).status).toBe(404)
    expect((await post('/api/restore', { path: 'a/b.svg' })).status).toBe(404)
  })

  it('frees no bytes that another image has, and says so', async () => {
    await http.node.put('c.svg', IMAGE)
    const { json } = await http.send('/images/a/b.svg?purge=true', { method: 'DELETE' })
    expect(json.message).toBe('a/b.svg was deleted. Its bytes stay: other images have the same.')
    expect(await statusOf('c.svg')).toBe(200)
  })

  it('frees them later, too', async () => {
    await http.send('/images/a/b.svg', { method: 'DELETE' })
    expect((await http.send(`/blobs/${SHA256}`)).status).toBe(410)
    const { status } = await http.send('/images/a/b.svg?purge=true', { method: 'DELETE' })
    expect(status).toBe(200)
    expect((await http.send(`/blobs/${SHA256}`)).status).toBe(404)
  })

  it.each([
    ['If-Match', `"${'0'.repeat(64)}"`],
    ['If-Match', `W/"${SHA256}"`],
    ['If-None-Match', '*'],
    ['If-Unmodified-Since', 'Sun, 06 Nov 1994 08:49:37 GMT']
  ])('deletes nothing where %s: %s does not hold', async (name, value) => {
    const headers = { [name]: value }
    for (const prefix of ['/images/', '/file-sync/api/file-sync/file/']) {
      const { status, json } = await http.send(`${prefix}a/b.svg`, { method: 'DELETE', headers })
      expect([status, json.code]).toEqual([412, 'PRECONDITION_FAILED'])
    }
    expect(await statusOf('a/b.svg')).toBe(200)
    expect((await http.send('/images/c.svg', { method: 'DELETE', headers })).status).toBe(404)
  })

  it('deletes the version that is meant, and frees it only then', async () => {
    const headers = { 'If-Match': `"${SHA256}"` }
    expect((await http.send('/images/a/b.svg', { method: 'DELETE', headers })).status).toBe(200)
    const freed = { method: 'DELETE', headers }
    expect((await http.send('/images/a/b.svg?purge=true', freed)).status).toBe(412)
    expect((await http.send('/images/a/b.svg', freed)).status).toBe(410)
    expect((await post('/api/restore', { path: 'a/b.svg' })).status).toBe(200)
  })

  it('names what it does not understand, where nobody relies on it', async () => {
    for (const query of ['?purge=perhaps', '?purged=true']) {
      const { status, json } = await http.send(`/images/a/b.svg${query}`, { method: 'DELETE' })
      expect([query, status, json.code]).toEqual([query, 422, 'VALIDATION'])
    }
    const documented = '/file-sync/api/file-sync/file/a/b.svg?more=1'
    expect((await http.send(documented, { method: 'DELETE' })).status).toBe(200)
  })

  it('answers in Chinese who asks for it', async () => {
    const headers = { 'Accept-Language': 'zh' }
    const { json } = await http.send('/images/a/b.svg', { method: 'DELETE', headers })
    expect(json.message).toContain('已删除')
  })

  it('takes an empty body with a type', async () => {
    const headers = { 'Content-Type': 'application/json' }
    expect((await http.send('/images/a/b.svg', { method: 'DELETE', headers })).status).toBe(200)
  })
})

describe('restore', () => {
  it('brings a deleted image back', async () => {
    await http.send('/images/a/b.svg', { method: 'DELETE' })
    const { status, json } = await post('/api/restore', { path: 'a/b.svg' })
    expect(status).toBe(200)
    expect(json).toMatchObject({
      status: 'success',
      message: 'a/b.svg was restored.',
      path: 'a/b.svg',
      sha256: SHA256,
      state: 'ok'
    })
    expect((await http.send('/images/a/b.svg')).bytes).toEqual(IMAGE)
    const again = await post('/api/restore', { path: 'a/b.svg' })
    expect([again.status, again.json.message]).toEqual([200, 'a/b.svg is there as it was.'])
  })

  it('brings an earlier version back', async () => {
    await http.node.put('a/b.svg', tinyImage(2))
    const { json } = await post('/api/restore', { path: 'a/b.svg', sha256: SHA256 })
    expect(json.sha256).toBe(SHA256)
    expect((await http.send('/images/a/b.svg')).bytes).toEqual(IMAGE)
  })

  it('refuses what was never kept', async () => {
    expect((await post('/api/restore', { path: 'c.svg' })).status).toBe(404)
    const other = { path: 'a/b.svg', sha256: 'ab'.repeat(32) }
    expect((await post('/api/restore', other)).status).toBe(404)
    expect((await post('/api/restore', { path: 'a/b.svg', sha256: 'x' })).status).toBe(400)
    expect((await post('/api/restore', { path: '../x' })).json.code).toBe('BAD_PATH')
  })
})

describe('move and copy', () => {
  it('give an image another name, or one more', async () => {
    const moved = await post('/api/move', { from: 'a/b.svg', to: 'c.svg' })
    expect([moved.status, moved.json.path, moved.json.url]).toEqual([200, 'c.svg', '/images/c.svg'])
    expect([await statusOf('a/b.svg'), await statusOf('c.svg')]).toEqual([410, 200])
    const copied = await post('/api/copy', { from: 'c.svg', to: 'd.svg' })
    expect([copied.status, copied.json.sha256]).toEqual([200, SHA256])
    expect([await statusOf('c.svg'), await statusOf('d.svg')]).toEqual([200, 200])
    expect(http.node.flows.index.counts()).toMatchObject({ images: 2, blobs: 1 })
  })

  it('leave an image alone that goes to its own place', async () => {
    expect((await post('/api/move', { from: 'a/b.svg', to: 'a/b.svg' })).status).toBe(200)
    expect(await statusOf('a/b.svg')).toBe(200)
  })

  it.each([['move'], ['copy']])('%s refuses what can not be', async (how) => {
    await http.node.put('other.svg', tinyImage(2))
    await http.node.put('gone.svg', tinyImage(3))
    await http.send('/images/gone.svg', { method: 'DELETE' })
    const order = async (from: string, to: string) => {
      const { status, json } = await post(`/api/${how}`, { from, to })
      return [status, json.code]
    }
    expect(await order('c.svg', 'd.svg')).toEqual([404, 'NOT_FOUND'])
    expect(await order('gone.svg', 'd.svg')).toEqual([410, 'GONE'])
    expect(await order('a/b.svg', 'other.svg')).toEqual([409, 'NAME_TAKEN'])
    expect(await order('a/b.svg', 'd.exe')).toEqual([415, 'EXTENSION_NOT_ALLOWED'])
    expect(await order('a/b.svg', 'd.png')).toEqual([415, 'CONTENT_MISMATCH'])
    expect(await order('a/b.svg', '/d.svg')).toEqual([422, 'BAD_PATH'])
    expect((await post(`/api/${how}`, { from: 'a/b.svg' })).json.detail[0].loc).toEqual([
      'body',
      'to'
    ])
    expect((await post(`/api/${how}`, { from: 'a', to: 'b', force: true })).status).toBe(422)
    expect(await statusOf('a/b.svg')).toBe(200)
  })

  it('leave bytes that nobody knows under a name that promises as much', async () => {
    await http.node.put('x.jpg', Buffer.from('no image at all'))
    const order = (to: string) => post('/api/copy', { from: 'x.jpg', to })
    expect((await order('y.jpg')).status).toBe(200)
    expect((await order('y.png')).json.code).toBe('CONTENT_MISMATCH')
  })
})

describe('who may', () => {
  it.each([
    ['DELETE', '/images/a/b.svg'],
    ['DELETE', '/file-sync/api/file-sync/file/a/b.svg'],
    ['POST', '/api/move'],
    ['POST', '/api/copy'],
    ['POST', '/api/restore']
  ])('%s %s: not a page of another origin', async (method, path) => {
    const headers = { Origin: 'https://evil.example' }
    expect((await http.send(path, { method, headers })).status).toBe(401)
    expect(await statusOf('a/b.svg')).toBe(200)
  })
})
