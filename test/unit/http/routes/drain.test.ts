import { afterEach, beforeEach, expect, test } from 'vitest'
import type { ContentHash } from '../../../../protocols/hash.ts'
import { parsePath } from '../../../../protocols/path.ts'
import { BUCKET_MAX, bucketOf } from '../../../../protocols/time-tree-shape.ts'
import type { Version } from '../../../../protocols/version.ts'
import { remove } from '../../../../src/flows/remove.ts'
import type { ServerStatus } from '../../../../src/flows/status.ts'
import { verifyBlob } from '../../../../src/flows/verify-blob.ts'
import type { MeshStatusPort } from '../../../../src/http/mesh-status-port.ts'
import { ALL_BUCKETS, type BucketRanges } from '../../../../src/index-sync/bucket-ranges.ts'
import { fakeMesh, fakeServer } from '../../../support/fake-mesh.ts'
import { type HttpNode, startHttpNode } from '../../../support/http-node.ts'
import { tinyImage } from '../../../support/memory-node.ts'

let http: HttpNode
let servers: ServerStatus[]
/** Ids of the servers that are believed to have everything. */
let holders: string[]
let synced: number
/** What the servers say when they are asked anew. */
let heard: () => void
/** Where any of them may lack something. */
let unheld: BucketRanges

beforeEach(async () => {
  ;[servers, holders, synced] = [[], [], 0]
  heard = () => {}
  unheld = ALL_BUCKETS
  const mesh = fakeMesh({
    servers: () => servers,
    syncNow: async () => {
      synced++
    }
  })
  const holds: MeshStatusPort['holders'] = (among) => () =>
    servers
      .filter(({ peerId, state }) => {
        return holders.includes(peerId) && (among !== 'connected' || state !== 'offline')
      })
      .map(({ name }) => name)
  const known: Partial<MeshStatusPort> = {
    ...{ holders: holds, unheld: () => unheld, hear: async () => heard() }
  }
  const meshStatus = known as MeshStatusPort
  http = await startHttpNode({ parts: () => ({ mesh, meshStatus }) })
  await http.node.put('a.svg', tinyImage(1))
  await http.node.put('b.svg', tinyImage(2))
})

afterEach(() => http.close())

const look = async (method = 'GET') => (await http.send('/api/drain', { method })).json
const b = (state: ServerStatus['state']) => fakeServer({ name: 'b', peerId: 'peer-b', state })

test('a node that stands alone has everything only here', async () => {
  const { message, ...facts } = await look()
  expect(facts).toMatchObject({
    safe_to_switch_off: false,
    only_here_files: 2,
    only_here_bytes: tinyImage(1).length + tinyImage(2).length,
    only_here_paths: ['b.svg', 'a.svg'],
    servers: [],
    task_id: null
  })
  expect(message).toMatch(/no other server is connected/)
})

test('a server that is not connected does not count, whatever it had', async () => {
  ;[servers, holders] = [[b('offline')], ['peer-b']]
  expect((await look()).safe_to_switch_off).toBe(false)
  servers = [b('online')]
  expect(await look()).toMatchObject({
    safe_to_switch_off: true,
    only_here_files: 0,
    servers: ['b']
  })
})

test('servers are asked before it is said that nobody else has an image', async () => {
  servers = [b('online')]
  heard = () => holders.push('peer-b')
  expect(await look()).toMatchObject({ safe_to_switch_off: true, only_here_files: 0 })
  heard = () => holders.splice(0)
  expect(await look()).toMatchObject({ safe_to_switch_off: false, only_here_files: 2 })
})

test('a server of the same name does not count either', async () => {
  const other = fakeServer({ name: 'b', peerId: 'peer-c', state: 'syncing' })
  ;[servers, holders] = [[b('offline'), other], ['peer-b']]
  expect(await look()).toMatchObject({ safe_to_switch_off: false, only_here_files: 2 })
})

test('deleted images and those that never came need no care', async () => {
  await remove(http.node.flows, { trashKeepMs: 1 }, parsePath('a.svg'))
  const { hash } = http.node.flows.index.image(parsePath('b.svg')) ?? {}
  http.node.store.lose(hash as ContentHash)
  await verifyBlob(http.node.flows, hash as ContentHash)
  expect(await look()).toMatchObject({ only_here_paths: [], safe_to_switch_off: true })
})

test('what is only here is handed over, with progress, once', async () => {
  servers = [b('syncing')]
  const { task_id } = await look('POST')
  expect(task_id).toMatch(/^drain_/)
  expect((await look('POST')).task_id).toBe(task_id)
  const task = async () => (await http.send(`/file-sync/api/file-sync/tasks/${task_id}`)).json
  await expect.poll(async () => (await task()).total).toBe(2)
  expect(await task()).toMatchObject({ status: 'running', processed: 0 })
  holders = ['peer-b']
  await expect
    .poll(async () => {
      http.node.clock.advance(2000)
      return task()
    })
    .toMatchObject({ status: 'completed', processed: 2, result: { safe_to_switch_off: true } })
  expect(synced).toBeGreaterThan(1)
  expect(await look()).toMatchObject({ task_id: null, safe_to_switch_off: true })
})

test('only what the others may lack is looked at', async () => {
  servers = [b('online')]
  const { index } = http.node.flows
  const bucketOfPath = (path: string) => bucketOf(index.image(parsePath(path))?.version as Version)
  for (const path of ['c.svg', 'd.svg', 'e.svg']) {
    http.node.clock.advance(3 * 65_536)
    await http.node.put(path, tinyImage(path.charCodeAt(0)))
  }
  let looked = 0
  const listByVersion = index.listByVersion.bind(index)
  index.listByVersion = async function* (range) {
    for await (const entry of listByVersion(range)) {
      looked++
      yield entry
    }
  }
  unheld = ['c.svg', 'e.svg'].map((path) => ({ from: bucketOfPath(path), to: bucketOfPath(path) }))
  expect(await look()).toMatchObject({ only_here_files: 2, only_here_paths: ['e.svg', 'c.svg'] })
  // and one before each range
  expect(looked).toBe(4)
  unheld = [{ from: bucketOfPath('e.svg') + 1, to: BUCKET_MAX }]
  looked = 0
  expect(await look()).toMatchObject({ safe_to_switch_off: true })
  expect(looked).toBe(1)
})

test('an upload that is under way would be lost', async () => {
  ;[servers, holders] = [[b('online')], ['peer-b']]
  const client = http.connect()
  client.write(
    `PUT /images/c.svg HTTP/1.1\r\nHost: 127.0.0.1:${http.port}\r\nContent-Length: 100\r\n\r\n<svg`
  )
  await expect.poll(async () => (await look()).pending_uploads).toBe(1)
  expect((await look()).safe_to_switch_off).toBe(false)
  client.destroy()
  await expect.poll(async () => (await look()).safe_to_switch_off).toBe(true)
})

test('it is for who may administer', async () => {
  const headers = { Origin: 'https://evil.example' }
  for (const method of ['GET', 'POST']) {
    expect((await http.send('/api/drain', { method, headers })).status).toBe(401)
  }
})
