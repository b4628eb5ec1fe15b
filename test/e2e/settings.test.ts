// The documented configuration, from the file to what the node does.

import { readFileSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeImage, makeSvg } from '../fixtures/make-images.ts'
import { postJson, put, send } from '../support/http-client.ts'
import { type RealNode, Workbench } from '../support/real-node.ts'

const API = '/file-sync/api/file-sync'
const FILE = `
name: from-the-file
file_storage:
  local_path: ./elsewhere
  sync_enabled: true
  sync_timeout: 30
  max_file_size: 2KB
  allowed_extensions: [svg, .png]
file_sync:
  enabled: false
  batch_size: 10
  sync_interval: 60
  max_retry_attempts: 3
  retry_delay: 5
  verify_integrity: false
http:
  read: key
  drain_timeout: 0
`

let bench: Workbench
let node: RealNode
beforeAll(async () => {
  bench = new Workbench()
  writeFileSync(bench.path('tumesh.yaml'), FILE)
  node = await bench.start('flag', { env: { TUMESH_FILE_STORAGE_MAX_FILE_SIZE: '3KB' } })
})
afterAll(() => bench.cleanUp())

test('flags count before the environment, the environment before the file', async () => {
  const { body } = await send(`${node.url}${API}/status`)
  expect(body.server_name).toBe('flag')
  const padded = (bytes: number) =>
    Buffer.concat([makeSvg(), Buffer.alloc(bytes, ' ')]).subarray(0, bytes)
  expect((await put(node.url, 'fits.svg', padded(3000))).status).toBe(201)
  expect((await put(node.url, 'large.svg', padded(3001))).status).toBe(413)
})

test('only the extensions of the list are taken', async () => {
  expect(
    (await put(node.url, 'a.png', await makeImage('png', { width: 8, height: 8 }))).status
  ).toBe(201)
  const { status, body } = await put(node.url, 'a.jpg', await makeImage('jpeg'))
  expect([status, body.code]).toEqual([415, 'EXTENSION_NOT_ALLOWED'])
  expect(body.detail).toContain('svg, png')
})

test('without synchronisation the documented paths say so', async () => {
  const storage = await send(`${node.url}/api/storage-status`)
  expect(storage.body).toMatchObject({
    distributed_storage: false,
    message: '分布式存储未启用',
    total_files: expect.any(Number)
  })
  const forced = await postJson(`${node.url}/api/force-file-sync`, {})
  expect([forced.status, forced.body.detail]).toEqual([503, '分布式存储未启用'])
  const { body } = await send(`${node.url}${API}/status`)
  expect(body).toMatchObject({ sync_enabled: false, verify_integrity: false })
})

test('reading can be closed', async () => {
  await put(node.url, 'closed.svg', makeSvg({ seed: 3 }))
  const page = { headers: { origin: 'https://example.org' } }
  for (const path of ['/images/closed.svg', '/api/storage-status']) {
    expect((await send(node.url + path, page)).status).toBe(401)
    expect((await send(node.url + path)).status).toBe(200)
  }
  expect((await send(`${node.url}/healthz`, page)).status).toBe(200)
  const made = await postJson(`${node.url}/api/keys`, { name: 'reader', scopes: ['read'] })
  const headers = { ...page.headers, authorization: `Bearer ${made.body.key}` }
  expect((await send(`${node.url}/images/closed.svg`, { headers })).status).toBe(200)
})

test('the settings say where each comes from', async () => {
  const key = readFileSync(bench.path('flag', 'metadata', 'local.key'), 'utf8').trim()
  const headers = { authorization: `Bearer ${key}` }
  const { body } = await send(`${node.url}/api/settings`, { headers })
  const of = (key: string) => body.settings.find((one: { key: string }) => one.key === key)
  expect(of('name')).toMatchObject({ value: 'flag', from: 'command line', origin: '--name' })
  expect(of('file_storage.max_file_size')).toMatchObject({ value: '3KB', from: 'environment' })
  expect(of('http.read')).toMatchObject({ value: 'key', from: 'file', origin: 'tumesh.yaml:17' })
})
