// Images over real connections: what a reader gets.

import { connect } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ImageToSend } from '../../src/http/image-response.ts'
import { SMALL_BLOB_BYTES_MAX } from '../../src/store/blob-store.ts'
import { contentOf, ETAG, ImageServer, LARGE, MODIFIED } from '../support/image-server.ts'
import { splitMultipart } from '../support/multipart.ts'

const CSP = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
let world: ImageServer

beforeEach(async () => {
  world = new ImageServer()
  await world.listen()
})

afterEach(async () => {
  await world.close()
  for (const { closes, reading } of world.blobs) {
    expect({ closes, reading }).toEqual({ closes: 1, reading: 0 })
  }
})

describe('whole', () => {
  test.each([
    0,
    1,
    SMALL_BLOB_BYTES_MAX - 1,
    SMALL_BLOB_BYTES_MAX,
    SMALL_BLOB_BYTES_MAX + 1,
    LARGE
  ])('%s bytes arrive as they are', async (bytes) => {
    const content = contentOf(bytes)
    world.serve(content)
    const { status, headers, body } = await world.get()
    expect(status).toBe(200)
    expect(body.equals(content)).toBe(true)
    expect(headers).toMatchObject({
      etag: ETAG,
      'x-file-hash': 'cd'.repeat(16),
      'last-modified': MODIFIED,
      'accept-ranges': 'bytes',
      'content-length': String(bytes),
      'content-type': 'image/png',
      'x-content-type-options': 'nosniff',
      'x-image-source': 'local',
      'cache-control': 'no-cache'
    })
    expect(headers).not.toHaveProperty('content-disposition')
    expect(headers).not.toHaveProperty('content-security-policy')
    expect(world.faults).toEqual([])
  })

  test.each([1000, LARGE])('HEAD of %s bytes says what GET says', async (bytes) => {
    world.serve(contentOf(bytes))
    const { headers: expected } = await world.get()
    const { status, headers, body } = await world.get({}, 'HEAD')
    expect({ status, bytes: body.byteLength }).toEqual({ status: 200, bytes: 0 })
    expect({ ...headers, date: '' }).toEqual({ ...expected, date: '' })
    expect(world.blobs[1]?.pulledBytes).toBe(0)
  })

  test('two on one connection', async () => {
    world.serve(contentOf(LARGE))
    const socket = connect(world.port, '127.0.0.1')
    const lines = 'GET /a HTTP/1.1\r\nHost: a\r\n'
    socket.write(`${lines}\r\n${lines}Connection: close\r\n\r\n`)
    let bytes = 0
    for await (const piece of socket) bytes += (piece as Buffer).byteLength
    expect(bytes).toBeGreaterThan(2 * LARGE)
    expect(world.blobs).toHaveLength(2)
  })
})

describe('how it is shown', () => {
  test('SVG runs nothing', async () => {
    world.serve(contentOf(10), { mediaType: 'image/svg+xml' })
    const { headers } = await world.get()
    expect(headers).toMatchObject({
      'content-type': 'image/svg+xml',
      'content-security-policy': CSP
    })
    expect(headers).not.toHaveProperty('content-disposition')
  })

  test.each<[string, Partial<ImageToSend>]>([
    ['bytes that no decoder knows', { recognized: false }],
    ['what another node calls HTML', { mediaType: 'text/html' }],
    ['a media type with a parameter', { mediaType: 'image/png; charset=x' }],
    ['no media type', { mediaType: '' }]
  ])('%s are a harmless download', async (_, more) => {
    world.serve(contentOf(10), more)
    const { headers } = await world.get()
    expect(headers).toMatchObject({
      'content-type': 'application/octet-stream',
      'content-security-policy': CSP,
      'x-content-type-options': 'nosniff',
      'content-disposition': expect.stringMatching(/^attachment; /)
    })
  })

  test.each<[string, boolean]>([
    ['/a?download', true],
    ['/a?x=1&download=1', true],
    ['/a?downloads', false],
    ['/download', false]
  ])('%s as a download: %s', async (path, expected) => {
    const { headers } = await world.get({}, 'GET', path)
    const name = `attachment; filename="_.png"; filename*=UTF-8''%E5%9B%BE.png`
    expect(headers['content-disposition']).toBe(expected ? name : undefined)
  })

  test('the name of a peer breaks no header', async () => {
    const { open } = world.serve(contentOf(10))
    world.image = {
      ...world.image,
      open: async () => ({ ...(await open()), from: 'b\r\nSet-Cookie: x' })
    }
    for (const method of ['GET', 'HEAD']) {
      const { headers } = await world.get({}, method)
      expect(headers['x-image-source']).toBe('peer:b__Set-Cookie:_x')
      expect(headers).not.toHaveProperty('set-cookie')
    }
  })
})

