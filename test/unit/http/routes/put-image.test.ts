import { createHash } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parsePath } from '../../../../protocols/path.ts'
import { NodeError } from '../../../../src/base/errors.ts'
import { type HttpNode, startHttpNode } from '../../../support/http-node.ts'
import { TEST_INGEST, tinyImage } from '../../../support/memory-node.ts'
import type { Reply } from '../../../support/raw-client.ts'

const IMAGE = tinyImage(1)
const OTHER = tinyImage(2)
const SHA256 = createHash('sha256').update(IMAGE).digest('hex')

let http: HttpNode

beforeEach(async () => {
  http = await startHttpNode()
})

afterEach(() => http.close())

function put(path: string, body: Uint8Array, headers: Record<string, string> = {}): Promise<Reply> {
  return http.send(`/images/${path}`, { method: 'PUT', headers, body })
}

function putHead(path: string, ...lines: string[]): string {
  const host = `Host: 127.0.0.1:${http.port}`
  return `${[`PUT /images/${path} HTTP/1.1`, host, ...lines].join('\r\n')}\r\n\r\n`
}

const hashAt = (path: string) => http.node.flows.index.image(parsePath(path))?.hash

describe('PUT', () => {
  it('stores, replaces, and notices what is there already', async () => {
    const created = await put('a/b.svg', IMAGE)
    expect([created.status, created.headers.location]).toEqual([201, '/images/a/b.svg'])
    expect(created.headers.etag).toBe(`"${SHA256}"`)
    expect(created.json).toMatchObject({ status: 'success', file_path: 'a/b.svg', replicas: 1 })
    const unchanged = await put('a/b.svg', IMAGE)
    expect([unchanged.status, unchanged.headers.location]).toEqual([200, undefined])
    const replaced = await put('a/b.svg', OTHER)
    expect([replaced.status, replaced.json.size]).toEqual([201, OTHER.length])
    expect((await http.send('/images/a/b.svg')).bytes).toEqual(OTHER)
  })

  it('takes a body of unknown length, and whatever its type says', async () => {
    const chunked = await put('a.svg', IMAGE, {
      'Transfer-Encoding': 'chunked',
      'Content-Type': 'nonsense'
    })
    expect([chunked.status, hashAt('a.svg')]).toEqual([201, SHA256])
  })

  it('does not replace where it must not', async () => {
    expect((await put('a.svg', IMAGE, { 'If-None-Match': '*' })).status).toBe(201)
    const taken = await put('a.svg', OTHER, { 'If-None-Match': '*' })
    expect([taken.status, taken.json.code, hashAt('a.svg')]).toEqual([
      412,
      'PRECONDITION_FAILED',
      SHA256
    ])
  })

  it('replaces only what it is told to', async () => {
    const missing = await put('a.svg', IMAGE, { 'If-Match': '*' })
    expect([missing.status, missing.json.detail]).toEqual([
      412,
      "a.svg does not exist, so it can't be replaced."
    ])
    await put('a.svg', IMAGE)
    for (const tag of [`"${'0'.repeat(64)}"`, `W/"${SHA256}"`, 'x', '']) {
      expect((await put('a.svg', OTHER, { 'If-Match': tag })).status).toBe(412)
    }
    const matched = await put('a.svg', OTHER, { 'If-Match': `"x", "${SHA256}"` })
    expect(matched.status).toBe(201)
    expect((await put('a.svg', IMAGE, { 'If-Match': '*' })).status).toBe(201)
    expect((await put('a.svg', OTHER, { 'If-None-Match': `"${SHA256}"` })).status).toBe(412)
  })

  it('lets one of two win that both want to be first', async () => {
    const clients = [IMAGE, OTHER].map((bytes) => {
      const client = http.connect()
      client.write(putHead('a.svg', 'If-None-Match: *', `Content-Length: ${bytes.length}`))
      return { client, bytes }
    })
    await http.send('/healthz') // both were admitted, and nothing is there yet
    for (const { client, bytes } of clients) client.write(bytes)
    const answers = clients.map(({ client }) => client.until(/^HTTP\/1.1 \d+ /))
    const statuses = (await Promise.all(answers)).map((text) => text.slice(9, 12))
    expect(statuses.sort()).toEqual(['201', '412'])
    for (const { client } of clients) client.destroy()
  })

  it('asks for the body when nothing speaks against it', async () => {
    const client = http.connect()
    client.write(putHead('a.svg', 'Expect: 100-continue', `Content-Length: ${IMAGE.length}`))
    await client.until(/^HTTP\/1.1 100 Continue\r\n\r\n$/)
    client.write(IMAGE)
    await client.until(/HTTP\/1.1 201 /)
    client.destroy()
  })

  it('checks the hashes that the client expects', async () => {
    const md5 = createHash('md5').update(IMAGE).digest('base64')
    const right = { 'Content-MD5': md5, 'X-Content-SHA256': SHA256.toUpperCase() }
    expect((await put('a.svg', IMAGE, right)).status).toBe(201)
    for (const header of Object.keys(right)) {
      const wrong = await put('b.svg', OTHER, { [header]: right[header as keyof typeof right] })
      expect([wrong.status, wrong.json.code]).toEqual([400, 'HASH_MISMATCH'])
      const senseless = await put('b.svg', OTHER, { [header]: 'x' })
      expect([senseless.status, senseless.json.code]).toEqual([400, 'BAD_HASH'])
    }
    expect(hashAt('b.svg')).toBeUndefined()
  })

  it.each([
    ['?wait=replicas:1', 201],
    ['?wait=replicas:1&timeout=0', 201],
    ['?wait=replicas:3', 202],
    ['?wait=replicas:3&timeout=60', 202]
  ])('answers %s honestly', async (query, status) => {
    const answer = await put(`a.svg${query}`, IMAGE)
    expect(answer.status).toBe(status)
    expect(answer.json).toMatchObject({ servers: ['a'], replicas: 1 })
    expect(answer.json.status).toBe(status === 202 ? 'accepted' : 'success')
    expect(hashAt('a.svg')).toBe(SHA256)
  })

  it.each([
    ['?wait=3'],
    ['?wait=replicas:0'],
    ['?wait=replicas:9999'],
    ['?timeout=61'],
    ['?timeout=x'],
    ['?wat=replicas:3']
  ])('refuses %s', async (query) => {
    const { status, json } = await put(`a.svg${query}`, IMAGE)
    expect([status, json.code, json.detail[0].loc[0]]).toEqual([422, 'VALIDATION', 'query'])
    expect(hashAt('a.svg')).toBeUndefined()
  })
})

