import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { LogLevels } from '../../../../src/base/log-levels.ts'
import { loadStaticFiles } from '../../../../src/web/static-files.ts'
import { type HttpNode, startHttpNode } from '../../../support/http-node.ts'

const page = await loadStaticFiles()
let http: HttpNode

beforeEach(async () => {
  http = await startHttpNode({ parts: () => ({ page }) })
})

afterEach(() => http.close())

describe('health', () => {
  it('is good', async () => {
    expect((await http.send('/healthz')).json).toEqual({ status: 'ok' })
    expect((await http.send('/readyz')).json).toEqual({ status: 'ready' })
    expect((await http.send('/healthz', { method: 'HEAD' })).status).toBe(200)
  })

  it('is open to everybody', async () => {
    const closed = await startHttpNode({ options: { read: 'key' } })
    const headers = { Origin: 'https://monitor.example' }
    for (const path of ['/healthz', '/readyz', '/openapi.json']) {
      expect((await closed.send(path, { headers })).status).toBe(200)
    }
    await closed.close()
  })

  it('is bad for work when the node is in a critical state, with the reason', async () => {
    const reasons = ['The index could not be written.']
    const sick = await startHttpNode({
      parts: ({ http }) => ({ status: () => ({ ...http.status(), health: 'critical', reasons }) })
    })
    const { status, json } = await sick.send('/readyz')
    expect([status, json.detail]).toEqual([503, 'The index could not be written.'])
    expect((await sick.send('/healthz')).status).toBe(200)
    await sick.close()
  })
})

describe('the page', () => {
  it('is there with its files, and may load nothing else', async () => {
    for (const [path, type] of [
      ['/', 'text/html; charset=utf-8'],
      ['/web/page.css', 'text/css; charset=utf-8'],
      ['/web/page.js', 'text/javascript; charset=utf-8']
    ] as const) {
      const { status, headers, bytes } = await http.send(path)
      expect([path, status, headers['content-type']]).toEqual([path, 200, type])
      expect(bytes).toEqual(page.get(path)?.body)
      expect(headers['content-security-policy']).toContain("default-src 'none'")
      expect(headers['x-content-type-options']).toBe('nosniff')
    }
  })

  it('has the files of the packages that it uses', async () => {
    for (const [path, type, words] of [
      ['/web/uplot.js', 'text/javascript; charset=utf-8', 'export'],
      ['/web/uplot.css', 'text/css; charset=utf-8', '.uplot'],
      ['/web/uqr.js', 'text/javascript; charset=utf-8', 'export']
    ] as const) {
      const { status, headers, bytes } = await http.send(path)
      expect([path, status, headers['content-type']]).toEqual([path, 200, type])
      expect(bytes.toString()).toContain(words)
    }
  })

  it('is sent once', async () => {
    const { headers } = await http.send('/')
    const again = await http.send('/', { headers: { 'If-None-Match': headers.etag ?? '' } })
    expect([again.status, again.bytes.length]).toEqual([304, 0])
    const head = await http.send('/', { method: 'HEAD' })
    expect([head.status, head.bytes.length]).toEqual([200, 0])
  })

  it('has no other files', async () => {
    for (const path of ['/web/', '/web/nothing.js', '/web/..%2fpackage.json', '/web/page.html']) {
      const { status, json } = await http.send(path)
      expect([path, status, json.code]).toEqual([path, 404, 'NOT_FOUND'])
    }
  })
})

describe('the page of the API', () => {
  it('is there with its files, and asks nothing of other servers', async () => {
    for (const [path, type] of [
      ['/docs', 'text/html; charset=utf-8'],
      ['/docs/docs.js', 'text/javascript; charset=utf-8'],
      ['/docs/swagger-ui.css', 'text/css; charset=utf-8'],
      ['/docs/swagger-ui-bundle.js', 'text/javascript; charset=utf-8']
    ] as const) {
      const { status, headers, bytes } = await http.send(path)
      expect([path, status, headers['content-type']]).toEqual([path, 200, type])
      expect(bytes.length).toBeGreaterThan(100)
      expect(headers['content-security-policy']).toContain("default-src 'none'")
      const again = await http.send(path, { headers: { 'If-None-Match': headers.etag ?? '' } })
      expect([path, again.status]).toEqual([path, 304])
    }
  })

  it('is found with a slash behind it, whatever a proxy puts before', async () => {
    const { status, headers } = await http.send('/docs/')
    expect([status, headers.location]).toEqual([308, '../docs'])
  })

  it('has no other files', async () => {
    for (const path of ['/docs/docs.html', '/docs/..%2fpage.js', '/docs/constructor']) {
      const { status, json } = await http.send(path)
      expect([path, status, json.code]).toEqual([path, 404, 'NOT_FOUND'])
    }
  })
})

