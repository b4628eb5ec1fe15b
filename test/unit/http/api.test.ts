// The routes behind the real server: what is common to all of them.

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type HttpNode, LOCAL_KEY, startHttpNode } from '../../support/http-node.ts'
import { tinyImage } from '../../support/memory-node.ts'

let http: HttpNode

beforeEach(async () => {
  http = await startHttpNode()
})

afterEach(() => http.close())

function head(line: string, ...more: string[]): string {
  return `${[line, `Host: 127.0.0.1:${http.port}`, ...more].join('\r\n')}\r\n\r\n`
}

describe('addresses', () => {
  it('answers 404 as JSON where nothing is', async () => {
    const { status, json, headers } = await http.send('/nothing?x=1')
    expect([status, json.code]).toEqual([404, 'NOT_FOUND'])
    expect(json.detail).toContain('GET /nothing')
    expect(headers['x-content-type-options']).toBe('nosniff')
    expect(headers['access-control-allow-origin']).toBeUndefined()
  })

  it.each([
    ['POST', '/images/a.jpg', 'DELETE, GET, HEAD, OPTIONS, PUT'],
    ['GET', '/api/move', 'OPTIONS, POST'],
    ['DELETE', '/healthz', 'GET, HEAD, OPTIONS'],
    ['PATCH', '/blobs/x', 'GET, HEAD, OPTIONS'],
    ['PROPFIND', '/images/a.jpg', 'DELETE, GET, HEAD, OPTIONS, PUT'],
    ['TRACE', '/', 'GET, HEAD, OPTIONS'],
    ['POST', '/static/data/images/a.jpg', 'GET, HEAD, OPTIONS']
  ])('answers 405 to %s %s with what is allowed', async (method, path, allow) => {
    const { status, json, headers } = await http.send(path, {
      method,
      headers: { 'Content-Length': '1' },
      body: 'x'
    })
    expect([status, json.code, headers.allow]).toEqual([405, 'METHOD_NOT_ALLOWED', allow])
  })

  it('answers OPTIONS with what is allowed, and without rights for other pages', async () => {
    const origin = { Origin: 'https://evil.example', 'Access-Control-Request-Method': 'PUT' }
    const { status, headers, bytes } = await http.send('/images/a.jpg', {
      method: 'OPTIONS',
      headers: origin
    })
    expect([status, bytes.length]).toEqual([204, 0])
    expect(headers.allow).toBe('DELETE, GET, HEAD, OPTIONS, PUT')
    expect(Object.keys(headers).filter((name) => name.startsWith('access-control'))).toEqual([])
  })

  it.each([
    ['/images/%00.jpg', 422, 'BAD_PATH'],
    ['/images/a%5Cb.jpg', 422, 'BAD_PATH'],
    ['/images/../healthz', 422, 'BAD_PATH'],
    ['/images/%2e%2e%2fhealthz', 422, 'BAD_PATH'],
    ['/images/a%2F%2Fb.jpg', 422, 'BAD_PATH'],
    ['/images/', 422, 'BAD_PATH'],
    ['/images/%zz.jpg', 400, 'BAD_REQUEST'],
    ['/images/%', 400, 'BAD_REQUEST'],
    ['/images/%ff.jpg', 400, 'BAD_REQUEST'],
    ['/images/%ED%A0%80.jpg', 400, 'BAD_REQUEST'],
    ['/%zz', 400, 'BAD_REQUEST'],
    ['/file-sync/api/file-sync/file/%00', 422, 'BAD_PATH'],
    ['/file-sync/api/file-sync/file/%', 400, 'BAD_REQUEST'],
    ['/blobs/%00', 400, 'BAD_HASH'],
    ['/blobs/a%2Fb', 400, 'BAD_HASH'],
    ['/ipfs/%00?format=raw', 400, 'BAD_HASH']
  ])('refuses %s', async (path, status, code) => {
    const answer = await http.send(path)
    expect([answer.status, answer.json.code]).toEqual([status, code])
  })

  it.each([['PUT'], ['DELETE']])('refuses the same to %s', async (method) => {
    for (const [path, status] of [
      ['/images/%00.jpg', 422],
      ['/images/%2e%2e/x.jpg', 422],
      ['/images/%zz', 400]
    ] as const) {
      const answer = await http.send(path, { method, body: method === 'PUT' ? 'x' : undefined })
      expect([path, answer.status]).toEqual([path, status])
    }
  })

  it('refuses a path that is too long', async () => {
    const { status, json } = await http.send(`/images/${'a'.repeat(2000)}.jpg`)
    expect([status, json.code]).toEqual([422, 'BAD_PATH'])
  })

  it('decodes a path once', async () => {
    await http.node.put('100%25.svg', tinyImage(1))
    await http.node.put('a/图 1.svg', tinyImage(2))
    expect((await http.send('/images/100%2525.svg')).bytes).toEqual(tinyImage(1))
    expect((await http.send('/images/100%25.svg')).status).toBe(404)
    expect((await http.send('/images/a%2F%E5%9B%BE%201.svg')).bytes).toEqual(tinyImage(2))
    expect((await http.send('/images/a/%E5%9B%BE%201.svg?x=%zz')).bytes).toEqual(tinyImage(2))
  })

  it('knows other spellings of an address', async () => {
    await http.node.put('a.svg', tinyImage(1))
    expect((await http.send('/%69mages/a.svg')).bytes).toEqual(tinyImage(1))
    expect((await http.send(`http://127.0.0.1:${http.port}/images/a.svg`)).status).toBe(200)
    expect((await http.send('/%69mages/%00')).json.code).toBe('BAD_PATH')
  })
})