describe('refusals', () => {
  it('of extensions and of other bytes', async () => {
    expect((await put('a.exe', IMAGE)).json.code).toBe('EXTENSION_NOT_ALLOWED')
    expect((await put('a.png', IMAGE)).json.code).toBe('CONTENT_MISMATCH')
    expect((await put('a.jpg', Buffer.from('<html>'))).status).toBe(415)
  })

  it('of what is not the whole image as it is', async () => {
    for (const headers of [{ 'Content-Range': 'bytes 0-9/20' }, { 'Content-Encoding': 'gzip' }]) {
      const { status, json } = await put('a.svg', IMAGE, headers)
      expect([status, json.code]).toEqual([400, 'BAD_REQUEST'])
    }
  })

  it('of what is too large, at the limit where the length is not known', async () => {
    const large = Buffer.alloc(TEST_INGEST.maxFileSizeBytes + 1, 7)
    const { status, json } = await put('a.jpg', large, { 'Transfer-Encoding': 'chunked' })
    expect([status, json.code]).toEqual([413, 'BLOB_TOO_LARGE'])
    expect(http.node.flows.index.counts().blobs).toBe(0)
    expect((await put('a.jpg', large.subarray(1))).status).toBe(201)
  })

  it.each([
    ['too large', 'a.jpg', ['Content-Length: 10000001'], 413],
    ['not allowed', 'a.exe', ['Content-Length: 10'], 415],
    ['not possible', 'con.jpg', ['Content-Length: 10'], 422],
    ['not to be replaced', 'held.svg', ['Content-Length: 10', 'If-None-Match: *'], 412],
    ['not there', 'a.jpg', ['Content-Length: 10', 'If-Match: *'], 412],
    ['not from here', 'a.jpg', ['Content-Length: 10', 'Origin: https://evil.example'], 401]
  ])('of what is %s, before the body is sent', async (_what, path, lines, status) => {
    await http.node.put('held.svg', OTHER)
    const client = http.connect()
    client.write(putHead(path, 'Expect: 100-continue', ...lines))
    const answer = await client.end()
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
    expect(answer).not.toContain('100 Continue')
  })

  it('are seen also by a client that has sent all of it at once', async () => {
    const large = Buffer.alloc(12_000_000, 7)
    const { status, json } = await put('a.jpg', large)
    expect([status, json.code]).toEqual([413, 'BLOB_TOO_LARGE'])
  })

  it('of a full disk', async () => {
    http.node.store.fault = new NodeError('DISK_FULL', 'The disk was full.')
    const { status, json } = await put('a.svg', IMAGE)
    expect([status, json.code]).toEqual([507, 'DISK_FULL'])
    http.node.store.fault = undefined
  })
})

it('keeps nothing of a client that goes away', async () => {
  const client = http.connect()
  client.write(putHead('a.svg', 'Content-Length: 100000'))
  client.write(IMAGE)
  await http.send('/healthz')
  client.destroy()
  await http.send('/healthz')
  expect(hashAt('a.svg')).toBeUndefined()
  expect(http.node.store.leftovers()).toEqual([])
  expect((await put('a.svg', IMAGE)).status).toBe(201)
})

it('gives its place back, however it ended', async () => {
  const narrow = await startHttpNode({ options: { uploadsMax: 1 } })
  const statuses: number[] = []
  for (const [path, body] of [
    ['a.svg', IMAGE],
    ['a.jpg', IMAGE],
    ['b.svg', OTHER]
  ] as const) {
    const { status } = await narrow.send(`/images/${path}`, { method: 'PUT', body })
    statuses.push(status)
  }
  expect(statuses).toEqual([201, 415, 201])
  await narrow.close()
})
