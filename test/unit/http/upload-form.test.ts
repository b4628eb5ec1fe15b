// What is no proper upload, and what is refused of it.

import { createHash } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { NodeError } from '../../../src/base/errors.ts'
import {
  FORM_TYPE,
  type FormPart,
  formBody,
  type HttpNode,
  sendForm,
  startHttpNode,
  UPLOAD
} from '../../support/http-node.ts'
import { TEST_INGEST, tinyImage } from '../../support/memory-node.ts'

const IMAGE = tinyImage(1)
const MD5 = createHash('md5').update(IMAGE).digest('hex')
const FILE: FormPart = { name: 'file', fileName: 'photo.svg', value: IMAGE }

let http: HttpNode

beforeEach(async () => {
  http = await startHttpNode()
})

afterEach(() => http.close())

const images = () => http.node.flows.index.counts().images
const blobs = () => http.node.flows.index.counts().blobs

describe('refusals', () => {
  const refused = async (form: readonly FormPart[], headers = {}) => {
    const { status, json } = await sendForm(http, form, headers)
    expect([images(), blobs(), http.node.store.leftovers()]).toEqual([0, 0, []])
    return [status, json.code]
  }

  it('of what is no form, or has no file', async () => {
    expect(await refused([])).toEqual([422, 'VALIDATION'])
    expect(await refused([{ name: 'path', value: 'a.svg' }])).toEqual([422, 'VALIDATION'])
    expect(await refused([{ ...FILE, name: 'image' }])).toEqual([422, 'VALIDATION'])
    expect(await refused([{ name: 'file', value: 'text' }])).toEqual([422, 'VALIDATION'])
    for (const type of ['application/json', 'image/svg+xml', 'multipart/form-data', 'x']) {
      const headers = { 'Content-Type': type }
      const { status, json } = await http.send(UPLOAD, { method: 'POST', headers, body: IMAGE })
      expect([type, status, json.code]).toEqual([type, 422, 'VALIDATION'])
    }
    expect((await http.send(UPLOAD, { method: 'POST' })).status).toBe(422)
  })

  it('of a file in a coding that nobody undoes', async () => {
    for (const [coding, status] of [
      ['base64', 422],
      ['quoted-printable', 422],
      ['Binary', 201]
    ] as const) {
      const head = `Content-Disposition: form-data; name="file"; filename="a.svg"\r\nContent-Transfer-Encoding: ${coding}`
      const body = Buffer.from(`--B\r\n${head}\r\n\r\n${IMAGE}\r\n--B--\r\n`)
      const headers = { 'Content-Type': 'multipart/form-data; boundary=B' }
      const answer = await http.send(UPLOAD, { method: 'POST', headers, body })
      expect([coding, answer.status]).toEqual([coding, status])
      expect(images()).toBe(status === 201 ? 1 : 0)
    }
  })

  it('of fields that say nothing possible', async () => {
    expect(await refused([FILE, { name: 'path', value: '../a.svg' }])).toEqual([422, 'BAD_PATH'])
    expect(await refused([{ name: 'path', value: 'con.svg' }, FILE])).toEqual([422, 'BAD_PATH'])
    expect(await refused([FILE, { name: 'file_hash', value: 'x' }])).toEqual([400, 'BAD_HASH'])
    expect(await refused([FILE, { name: 'sha256', value: MD5 }])).toEqual([400, 'BAD_HASH'])
    expect(await refused([FILE, { name: 'source_url', value: 'no url' }])).toEqual([
      422,
      'VALIDATION'
    ])
    const long = { name: 'source_url', value: `https://x/${'a'.repeat(3000)}` }
    expect(await refused([FILE, long])).toEqual([422, 'VALIDATION'])
    expect(await refused([FILE, { name: 'path', value: 'a'.repeat(9000) }])).toEqual([
      422,
      'VALIDATION'
    ])
    const twice = ['a.svg', 'b.svg'].map((value) => ({ name: 'path', value }))
    expect(await refused([FILE, ...twice])).toEqual([422, 'VALIDATION'])
    expect(await refused([FILE, { name: '__proto__', value: 'x' }])).toEqual([400, 'BAD_REQUEST'])
    const many = Array.from({ length: 200 }, (_, n) => ({ name: `f${n}`, value: 'x' }))
    expect(await refused([FILE, ...many])).toEqual([422, 'VALIDATION'])
  })

  it('of extensions, and of bytes that are something else', async () => {
    expect(await refused([{ ...FILE, fileName: 'a.exe' }])).toEqual([415, 'EXTENSION_NOT_ALLOWED'])
    expect(await refused([{ ...FILE, fileName: 'a' }])).toEqual([415, 'EXTENSION_NOT_ALLOWED'])
    const exe = { name: 'path', value: 'a.exe' }
    expect(await refused([FILE, exe])).toEqual([415, 'EXTENSION_NOT_ALLOWED'])
    expect(await refused([{ ...FILE, fileName: 'a.png' }])).toEqual([415, 'CONTENT_MISMATCH'])
    const html = { ...FILE, fileName: 'a.jpg', value: '<!doctype html><title>404</title>' }
    expect(await refused([html])).toEqual([415, 'CONTENT_MISMATCH'])
  })

  it('of anything, leaving no staged file behind', async () => {
    const { store } = http.node
    const staged = new Set<unknown>()
    const [stage, finish] = [store.stage.bind(store), store.finish.bind(store)]
    store.stage = async (...given) => {
      const blob = await stage(...given)
      staged.add(blob)
      return blob
    }
    store.finish = (blob) => {
      staged.delete(blob)
      finish(blob)
    }
    await refused([FILE, { ...FILE, value: Buffer.alloc(10_000_001) }])
    await refused([FILE, FILE, { name: 'path', value: 'a.svg' }])
    await refused([FILE, { name: 'sha256', value: 'x' }])
    await refused([{ ...FILE, fileName: 'a.exe' }])
    expect(staged).toEqual(new Set())
  })

  it('of a form that ends too early', async () => {
    const body = formBody([FILE], { end: false })
    const headers = { 'Content-Type': FORM_TYPE }
    for (const cut of [body, body.subarray(0, -20), body.subarray(0, 30)]) {
      const { status, json } = await http.send(UPLOAD, { method: 'POST', headers, body: cut })
      expect([status, json.code]).toEqual([400, 'BAD_REQUEST'])
    }
    expect(images()).toBe(0)
  })

  it('of what is too large, at the limit', async () => {
    const bytes = TEST_INGEST.maxFileSizeBytes
    const large = { ...FILE, fileName: 'a.jpg', value: Buffer.alloc(bytes + 1, 7) }
    expect(await refused([large])).toEqual([413, 'BLOB_TOO_LARGE'])
    const fits = await sendForm(http, [{ ...large, value: Buffer.alloc(bytes, 7) }])
    expect([fits.status, fits.json.recognized]).toEqual([201, false])
  })

  it('of what is too large altogether, before it is read', async () => {
    const client = http.connect()
    client.write(
      `POST ${UPLOAD} HTTP/1.1\r\nHost: 127.0.0.1:${http.port}\r\nContent-Type: ${FORM_TYPE}\r\n` +
        'Content-Length: 2000000000\r\n\r\nx'
    )
    await client.until(/^HTTP\/1.1 413 [\s\S]*BLOB_TOO_LARGE/)
    client.destroy()
  })

  it('before the body is read where the path can not be', async () => {
    const client = http.connect()
    const form = formBody([{ name: 'path', value: 'a.exe' }, FILE], { end: false })
    client.write(
      `POST ${UPLOAD} HTTP/1.1\r\nHost: 127.0.0.1:${http.port}\r\nContent-Type: ${FORM_TYPE}\r\n` +
        `Content-Length: 5000000\r\n\r\n`
    )
    client.write(form)
    await client.until(/^HTTP\/1.1 415 [\s\S]*EXTENSION_NOT_ALLOWED/)
    client.write(Buffer.alloc(4_000_000)) // it goes on all the same, and is not reset
    client.write(Buffer.alloc(1_000_000 - form.length))
    client.write(`GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:${http.port}\r\n\r\n`)
    await client.until(/HTTP\/1.1 200 [\s\S]*"ok"/)
    client.destroy()
  })

  it('cuts off who goes on sending for ever', async () => {
    const client = http.connect()
    client.write(
      `POST ${UPLOAD} HTTP/1.1\r\nHost: 127.0.0.1:${http.port}\r\nContent-Type: ${FORM_TYPE}\r\n` +
        'Content-Length: 2000000000\r\n\r\nx'
    )
    await client.until(/^HTTP\/1.1 413 /)
    http.node.clock.advance(30_000)
    await client.end()
  })

  it('of what the disk has no room for, before it is read', async () => {
    const full = await startHttpNode({
      parts: (node) => ({
        flows: {
          ...node.flows,
          room: {
            ...node.flows.room,
            demand(bytes) {
              if (bytes > 0) throw new NodeError('DISK_FULL', 'The disk is full.')
            },
            take() {}
          }
        }
      })
    })
    const client = full.connect()
    client.write(
      `POST ${UPLOAD} HTTP/1.1\r\nHost: 127.0.0.1:${full.port}\r\nContent-Type: ${FORM_TYPE}\r\n` +
        'Expect: 100-continue\r\nContent-Length: 5000\r\n\r\n'
    )
    expect(await client.end()).toMatch(/^HTTP\/1.1 507 [\s\S]*DISK_FULL/)
    await full.close()
  })

  it('answers a fault of the disk as one, and keeps nothing', async () => {
    http.node.store.fault = new NodeError('DISK_FULL', 'The disk was full.')
    expect(await refused([FILE])).toEqual([507, 'DISK_FULL'])
    http.node.store.fault = undefined
    expect((await sendForm(http, [FILE])).status).toBe(201)
  })
})