describe('bodies', () => {
  const restore = (body: string | undefined, type?: string) =>
    http.send('/api/restore', {
      method: 'POST',
      headers: type === undefined ? {} : { 'Content-Type': type },
      body
    })

  it.each([
    [undefined],
    ['text/plain'],
    ['application/json'],
    ['application/x-www-form-urlencoded'],
    ['multipart/form-data; boundary=x'],
    ['nonsense']
  ])('takes an empty body of the type %s', async (type) => {
    const { status, json } = await http.send('/api/force-file-sync', {
      method: 'POST',
      headers: type === undefined ? {} : { 'Content-Type': type }
    })
    expect([status, json.status]).toEqual([200, 'success'])
  })

  it('refuses a missing body where there must be one', async () => {
    const { status, json } = await restore(undefined)
    expect([status, json.code]).toEqual([422, 'VALIDATION'])
    expect(json.detail[0].loc).toEqual(['body'])
  })

  it.each([['{"path": '], ['nothing'], ['\xff\xfe']])(
    'refuses malformed JSON: %s',
    async (body) => {
      const { status, json } = await restore(body, 'application/json')
      expect([status, json.code]).toEqual([400, 'BAD_REQUEST'])
      expect(json.detail).toContain('not JSON')
    }
  )

  it('reads JSON whatever its type says', async () => {
    await http.node.put('a.svg', tinyImage(1))
    for (const type of [undefined, 'text/plain', 'application/json; charset=utf-8', 'x']) {
      expect((await restore('{"path": "a.svg"}', type)).status).toBe(200)
    }
  })

  it('names the fields that it does not know, or that are wrong', async () => {
    const unknown = await restore('{"path": "a.svg", "force": true}')
    expect(unknown.status).toBe(422)
    expect(unknown.json.detail[0].msg).toContain('force')
    const wrong = await restore('{"path": 1, "__proto__": {"x": 1}}')
    expect(wrong.json.detail[0]).toMatchObject({ loc: ['body', 'path'] })
  })

  it('refuses a JSON body that is too long, before and while it is read', async () => {
    const long = JSON.stringify({ path: 'a'.repeat(1024 * 1024) })
    const known = await restore(long)
    expect([known.status, known.json.code]).toEqual([413, 'BLOB_TOO_LARGE'])
    expect(known.json.detail).toContain('1048576 bytes')
    const chunked = await http.send('/api/restore', {
      method: 'POST',
      headers: { 'Transfer-Encoding': 'chunked' },
      body: long
    })
    expect(chunked.status).toBe(413)
  })

  it('takes no other expectation for a reason to refuse', async () => {
    const reply = await http.send('/api/storage-status', { headers: { Expect: 'the best' } })
    expect(reply.status).toBe(200)
  })

  it('asks for a body only after the caller was let in', async () => {
    const expects = ['Expect: 100-continue', 'Content-Length: 16', 'Origin: https://evil.example']
    const refused = http.connect()
    refused.write(head('POST /api/restore HTTP/1.1', ...expects))
    expect(await refused.end()).toMatch(/^HTTP\/1.1 401 [\s\S]*Connection: close/)
    const admitted = http.connect()
    admitted.write(head('POST /api/restore HTTP/1.1', 'Expect: 100-continue', 'Content-Length: 16'))
    await admitted.until(/^HTTP\/1.1 100 Continue\r\n\r\n$/)
    admitted.write('{"path":"a.svg"}')
    await admitted.until(/HTTP\/1.1 404 /)
    admitted.destroy()
  })
})

describe('callers', () => {
  it('lets nobody write for a page of another origin, or with a forged Host', async () => {
    for (const headers of [{ Origin: 'https://evil.example' }, { Host: 'evil.example' }]) {
      for (const [method, path] of [
        ['DELETE', '/images/a.svg'],
        ['PUT', '/images/a.svg'],
        ['POST', '/api/export-index'],
        ['POST', '/file-sync/api/file-sync/upload']
      ] as const) {
        const { status, json, headers: answered } = await http.send(path, { method, headers })
        expect([path, status, json.code]).toEqual([path, 401, 'UNAUTHORIZED'])
        expect(answered['www-authenticate']).toBe('Bearer')
      }
    }
  })

  it('notices a proxy by a read of an image', async () => {
    await http.send('/images/a.svg', { headers: { 'X-Forwarded-For': '1.2.3.4' } })
    expect((await http.send('/api/export-index', { method: 'POST' })).status).toBe(401)
    const keyed = await http.send('/api/export-index', {
      method: 'POST',
      headers: { Authorization: `Bearer ${LOCAL_KEY}` }
    })
    expect(keyed.status).toBe(200)
  })

  it('sees a forwarding header behind any number of others', async () => {
    // more than the platform keeps by default, as short as headers can be
    const others = Array.from({ length: 2_500 }, () => 'a:')
    const client = http.connect()
    client.write(head('GET /healthz HTTP/1.1', ...others, 'Via: 1.1 proxy'))
    await client.until(/200 OK/)
    client.destroy()
    expect((await http.send('/api/export-index', { method: 'POST' })).status).toBe(401)
  })
})
