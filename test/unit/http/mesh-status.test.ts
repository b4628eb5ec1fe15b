// What the routes make of the words of other servers, with a mesh that says what a test wants.

import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Copy } from '../../../protocols/blobs/copy.ts'
import type { Standing } from '../../../src/flows/standing.ts'
import type { ServerStatus } from '../../../src/flows/status.ts'
import type { HolderAnswer, MeshStatusPort } from '../../../src/http/mesh-status-port.ts'
import type { HttpParts, MeshPort } from '../../../src/http/ports.ts'
import { type HttpNode, LOCAL_KEY, startHttpNode } from '../../support/http-node.ts'
import { tinyImage } from '../../support/memory-node.ts'

const FILES = '/file-sync/api/file-sync'
const IMAGE = tinyImage(1)
const KEY = { Authorization: `Bearer ${LOCAL_KEY}` }

let http: HttpNode
let answers: HolderAnswer[]
let standing: Standing
let servers: ServerStatus[]
let held: string[]
let reach: { reached: string[]; pending: string[] }
let watched: string[]
let waits: [number, number][]

const nothing = {
  ...{ bytesReceived: 0, bytesSent: 0, bytesSavedReceiving: 0, bytesSavedSending: 0 },
  ...{ blobsReceived: 0, blobsSent: 0 },
  ...{ receiveRate: 0, transfers: [] }
}
let traffic: ReturnType<MeshStatusPort['traffic']>

function fakeMesh(): Pick<HttpParts, 'mesh' | 'meshStatus'> {
  const meshStatus: MeshStatusPort = {
    nameOf: (id) => ({ 'peer-b': 'b' })[id] ?? id,
    holders: () => () => answers.filter(({ believed }) => believed).map(({ name }) => name),
    unheld: () => [],
    hear: async () => {},
    askHolders: async () => answers,
    whenHeld: async (_hash, count, timeoutMs) => {
      waits.push([count, timeoutMs])
      return held.slice(0, count)
    },
    watch: (path) => {
      watched.push(path)
      return { reach: async () => reach, end: () => watched.push('end') }
    },
    standing: async () => standing,
    failedBlobs: () => 2,
    figures: async () => [],
    traffic: () => traffic,
    isFetching: () => traffic.transfers.length > 0
  }
  const mesh = { servers: () => servers, addresses: () => [] } as unknown as MeshPort
  return { mesh, meshStatus }
}

const serverOf = (name: string, more: Partial<ServerStatus> = {}): ServerStatus => ({
  ...{ name, peerId: `peer-${name}`, state: 'online', address: '/ip4/10.0.0.2/tcp/9' },
  ...{ httpPort: 8000, addresses: [], connectedAtMs: 1e12, lastSeenMs: 1e12, comparedAtMs: 2e12 },
  ...{ missingFiles: 0, missingBytes: 0, etaSeconds: 0, latencyMs: 0.1234, clockOffsetMs: 3 },
  disk: undefined,
  faults: 0,
  lastError: undefined,
  ...more
})
const offline: Partial<ServerStatus> = {
  ...{ state: 'offline', connectedAtMs: undefined, comparedAtMs: undefined },
  ...{ missingFiles: 7, latencyMs: undefined, lastError: 'Nothing listens there.' }
}

beforeEach(async () => {
  ;[answers, servers, held, watched, waits] = [[], [], [], [], []]
  reach = { reached: [], pending: [] }
  traffic = nothing
  standing = { state: 'held', verifiedMs: 1e12 }
  http = await startHttpNode({ parts: fakeMesh })
})
afterEach(() => http.close())

const put = (query: string, headers = {}) =>
  http.send(`/images/x.svg${query}`, { method: 'PUT', headers, body: IMAGE })

test('an image is where its holders say that it is', async () => {
  await put('')
  answers = [
    { name: 'b', has: true, believed: false, connected: true },
    { name: 'c', has: false, believed: true, connected: true },
    { name: 'd', has: undefined, believed: true, connected: false },
    { name: 'e', has: undefined, believed: false, connected: true }
  ]
  const { json } = await http.send(`${FILES}/file/x.svg`)
  expect([json.complete, json.replicas]).toEqual([false, 3])
  const told = json.servers.map(({ name, has, reason }: Record<string, unknown>) => [
    ...[name, has, reason]
  ])
  expect(told).toEqual([
    ['a', true, null],
    ['b', true, null],
    ['c', false, 'it says that it does not have it yet'],
    ['d', true, 'it is not connected; by what it said last it has it'],
    ['e', false, 'it did not answer in time']
  ])
  const list = await http.send(`${FILES}/files`)
  expect(list.json.files).toMatchObject([{ servers: ['a', 'c', 'd'], replicas: 3 }])
  answers = [{ name: 'b', has: true, believed: true, connected: true }]
  expect((await http.send(`${FILES}/file/x.svg`)).json).toMatchObject({
    ...{ complete: true, replicas: 2 }
  })
})

