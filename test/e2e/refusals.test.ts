// What a node does not take: each refusal has a status, a code and a sentence, and leaves nothing
// behind.

import { readdirSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { makeImage, makeSvg, noiseBytes } from '../fixtures/make-images.ts'
import { expectSoundFolder } from '../support/check-folder.ts'
import { md5, sha256 } from '../support/digests.ts'
import { eventually } from '../support/eventually.ts'
import { type Answer, postJson, put, send, upload } from '../support/http-client.ts'
import { RawClient, sendRaw } from '../support/raw-client.ts'
import { type RealNode, Workbench } from '../support/real-node.ts'

const API = '/file-sync/api/file-sync'
const FILE_BYTES_MAX = 1_000_000
const HTML = Buffer.from('<!DOCTYPE html><html><body>not found</body></html>')
const kept = makeSvg({ seed: 1 })
const other = makeSvg({ seed: 2 })

let bench: Workbench
let node: RealNode
let png: Buffer
let pathsBefore: string[]
beforeAll(async () => {
  bench = new Workbench()
  node = await bench.start('a', { env: { TUMESH_FILE_STORAGE_MAX_FILE_SIZE: '1MB' } })
  png = await makeImage('png')
  await put(node.url, 'kept.svg', kept)
  await put(node.url, 'other.svg', other)
  await put(node.url, 'deleted.svg', makeSvg({ seed: 3 }))
  await send(`${node.url}/images/deleted.svg`, { method: 'DELETE' })
  pathsBefore = await paths()
})
afterAll(() => bench.cleanUp())

async function paths(): Promise<string[]> {
  const { body } = await send(`${node.url}${API}/files`)
  return body.files.map(({ path }: { path: string }) => path)
}

const reasons = new URL('../../src/web/reasons.js', import.meta.url)
const { sayRefusal } = await import(reasons.href)

/**
 * The status and the code, of an answer that says in a sentence what happened; the page has all
 * of it in Chinese.
 */
function expectRefusal({ status, body }: Pick<Answer, 'status' | 'body'>): string {
  const { cause, ...rest } = body
  expect(Object.keys(rest).sort()).toEqual(['code', 'detail'])
  if (cause !== undefined) expect(Object.keys(cause).sort()).toEqual(['code', 'details'])
  expect(body.detail).toMatch(/^[\p{L}\p{N}/].{15,}\.$/u)
  const inChinese = sayRefusal(body.detail, body, { name: 'zh' })
  expect(inChinese).toMatch(/[\u4e00-\u9fff]/)
  expect(inChinese).not.toContain(body.detail)
  return `${status} ${body.code}`
}

const noise = (bytes: number) => noiseBytes(bytes, bytes)
const large = () => noise(FILE_BYTES_MAX + 1)
const elf = Buffer.concat([Buffer.from('\x7fELF\x02\x01\x01'), noise(500)])
const fresh = makeSvg({ seed: 9 })
const putFresh = (path: string, headers = {}) => put(node.url, path, fresh, headers)
const sendForm = (name: string, bytes: Uint8Array, fields = {}) =>
  upload(node.url, name, bytes, fields)
const get = (path: string, headers = {}) => send(node.url + path, { headers })
const remove = (path: string) => send(`${node.url}/images/${path}`, { method: 'DELETE' })
const post = (path: string, body: unknown) => postJson(node.url + path, body)
const postText = (path: string, body: string, type: string) =>
  send(node.url + path, { method: 'POST', body, headers: { 'content-type': type } })
const md5Header = (bytes: Uint8Array) => Buffer.from(md5(bytes), 'hex').toString('base64')

const CASES: Readonly<Record<string, Readonly<Record<string, () => Promise<Answer>>>>> = {
  '413 BLOB_TOO_LARGE': {
    'one byte too many': () => put(node.url, 'n.jpg', large()),
    'one byte too many in a form': () => sendForm('n.jpg', large())
  },
  '415 EXTENSION_NOT_ALLOWED': {
    'another extension': () => putFresh('n.exe'),
    'another extension in a form': () => sendForm('n.txt', fresh),
    'no extension': () => putFresh('n')
  },
  '415 CONTENT_MISMATCH': {
    'HTML saved as .jpg': () => sendForm('n.jpg', HTML),
    'a program saved as .jpg': () => put(node.url, 'n.jpg', elf),
    'a PNG named .jpg': () => put(node.url, 'n.jpg', png),
    'a move to another kind of image': () => post('/api/move', { from: 'kept.svg', to: 'kept.png' })
  },
  '400 HASH_MISMATCH': {
    'a wrong Content-MD5': () => putFresh('n.svg', { 'content-md5': md5Header(kept) }),
    'a wrong X-Content-SHA256': () => putFresh('n.svg', { 'x-content-sha256': sha256(kept) }),
    'a wrong file_hash': () => sendForm('n.svg', fresh, { file_hash: md5(kept) }),
    'a wrong sha256': () => sendForm('n.svg', fresh, { sha256: sha256(kept) })
  },
  '400 BAD_HASH': {
    'a Content-MD5 that is none': () => putFresh('n.svg', { 'content-md5': 'zzz' }),
    'a file_hash that is none': () => sendForm('n.svg', fresh, { file_hash: 'zzz' }),
    'a hash in an address that is none': () => get('/blobs/abc')
  },
  '422 BAD_PATH': {
    'a path that leaves the folder': () => sendForm('n.svg', fresh, { path: '../n.svg' }),
    'a path that leaves it, encoded': () => putFresh('..%2f..%2fn.svg'),
    'a path that begins at the root': () => putFresh('%2fn.svg'),
    'a path with a control character': () => putFresh('a%00.svg'),
    'a path of 1,025 bytes': () => putFresh(`${'d/'.repeat(509)}abc.svg`)
  },
  '412 PRECONDITION_FAILED': {
    'If-None-Match for what is there': () => putFresh('kept.svg', { 'if-none-match': '*' }),
    'If-Match with another hash': () => putFresh('kept.svg', { 'if-match': `"${sha256(other)}"` }),
    'If-Match for what is not there': () => putFresh('n.svg', { 'if-match': '*' })
  },
  '409 NAME_TAKEN': {
    'a move to a taken name': () => post('/api/move', { from: 'kept.svg', to: 'other.svg' }),
    'a copy to a taken name': () => post('/api/copy', { from: 'kept.svg', to: 'other.svg' })
  },
  '404 NOT_FOUND': {
    'an image that never was': () => get('/images/no.svg'),
    'a hash that nothing has': () => get(`/blobs/${'0'.repeat(64)}`),
    'a task that never was': () => get(`${API}/tasks/verify_1`),
    'an address that is none': () => get('/no/such/address'),
    'moving nothing': () => post('/api/move', { from: 'no.svg', to: 'n.svg' }),
    'deleting nothing': () => remove('no.svg'),
    'restoring what is not kept': () => post('/api/restore', { path: 'no.svg' }),
    'a hash without its file': () =>
      postText(`${API}/upload`, form('sha256', sha256(fresh)), 'multipart/form-data; boundary=b')
  },
  '410 GONE': {
    'an image that was deleted': () => get('/images/deleted.svg'),
    'deleting what was deleted': () => remove('deleted.svg')
  },
  '416 RANGE_NOT_SATISFIABLE': {
    'a range beyond the end': () => get('/images/kept.svg', { range: 'bytes=99999-' })
  },
  '400 BAD_REQUEST': {
    'a packed body': () => putFresh('n.svg', { 'content-encoding': 'gzip' }),
    'a part of a body': () => putFresh('n.svg', { 'content-range': 'bytes 0-9/20' }),
    'a body that is no JSON': () => postText('/api/move', '{"from', 'application/json'),
    'a body of another type': () => postText('/api/move', '<a/>', 'text/xml'),
    'a form that is broken off': () =>
      postText(`${API}/upload`, '--b\r\n', 'multipart/form-data; boundary=b')
  },
  '405 METHOD_NOT_ALLOWED': {
    'a method that is none here': () => send(`${node.url}/api/move`, { method: 'PUT', body: 'x' })
  },
  '401 UNAUTHORIZED': {
    'a key that is not known': () =>
      get(`${API}/files`, { authorization: `Bearer ${'x'.repeat(40)}` })
  }
}

function form(name: string, value: string): string {
  return `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n--b--\r\n`
}

for (const [refusal, cases] of Object.entries(CASES)) {
  describe(refusal, () => {
    test.each(Object.entries(cases))('%s', async (_what, ask) => {
      expect(expectRefusal(await ask())).toBe(refusal)
    })
  })
}

test('a key without the scope: 403 FORBIDDEN', async () => {
  const { body } = await postJson(`${node.url}/api/keys`, { name: 'reader', scopes: ['read'] })
  const headers = { authorization: `Bearer ${body.key}` }
  const answer = await send(`${node.url}/images/kept.svg`, { method: 'DELETE', headers })
  expect(expectRefusal(answer)).toBe('403 FORBIDDEN')
})

test('a field that is not valid: 422 with its place', async () => {
  const answers = [
    await postJson(`${node.url}/api/move`, { from: 'kept.svg' }),
    await upload(node.url, 'n.svg', kept, { source_url: 'not a url' }),
    await send(`${node.url}/api/images`, { method: 'DELETE' })
  ]
  for (const { status, body } of answers) {
    expect([status, body.code]).toEqual([422, 'VALIDATION'])
    expect(sayRefusal(body.detail[0].msg, body, { name: 'zh' })).not.toContain(body.detail[0].msg)
    expect(body.detail[0]).toMatchObject({
      loc: expect.any(Array),
      msg: expect.any(String),
      type: expect.any(String)
    })
  }
})

describe('a body that is too large', () => {
  test('is refused before it is sent where its length is known', async () => {
    const client = new RawClient(node.port)
    client.write(
      `PUT /images/n.jpg HTTP/1.1\r\nHost: 127.0.0.1:${node.port}\r\n` +
        `Content-Length: ${FILE_BYTES_MAX + 1}\r\n\r\n`
    )
    expect(await client.until(/"code"/)).toMatch(/^HTTP\/1\.1 413 /)
    client.destroy()
  })

  test('is refused at the limit where it is not', async () => {
    const { status, json } = await sendRaw(node.port, '/images/n.jpg', {
      method: 'PUT',
      headers: { 'Transfer-Encoding': 'chunked' },
      body: noise(FILE_BYTES_MAX + 1)
    })
    expect(expectRefusal({ status, body: json })).toBe('413 BLOB_TOO_LARGE')
  })

  test('one of exactly the limit is taken', async () => {
    expect((await put(node.url, 'new.jpg', noise(FILE_BYTES_MAX))).status).toBe(201)
    expect((await send(`${node.url}/images/new.jpg?purge=true`, { method: 'DELETE' })).status).toBe(
      200
    )
  })
})

const inTemp = () => readdirSync(bench.path('a', 'temp')).filter((name) => name.endsWith('.part'))

test('a client that goes away in the middle of an upload leaves nothing', async () => {
  for (const head of [
    `PUT /images/n.jpg HTTP/1.1\r\nContent-Length: 900000\r\n`,
    `PUT /images/n.jpg HTTP/1.1\r\nTransfer-Encoding: chunked\r\n`,
    `POST ${API}/upload HTTP/1.1\r\nContent-Length: 900000\r\nContent-Type: multipart/form-data; boundary=b\r\n`
  ]) {
    const client = new RawClient(node.port)
    client.write(`${head}Host: 127.0.0.1:${node.port}\r\n\r\n`)
    if (head.includes('chunked')) client.write(`${(900_000).toString(16)}\r\n`)
    if (head.includes('boundary')) {
      client.write('--b\r\nContent-Disposition: form-data; name="file"; filename="n.jpg"\r\n\r\n')
    }
    client.write(noise(600_000))
    await eventually(() => expect(inTemp()).toHaveLength(1))
    client.destroy()
    await eventually(() => expect(inTemp()).toEqual([]))
  }
  expect((await send(`${node.url}/images/n.jpg`)).status).toBe(404)
})

test('garbage on the port is answered once, and ends its own connection only', async () => {
  const tlsHello = Buffer.from('16030100c8010000c40303', 'hex')
  for (const garbage of [tlsHello, noise(5000), Buffer.from('HELLO\r\n\r\n'), Buffer.alloc(100)]) {
    const client = new RawClient(node.port)
    client.write(garbage)
    const received = await client.end()
    expect(received).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/)
    const body = JSON.parse(received.slice(received.indexOf('\r\n\r\n') + 4))
    expect(expectRefusal({ status: 400, body })).toBe('400 BAD_REQUEST')
  }
  const long = new RawClient(node.port)
  long.write(`GET / HTTP/1.1\r\nX-Long: ${'a'.repeat(20_000)}\r\n\r\n`)
  expect(await long.end()).toMatch(/^HTTP\/1\.1 431 /)
})

test('after all of it the node has what it had, and works', async () => {
  expect(await paths()).toEqual(pathsBefore)
  await expectSoundFolder(node.url, bench.path('a'), [sha256(makeSvg({ seed: 3 }))])
  expect((await put(node.url, 'after.svg', makeSvg({ seed: 4 }))).status).toBe(201)
  expect((await send(`${node.url}/api/storage-status`)).body.status).toBe('healthy')
  expect(node.stderr).not.toMatch(/"level":(?:50|60)/)
})
