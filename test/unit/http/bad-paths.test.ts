// What can't be a path comes in nowhere, and each way says why.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type HttpNode, sendForm, startHttpNode } from '../../support/http-node.ts'
import { tinyImage } from '../../support/memory-node.ts'
import type { Reply } from '../../support/raw-client.ts'

const API = '/file-sync/api/file-sync'

let http: HttpNode
beforeAll(async () => {
  http = await startHttpNode()
  await http.node.put('a.svg', tinyImage(1))
})
afterAll(() => http.close())

const post = (path: string, body: unknown) =>
  http.send(path, { method: 'POST', body: JSON.stringify(body) })
const url = (path: string) => path.split('/').map(encodeURIComponent).join('/')

/** What can't be a path, and a word of the reason. */
const REFUSED: [string, string][] = [
  ['../a.svg', '".."'],
  ['x/../a.svg', '".."'],
  ['./a.svg', '"."'],
  ['/a.svg', 'relative'],
  ['x//a.svg', 'empty part'],
  ['x/', 'folder'],
  ['a\\b.svg', 'store'],
  ['a:b.svg', 'store'],
  ['a?.svg', 'store'],
  ['con.svg', 'device'],
  ['x/LPT1', 'device'],
  ['a.svg.', 'dot or a space'],
  ['x/ a.svg', 'space'],
  ['a\u0007.svg', 'control'],
  ['a\u202egvs.exe', 'direction'],
  [`${'x/'.repeat(520)}a.svg`, '1024 bytes']
]

const WAYS: Record<string, (path: string) => Promise<Reply>> = {
  GET: (path) => http.send(`/images/${url(path)}`),
  PUT: (path) => http.send(`/images/${url(path)}`, { method: 'PUT', body: tinyImage(2) }),
  DELETE: (path) => http.send(`/images/${url(path)}`, { method: 'DELETE' }),
  file: (path) => http.send(`${API}/file/${url(path)}`),
  upload: (path) =>
    sendForm(http, [
      { name: 'path', value: path },
      { name: 'file', fileName: 'a.svg', value: tinyImage(2) }
    ]),
  'move from': (path) => post('/api/move', { from: path, to: 'b.svg' }),
  'move to': (path) => post('/api/move', { from: 'a.svg', to: path }),
  'copy to': (path) => post('/api/copy', { from: 'a.svg', to: path }),
  restore: (path) => post('/api/restore', { path }),
  verify: (path) => post(`${API}/verify`, { paths: [path] })
}

describe.each(Object.keys(WAYS))('%s', (way) => {
  test.each(REFUSED)('refuses %j', async (path, reason) => {
    const { status, json } = await (WAYS[way] as (path: string) => Promise<Reply>)(path)
    expect([status, json.code]).toEqual([422, 'BAD_PATH'])
    expect(json.detail).toContain(reason)
    expect(http.node.flows.index.counts().images).toBe(1)
  })
})

test('of many to be deleted, what can not be a path is named with its reason', async () => {
  const body = JSON.stringify({ paths: REFUSED.map(([path]) => path) })
  const headers = { 'Content-Length': String(Buffer.byteLength(body)) }
  const { status, json } = await http.send('/api/images', { method: 'DELETE', headers, body })
  expect([status, json.detail]).toEqual([200, undefined])
  for (const [at, [path, reason]] of REFUSED.entries()) {
    expect(json.failed[at]).toEqual({ path, detail: expect.stringContaining(reason) })
  }
})

test('another spelling of the same letters is the same path', async () => {
  const spelled = ['e\u0301.svg', '\u00e9.svg'].map((path) => `/images/${url(path)}`)
  const [first = '', second = ''] = spelled
  expect((await http.send(first, { method: 'PUT', body: tinyImage(3) })).json.file_path).toBe(
    '\u00e9.svg'
  )
  for (const one of spelled) expect((await http.send(one)).bytes).toEqual(tinyImage(3))
  expect((await http.send(second, { method: 'DELETE' })).status).toBe(200)
  expect((await http.send(first)).status).toBe(410)
})
