import { createHash } from 'node:crypto'
import { setImmediate as turn } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { cidOf, parseHash } from '../../../../protocols/hash.ts'
import { parsePath } from '../../../../protocols/path.ts'
import { remove } from '../../../../src/flows/remove.ts'
import {
  FORM_TYPE,
  type FormPart,
  formBody,
  type HttpNode,
  sendForm,
  startHttpNode,
  UPLOAD
} from '../../../support/http-node.ts'
import { tinyImage } from '../../../support/memory-node.ts'

const IMAGE = tinyImage(1)
const SHA256 = createHash('sha256').update(IMAGE).digest('hex')
const MD5 = createHash('md5').update(IMAGE).digest('hex')
const FILE: FormPart = { name: 'file', fileName: 'photo.svg', value: IMAGE }

let http: HttpNode

beforeEach(async () => {
  http = await startHttpNode()
})

afterEach(() => http.close())

const images = () => http.node.flows.index.counts().images
const blobs = () => http.node.flows.index.counts().blobs

describe('one file', () => {
  it('answers all there is to say', async () => {
    const { status, json } = await sendForm(http, [FILE])
    const path = `photo_${http.node.clock.now()}.svg`
    expect(status).toBe(201)
    expect(json).toEqual({
      status: 'success',
      message: `${path} was stored.`,
      file_path: path,
      filename: path,
      size: IMAGE.byteLength,
      hash: MD5,
      sha256: SHA256,
      cid: cidOf(parseHash(SHA256)),
      mime_type: 'image/svg+xml',
      recognized: true,
      width: 4,
      height: 3,
      url: `/images/${path}`,
      duplicate: false,
      duplicate_of: null,
      replicas: 1,
      servers: ['a']
    })
    expect((await http.send(json.url)).bytes).toEqual(IMAGE)
  })

  it.each([
    ['before', (field: FormPart) => [field, FILE]],
    ['after', (field: FormPart) => [FILE, field]]
  ])('takes fields %s the file', async (_where, form) => {
    const { status, json } = await sendForm(http, form({ name: 'path', value: 'a/图.svg' }))
    expect([status, json.file_path, json.filename]).toEqual([201, 'a/图.svg', '图.svg'])
    expect(json.url).toBe('/images/a/%E5%9B%BE.svg')
  })

  it('keeps the source, and ignores fields that are empty or unknown', async () => {
    const { json } = await sendForm(http, [
      { name: 'path', value: '' },
      { name: 'source_url', value: 'https://x.example/y.svg' },
      FILE,
      { name: 'more', value: 'x' },
      { name: 'other', fileName: 'other.svg', value: tinyImage(2) }
    ])
    const entry = http.node.flows.index.image(parsePath(json.file_path))
    expect(entry?.sourceUrl).toBe('https://x.example/y.svg')
    expect(images()).toBe(1)
  })

  it('answers in Chinese who asks for it', async () => {
    const { json } = await sendForm(http, [FILE], { 'Accept-Language': 'zh-CN,en;q=0.5' })
    expect(json.message).toContain('已保存')
  })

  it('makes no second image of the same bytes', async () => {
    await sendForm(http, [FILE, { name: 'path', value: 'first.svg' }])
    const again = await sendForm(http, [{ ...FILE, fileName: 'other.svg' }])
    expect(again.status).toBe(200)
    expect(again.json).toMatchObject({
      file_path: 'first.svg',
      duplicate: true,
      duplicate_of: 'first.svg'
    })
    const same = await sendForm(http, [FILE, { name: 'path', value: 'first.svg' }])
    expect([same.status, same.json.duplicate]).toEqual([200, false])
    expect(images()).toBe(1)
    const second = await sendForm(http, [FILE, { name: 'path', value: 'second.svg' }])
    expect([second.status, images(), blobs()]).toEqual([201, 2, 1])
  })

  it('replaces what a path held', async () => {
    await sendForm(http, [FILE, { name: 'path', value: 'a.svg' }])
    const other = { ...FILE, value: tinyImage(2) }
    const { status, json } = await sendForm(http, [other, { name: 'path', value: 'a.svg' }])
    expect([status, json.file_path]).toEqual([201, 'a.svg'])
    expect((await http.send('/images/a.svg')).bytes).toEqual(tinyImage(2))
  })

  it('checks the hashes that the client expects', async () => {
    const right = await sendForm(http, [
      FILE,
      { name: 'file_hash', value: MD5.toUpperCase() },
      { name: 'sha256', value: SHA256 }
    ])
    expect(right.status).toBe(201)
    for (const field of [
      { name: 'file_hash', value: 'ab'.repeat(16) },
      { name: 'sha256', value: 'ab'.repeat(32) }
    ]) {
      const wrong = await sendForm(http, [{ ...FILE, value: tinyImage(3) }, field])
      expect([wrong.status, wrong.json.code]).toEqual([400, 'HASH_MISMATCH'])
    }
    expect(blobs()).toBe(1)
  })
})