describe('conditions', () => {
  test.each([{ 'If-None-Match': ETAG }, { 'If-Modified-Since': MODIFIED }])(
    '%j: 304',
    async (header) => {
      for (const method of ['GET', 'HEAD']) {
        const { status, headers, body } = await world.get(header, method)
        expect({ status, body: body.toString() }).toEqual({ status: 304, body: '' })
        expect(headers).toMatchObject({ etag: ETAG, 'cache-control': 'no-cache' })
        expect(headers).not.toHaveProperty('content-type')
      }
      expect(world.blobs).toEqual([])
    }
  )

  test.each([{ 'If-Match': '"x"' }, { 'If-Unmodified-Since': 'Fri, 31 Dec 2021 12:00:00 GMT' }])(
    '%j: 412',
    async (header) => {
      const { status, headers, body } = await world.get(header)
      expect(status).toBe(412)
      expect(JSON.parse(body.toString())).toMatchObject({ code: 'PRECONDITION_FAILED' })
      expect(headers).toMatchObject({ etag: ETAG, 'cache-control': 'no-store' })
      expect((await world.get(header, 'HEAD')).body).toHaveLength(0)
      expect(world.blobs).toEqual([])
    }
  )
})

describe.each([1000, LARGE])('ranges of %s bytes', (bytes) => {
  const content = contentOf(bytes)
  beforeEach(() => world.serve(content))

  test.each<[string, number, number]>([
    ['bytes=0-9', 0, 10],
    ['bytes=990-', 990, bytes],
    ['bytes=-5', bytes - 5, bytes],
    ['bytes=0-', 0, bytes],
    ['bytes=1-300,200-600', 1, 601]
  ])('%s', async (range, start, end) => {
    const { status, headers, body } = await world.get({ Range: range })
    expect(status).toBe(206)
    expect(body.equals(content.subarray(start, end))).toBe(true)
    expect(headers).toMatchObject({
      'content-range': `bytes ${start}-${end - 1}/${bytes}`,
      'content-length': String(end - start),
      'content-type': 'image/png',
      etag: ETAG
    })
  })

  test('several', async () => {
    const { status, headers, body } = await world.get({ Range: 'bytes=700-899,0-9,-1' })
    expect(status).toBe(206)
    expect(headers['content-length']).toBe(String(body.byteLength))
    expect(headers).not.toHaveProperty('content-range')
    const type = headers['content-type'] ?? ''
    const part = (start: number, end: number) => ({
      headers: `Content-Type: image/png\r\nContent-Range: bytes ${start}-${end - 1}/${bytes}`,
      body: content.subarray(start, end)
    })
    expect(splitMultipart(type, body)).toEqual([
      part(700, 900),
      part(0, 10),
      part(bytes - 1, bytes)
    ])
  })

  test('outside', async () => {
    const { status, headers, body } = await world.get({ Range: `bytes=${bytes}-` })
    expect(status).toBe(416)
    expect(headers).toMatchObject({
      'content-range': `bytes */${bytes}`,
      'cache-control': 'no-store'
    })
    expect(JSON.parse(body.toString())).toMatchObject({ code: 'RANGE_NOT_SATISFIABLE' })
    expect(world.blobs).toEqual([])
  })

  test.each<[string, number]>([
    [ETAG, 206],
    ['"x"', 200],
    [`W/${ETAG}`, 200],
    [MODIFIED, 200]
  ])('If-Range %s: %s', async (ifRange, status) => {
    const got = await world.get({ Range: 'bytes=0-9', 'If-Range': ifRange })
    expect([got.status, got.body.byteLength]).toEqual([status, status === 206 ? 10 : bytes])
  })

  test('HEAD has none', async () => {
    const { status, headers } = await world.get({ Range: 'bytes=0-9' }, 'HEAD')
    expect([status, headers['content-length']]).toEqual([200, String(bytes)])
  })
})