describe('the levels of the log', () => {
  const change = (node: HttpNode, body: object) =>
    node.send('/api/settings', { method: 'POST', body: JSON.stringify(body) })
  const fact = { from: 'default', origin: 'default', text: 'x', unset: 'y' } as const
  const settings = ['log_level', 'log_levels.network', 'name'].map((key) => ({
    ...{ ...fact, key, value: key === 'log_level' ? 'silent' : undefined }
  }))

  it('are changed one by one, shown as set while it runs, and taken back', async () => {
    const levels = new LogLevels(pino({ level: 'silent' }))
    const set = await startHttpNode({ parts: () => ({ settings, levels }) })
    const nothing = await change(set, {})
    expect(nothing.json).toMatchObject({ log_level: 'silent', log_levels: {} })
    const both = { log_level: 'warn', log_levels: { network: 'debug' } }
    expect((await change(set, both)).json).toMatchObject({ status: 'success', ...both })
    expect([levels.parts.network.level, levels.parts.http.level]).toEqual(['debug', 'warn'])
    const listed = (await set.send('/api/settings')).json.settings
    expect(listed).toMatchObject([
      { key: 'log_level', value: 'warn', from: 'running' },
      { key: 'log_levels.network', value: 'debug', from: 'running' },
      { key: 'name', value: null, from: 'default' }
    ])
    await change(set, { log_level: null, log_levels: { network: null } })
    expect([levels.parts.network.level, levels.parts.http.level]).toEqual(['silent', 'silent'])
    await set.close()
  })

  it('are refused where they are none, and nothing is changed', async () => {
    const levels = new LogLevels(pino({ level: 'silent' }))
    const set = await startHttpNode({ parts: () => ({ levels }) })
    for (const body of [
      ...[{ log_level: 'loud' }, { log_levels: { nothing: 'info' } }, { name: 'b' }],
      { log_levels: { network: 'info', http: 7 } }
    ]) {
      expect([body, (await change(set, body)).status]).toEqual([body, 422])
    }
    expect(levels.parts.network.level).toBe('silent')
    await set.close()
  })
})

it('tells the settings to administrators', async () => {
  const fact = { key: 'http.port', value: '8000', from: 'file', origin: 'tumesh.yaml:3' } as const
  const settings = [{ ...fact, text: 'Port to listen on', unset: undefined }]
  const set = await startHttpNode({ parts: () => ({ settings }) })
  const { json } = await set.send('/api/settings')
  expect(json.settings).toEqual([{ ...fact, meaning: 'Port to listen on', unset: null }])
  const headers = { Origin: 'https://evil.example' }
  expect((await set.send('/api/settings', { headers })).status).toBe(401)
  await set.close()
})

it('exports the index', async () => {
  const { status, json } = await http.send('/api/export-index', { method: 'POST' })
  expect(status).toBe(200)
  expect(json).toMatchObject({ status: 'success', file: '/tmp/file_index.json', entries: 0 })
  const headers = { Origin: 'https://evil.example' }
  expect((await http.send('/api/export-index', { method: 'POST', headers })).status).toBe(401)
})

describe('the API page', () => {
  it('names every way in, who may use it, and what comes of it', async () => {
    const { json } = await http.send('/openapi.json')
    expect(json.openapi).toBe('3.1.0')
    const upload = json.paths['/file-sync/api/file-sync/upload'].post
    expect([upload['x-who'], upload.security]).toEqual(['write', [{ key: ['write'] }, {}]])
    const form = upload.requestBody.content['multipart/form-data'].schema
    expect(Object.keys(form.properties)).toEqual([
      'file',
      'path',
      'file_hash',
      'sha256',
      'source_url'
    ])
    expect(form.properties.file.items.format).toBe('binary')
    expect(upload.responses['413'].content['application/json'].schema.$ref).toContain('Error')

    const put = json.paths['/images/{path}'].put
    expect(put.parameters.map(({ name }: { name: string }) => name)).toEqual([
      'path',
      'wait',
      'timeout'
    ])
    expect(put.requestBody.content['application/octet-stream']).toBeDefined()
    expect(json.paths['/images/{path}'].get['x-who']).toBe('public')
    expect(json.paths['/images/{path}'].delete['x-who']).toBe('write')
    expect(json.paths['/healthz'].get.security).toEqual([])
    const restore = json.paths['/api/restore'].post.requestBody
    expect(restore.content['application/json'].schema.required).toEqual(['path'])
  })

  it('describes each route whole', async () => {
    const { json } = await http.send('/openapi.json')
    for (const [path, methods] of Object.entries<object>(json.paths)) {
      expect(path).not.toMatch(/[*:]/)
      for (const operation of Object.values(methods)) {
        expect(operation.summary.length).toBeGreaterThan(5)
        expect(['anyone', 'public', 'read', 'write', 'admin']).toContain(operation['x-who'])
        expect(Object.keys(operation.responses).length).toBeGreaterThan(1)
        const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
        const described = operation.parameters.filter((one: { in: string }) => one.in === 'path')
        expect(described.map((one: { name: string }) => one.name)).toEqual(inPath)
      }
    }
  })

  it.each([
    ['/api/storage-status', 'get'],
    ['/api/force-file-sync', 'post'],
    ['/file-sync/api/file-sync/status', 'get'],
    ['/file-sync/api/file-sync/files', 'get'],
    ['/file-sync/api/file-sync/verify', 'post'],
    ['/file-sync/api/file-sync/upload', 'post'],
    ['/file-sync/api/file-sync/download/{path}', 'get'],
    ['/file-sync/api/file-sync/file/{path}', 'delete'],
    ['/file-sync/api/file-sync/tasks/{id}', 'get'],
    ['/static/data/images/{path}', 'get'],
    ['/blobs/{hash}', 'get'],
    ['/ipfs/{cid}', 'get'],
    ['/api/images', 'delete'],
    ['/api/copy', 'post']
  ])('has %s', async (path, method) => {
    const { json } = await http.send('/openapi.json')
    expect(json.paths[path]?.[method]).toBeDefined()
  })
})
