// What a node answers is what it says that it answers: clients are compiled against that.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { type HttpNode, sendForm, startHttpNode } from '../../support/http-node.ts'
import { tinyImage } from '../../support/memory-node.ts'
import type { Reply } from '../../support/raw-client.ts'

const API = '/file-sync/api/file-sync'
const HASH = 'ab'.repeat(32)

type Described = Record<
  string,
  Record<string, { responses: Record<string, { content?: Record<string, { schema: object }> }> }>
>

let http: HttpNode
let paths: Described

beforeAll(async () => {
  http = await startHttpNode({ options: { signedUrls: true } })
  paths = (await http.send('/openapi.json')).json.paths
  await http.send('/images/a.svg', { method: 'PUT', body: tinyImage(1) })
  await http.send('/images/gone.svg', { method: 'PUT', body: tinyImage(2) })
  await http.send('/images/gone.svg', { method: 'DELETE' })
})
afterAll(() => http.close())

async function expectAsDescribed(route: string, address: string, body?: object) {
  const [method = '', url = ''] = route.split(' ')
  const text = JSON.stringify(body ?? {})
  const headers = {
    'Content-Type': 'application/json',
    'Content-Length': String(Buffer.byteLength(text))
  }
  const sent = body === undefined ? { method } : { method, headers, body: text }
  const reply = await http.send(address, sent)
  expectShape(url, method, reply)
}

function expectShape(url: string, method: string, { status, json }: Reply) {
  expect([url, status, JSON.stringify(json)]).toEqual([
    url,
    expect.toBeOneOf([200, 201]),
    expect.anything()
  ])
  const { responses } = paths[url]?.[method.toLowerCase()] ?? { responses: {} }
  const schema = responses[status]?.content?.['application/json']?.schema
  expect([url, status, schema === undefined]).toEqual([url, status, false])
  const { error } = z.fromJSONSchema(schema as never).safeParse(json)
  expect([url, error?.issues ?? []]).toEqual([url, []])
}

test.each([
  ['GET /api/storage-status'],
  [`GET ${API}/status`],
  [`GET ${API}/files`],
  [`GET ${API}/file/{path}`, `${API}/file/a.svg`],
  [`GET ${API}/file/{path}`, `${API}/file/gone.svg`],
  [`GET ${API}/tasks`],
  ['GET /api/images'],
  ['GET /api/review'],
  ['GET /api/blocks'],
  ['GET /api/trash'],
  ['GET /api/brakes'],
  ['GET /api/samples'],
  ['GET /api/settings'],
  ['GET /api/keys'],
  ['GET /api/session'],
  ['GET /api/audit'],
  ['GET /api/signing-key'],
  ['GET /api/peers'],
  ['GET /api/drain'],
  ['GET /api/limits'],
  ['GET /healthz'],
  ['GET /readyz']
])('%s %s', async (route, address = route.split(' ')[1] ?? '') => {
  await expectAsDescribed(route, address)
})

test.each<[string, object, string?]>([
  ['POST /api/force-file-sync', {}],
  [`POST ${API}/verify`, { paths: ['a.svg'] }],
  ['POST /api/copy', { from: 'a.svg', to: 'copy.svg' }],
  ['POST /api/move', { from: 'copy.svg', to: 'moved.svg' }],
  ['POST /api/restore', { path: 'gone.svg' }],
  ['DELETE /images/{path}', {}, '/images/moved.svg'],
  ['DELETE /api/images', { paths: ['a.svg'] }],
  ['POST /api/review', { action: 'restore', paths: ['none.svg'] }],
  ['POST /api/blocks', { sha256: HASH, reason: 'a test' }],
  ['DELETE /api/blocks/{hash}', {}, `/api/blocks/${HASH}`],
  ['POST /api/keys', { name: 'k', scopes: ['read'] }],
  ['POST /api/sign', { path: 'a.svg' }],
  ['POST /api/drain', {}],
  ['PUT /api/limits', { receive_new: '5MB', receive_reads: null }],
  ['POST /api/logout', {}],
  ['POST /api/export-index', {}]
])('%s', async (route, body, address = route.split(' ')[1] ?? '') => {
  await expectAsDescribed(route, address, body)
})

test('uploads', async () => {
  const one = await sendForm(http, [{ name: 'file', fileName: 'b.svg', value: tinyImage(3) }])
  expectShape(`${API}/upload`, 'POST', one)
  const two = await sendForm(http, [
    { name: 'file', fileName: 'c.svg', value: tinyImage(4) },
    { name: 'file', fileName: 'd.svg', value: tinyImage(6) }
  ])
  expectShape(`${API}/upload`, 'POST', two)
  const put = await http.send('/images/e.svg', { method: 'PUT', body: tinyImage(5) })
  expectShape('/images/{path}', 'PUT', put)
})

test('refusals', async () => {
  for (const [address, sent] of [
    ['/images/none.svg', {}],
    ['/api/images?limit=0', {}]
  ] as const) {
    const { json } = await http.send(address, sent)
    const described = (await http.send('/openapi.json')).json.components.schemas.Error
    expect(z.fromJSONSchema(described).safeParse(json).error?.issues ?? []).toEqual([])
  }
})