describe('several files', () => {
  const several = [1, 2, 3].map((n) => ({ ...FILE, fileName: `p${n}.svg`, value: tinyImage(n) }))

  it('takes each', async () => {
    const { status, json } = await sendForm(http, [
      ...several,
      { name: 'source_url', value: 'https://x.example/' }
    ])
    expect([status, json.status, json.files.length, images()]).toEqual([201, 'success', 3, 3])
    expect(json.files[2]).toMatchObject({ status: 'success', replicas: 1, duplicate: false })
    const again = await sendForm(http, several)
    expect([again.status, again.json.files[0].duplicate]).toEqual([200, true])
  })

  it.each([
    ['path', 'a.svg'],
    ['file_hash', MD5],
    ['sha256', SHA256]
  ])('refuses %s, which can be of one only', async (name, value) => {
    for (const form of [
      [{ name, value }, ...several],
      [...several, { name, value }]
    ]) {
      const { status, json } = await sendForm(http, form)
      expect([status, json.code, json.detail[0].loc]).toEqual([422, 'VALIDATION', ['body', name]])
    }
    expect(images()).toBe(0)
  })

  it('says which of them were refused', async () => {
    const html = { name: 'file', fileName: 'page.svg', value: '<!doctype html><html></html>' }
    const { status, json } = await sendForm(http, [
      several[0] as FormPart,
      html,
      several[1] as FormPart
    ])
    expect([status, json.code, images()]).toEqual([415, 'CONTENT_MISMATCH', 2])
    expect(json.detail).toContain('2 of 3')
    expect(json.files[1]).toMatchObject({
      status: 'error',
      filename: 'page.svg',
      code: 'CONTENT_MISMATCH'
    })
  })

  it('takes 100 and no more', async () => {
    const many = Array.from({ length: 101 }, (_, n) => ({ ...FILE, value: tinyImage(n) }))
    const { status, json } = await sendForm(http, many)
    expect([status, json.code]).toEqual([422, 'VALIDATION'])
    expect(json.detail[0].msg).toContain('100 files')
    expect(images()).toBe(0)
    expect((await sendForm(http, many.slice(1))).status).toBe(201)
    expect(images()).toBe(100)
  })
})

describe('bytes that are here already', () => {
  it('need no file', async () => {
    await http.node.put('a.svg', IMAGE)
    const field = { name: 'sha256', value: SHA256 }
    const known = await sendForm(http, [field])
    expect([known.status, known.json.file_path, known.json.duplicate]).toEqual([200, 'a.svg', true])
    const named = await sendForm(http, [field, { name: 'path', value: 'b.svg' }])
    expect([named.status, named.json.file_path]).toEqual([201, 'b.svg'])
    expect([images(), blobs()]).toEqual([2, 1])
  })

  it('are asked for if they are not, or only in the trash, or damaged', async () => {
    const field = { name: 'sha256', value: SHA256 }
    const missing = await sendForm(http, [field])
    expect([missing.status, missing.json.code]).toEqual([404, 'NOT_FOUND'])
    expect(missing.json.detail).toContain('send the file')
    await http.node.put('a.svg', IMAGE)
    http.node.store.damage(parseHash(SHA256), 'by writing')
    expect((await sendForm(http, [field])).status).toBe(404)
    await remove(http.node.flows, { trashKeepMs: 1 }, parsePath('a.svg'))
    expect((await sendForm(http, [field])).status).toBe(404)
  })
})