test.each<[Copy, string]>([
  [{ state: 'coming', from: 'd' }, 'it is coming from d'],
  [{ state: 'queued' }, 'it is the next to be fetched'],
  [{ state: 'queued', ahead: 3 }, 'it is queued behind 3 others'],
  [{ state: 'queued', ahead: 10_000 }, 'it is queued behind at least 10000 others'],
  [{ state: 'nobody' }, 'no server that is connected has it'],
  [{ state: 'failed', reason: 'ECONNRESET' }, 'it could not be fetched: ECONNRESET'],
  [{ state: 'disk_full' }, 'its disk is full: it takes no images until there is room'],
  [{ state: 'queued', lost: 'damaged' }, 'its file was damaged; it is the next to be fetched'],
  [{ state: 'blocked', reason: 'a court' }, 'it is blocked: a court'],
  [{ state: 'of-a-later-version', reason: 'who knows' }, 'it says: of-a-later-version: who knows']
])('what another server says of itself is told: %j', async (copy, reason) => {
  await put('')
  const nextTryMs = 1e12
  answers = [
    ...[{ name: 'b', has: false, believed: true, connected: true, copy: { ...copy, nextTryMs } }]
  ]
  const [, b] = (await http.send(`${FILES}/file/x.svg`)).json.servers
  expect(b).toMatchObject({ has: false, state: copy.state, reason })
  expect([b.lost, b.next_try_at]).toEqual([copy.lost ?? null, '2001-09-09T01:46:40.000Z'])
})

test('an image that is not here says why, and when it is tried again', async () => {
  const { json } = await put('')
  http.node.store.lose(json.sha256)
  await http.send(`${FILES}/verify`, { method: 'POST', body: '{}', headers: KEY })
  const own = async () => (await http.send(`${FILES}/file/x.svg`)).json.servers[0]
  const nextTryMs = 1_800_000_000_000
  standing = { state: 'nobody', lost: 'missing', reason: 'its file is gone', nextTryMs }
  expect(await own()).toMatchObject({
    ...{ has: false, state: 'nobody', lost: 'missing', ahead: null },
    reason: 'its file is gone; no server that is connected has it',
    next_try_at: '2027-01-15T08:00:00.000Z'
  })
  const bytes = IMAGE.length
  const coming = { hash: json.sha256, from: 'b', bytesDone: bytes - 20, bytes, rate: 2.4 }
  traffic = { ...nothing, receiveRate: 8, transfers: [coming] }
  standing = { state: 'coming', from: 'b' }
  expect(await own()).toMatchObject({
    ...{ state: 'coming', from: 'b', reason: 'it is coming from b', next_try_at: null }
  })
  const { json: status } = await http.send(`${FILES}/status`)
  expect(status).toMatchObject({
    failed_files: 2,
    active_transfers: [{ path: 'x.svg', from: 'b', bytes_done: bytes - 20, size: bytes, rate: 2 }],
    progress: { rate: 8, eta_seconds: 3 }
  })
})

test('an upload waits for the word of others only where it is asked to', async () => {
  held = ['b', 'c']
  expect((await put('')).json.servers).toEqual(['a'])
  expect(waits).toEqual([])
  const enough = await put('?wait=replicas:3&timeout=2.5')
  expect([enough.status, enough.json.servers]).toEqual([200, ['a', 'b', 'c']])
  const short = await put('?wait=replicas:4')
  expect([short.status, short.json.status, short.json.replicas]).toEqual([202, 'accepted', 3])
  expect(short.json.message).toBe('x.svg is stored on 3 of 4 servers so far: a, b, c.')
  expect((await put('?wait=replicas:4', { 'Accept-Language': 'zh' })).json.message).toContain(
    '3 台'
  )
  expect(waits).toEqual([
    [2, 2500],
    [3, 10_000],
    [3, 10_000]
  ])
})

test('a deletion says who has it, and who has not said so yet', async () => {
  await put('')
  reach = { reached: ['b'], pending: ['c'] }
  const { json } = await http.send('/images/x.svg', { method: 'DELETE' })
  expect([json.deleted_servers, json.pending_servers]).toEqual([['a', 'b'], ['c']])
  expect(watched).toEqual(['x.svg', 'end'])
  await http.send('/images/never.svg', { method: 'DELETE' })
  expect(watched.slice(2)).toEqual(['never.svg', 'end'])
})

test('the servers are shown as they are', async () => {
  servers = [serverOf('b'), serverOf('c', offline)]
  const { json } = await http.send('/api/storage-status')
  expect(json.under_replicated_files).toBe(7)
  expect(json.servers).toMatchObject([
    {
      ...{ name: 'b', status: 'online', host: '10.0.0.2', port: 8000, latency_ms: 0.12 },
      ...{ connected_at: '2001-09-09T01:46:40.000Z', clock_offset_ms: 3, last_error: null }
    },
    { name: 'c', status: 'offline', connected_at: null, last_error: 'Nothing listens there.' }
  ])
  expect((await http.send('/api/peers')).json.peers).toEqual(json.servers)
  const forced = await http.send('/api/force-file-sync', {
    method: 'POST',
    body: JSON.stringify({ servers: ['c'] })
  })
  expect([forced.status, forced.json.detail]).toEqual([
    404,
    'No server "c" is connected. GET /api/peers lists them.'
  ])
})