describe('clients that wait, or go', () => {
  it('sends a body only when it is asked for', async () => {
    const body = formBody([FILE])
    const client = http.connect()
    client.write(
      `POST ${UPLOAD} HTTP/1.1\r\nHost: 127.0.0.1:${http.port}\r\nContent-Type: ${FORM_TYPE}\r\n` +
        `Expect: 100-continue\r\nContent-Length: ${body.length}\r\n\r\n`
    )
    await client.until(/^HTTP\/1.1 100 Continue\r\n\r\n$/)
    client.write(body)
    await client.until(/HTTP\/1.1 201 /)
    client.destroy()
  })

  it('leaves nothing of a client that goes away in the middle', async () => {
    for (const cut of [10, 150, 300]) {
      const form = [FILE, { ...FILE, value: Buffer.alloc(400_000) }]
      const body = formBody(form)
      const client = http.connect()
      client.write(
        `POST ${UPLOAD} HTTP/1.1\r\nHost: 127.0.0.1:${http.port}\r\nContent-Type: ${FORM_TYPE}\r\n` +
          `Content-Length: ${body.length}\r\n\r\n`
      )
      client.write(body.subarray(0, cut))
      await http.send('/healthz')
      client.destroy()
    }
    await http.send('/healthz')
    expect([images(), blobs(), http.node.store.leftovers()]).toEqual([0, 0, []])
    expect((await sendForm(http, [FILE])).status).toBe(201) // its place is free again
  })

  it('lets some in at one time, and the others when they are done', async () => {
    const narrow = await startHttpNode({ options: { uploadsMax: 1 } })
    const first = narrow.connect()
    const body = formBody([FILE])
    first.write(
      `POST ${UPLOAD} HTTP/1.1\r\nHost: 127.0.0.1:${narrow.port}\r\nContent-Type: ${FORM_TYPE}\r\n` +
        `Content-Length: ${body.length}\r\n\r\n`
    )
    first.write(body.subarray(0, 100))
    await narrow.send('/healthz')
    const others = [2, 3, 4].map((n) => sendForm(narrow, [{ ...FILE, value: tinyImage(n) }]))
    await narrow.send('/healthz')
    for (let n = 0; n < 20; n++) await turn()
    expect(narrow.node.flows.index.counts().images).toBe(0)
    first.write(body.subarray(100))
    await first.until(/HTTP\/1.1 201 /)
    expect((await Promise.all(others)).map(({ status }) => status)).toEqual([201, 201, 201])
    first.destroy()
    await narrow.close()
  })

  it('sends away who waits for nothing', async () => {
    const narrow = await startHttpNode({ options: { uploadsMax: 1 } })
    const slow = narrow.connect()
    slow.write(
      `POST ${UPLOAD} HTTP/1.1\r\nHost: 127.0.0.1:${narrow.port}\r\nContent-Type: ${FORM_TYPE}\r\n` +
        'Content-Length: 1000\r\n\r\n--'
    )
    await narrow.send('/healthz')
    const { pending } = narrow.node.clock
    const waiting = sendForm(narrow, [FILE])
    while (narrow.node.clock.pending === pending) await turn()
    narrow.node.clock.advance(5000)
    const { status, json, headers } = await waiting
    expect([status, json.code, headers['retry-after']]).toEqual([503, 'BUSY', '10'])
    slow.destroy()
    await narrow.close()
  })

  it('takes many at once', async () => {
    const answers = await Promise.all(
      Array.from({ length: 300 }, (_, n) => sendForm(http, [{ ...FILE, value: tinyImage(n) }]))
    )
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]))
    expect(images()).toBe(300)
  })
})
