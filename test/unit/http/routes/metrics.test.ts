import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Figure } from '../../../../src/base/figure.ts'
import type { MeshStatusPort } from '../../../../src/http/mesh-status-port.ts'
import { fakeMesh, fakeServer } from '../../../support/fake-mesh.ts'
import { type HttpNode, startHttpNode } from '../../../support/http-node.ts'
import { DAY_MS, tinyImage } from '../../../support/memory-node.ts'

let http: HttpNode
let looks: number

beforeEach(async () => {
  looks = 0
  const server = fakeServer({
    name: 'b "quoted"',
    peerId: 'peer-b',
    state: 'syncing',
    missingFiles: 3,
    latencyMs: 2.5
  })
  http = await startHttpNode({
    parts: (node) => ({
      meshStatus: fakeMeshStatus(),
      mesh: fakeMesh({ servers: () => [server] }),
      status: () => {
        looks++
        return node.http.status()
      }
    })
  })
})

afterEach(() => http.close())

let figures: Figure[] = []

/** A mesh of which nothing is known but what the network counts. */
function fakeMeshStatus(): MeshStatusPort {
  const traffic = {
    ...{ bytesReceived: 1, bytesSent: 2, bytesSavedReceiving: 5, bytesSavedSending: 6 },
    ...{ blobsReceived: 3, blobsSent: 4 },
    ...{ receiveRate: 0, transfers: [] }
  }
  const known: Partial<MeshStatusPort> = { traffic: () => traffic, figures: async () => figures }
  return known as MeshStatusPort
}

const NAME = /^[a-z0-9_]+$/
const SAMPLE = /^([a-z0-9_]+)(?:\{((?:[a-z_]+="(?:[^"\\\n]|\\["\\n])*",?)*)\})? (\S+)$/

/** By name and labels as written. Throws at what is not the text format, version 0.0.4. */
async function readMetrics(): Promise<Map<string, number>> {
  const { status, headers, bytes } = await http.send('/metrics')
  expect([status, headers['content-type']]).toEqual([
    200,
    'text/plain; version=0.0.4; charset=utf-8'
  ])
  const samples = new Map<string, number>()
  const described = new Set<string>()
  for (const line of bytes.toString().split('\n')) {
    if (line === '') continue
    const [, kind, about = ''] = /^# (HELP|TYPE) (\S+) \S/.exec(line) ?? []
    if (kind !== undefined) {
      expect(about).toMatch(NAME)
      if (kind === 'TYPE') described.add(about)
      continue
    }
    const [, name = '', labels = '', value] = SAMPLE.exec(line) ?? []
    const family = name.replace(/_(bucket|sum|count)$/, '')
    expect([line, described.has(name) || described.has(family)]).toEqual([line, true])
    samples.set(labels === '' ? name : `${name}{${labels}}`, Number(value))
  }
  return samples
}

test('the status, which looks at all that is lacking, is asked for once an answer', async () => {
  await readMetrics()
  expect(looks).toBe(1)
  await http.node.put('a.svg', tinyImage(1))
  expect((await readMetrics()).get('tumesh_images')).toBe(1)
  expect(looks).toBe(2)
})

test('the figures are those of the status', async () => {
  await http.node.put('a.svg', tinyImage(1))
  await http.node.put('b.svg', tinyImage(2))
  const samples = await readMetrics()
  const { counts, disk } = http.node.http.status()
  expect(samples.get('tumesh_images')).toBe(2)
  expect(samples.get('tumesh_blobs_bytes')).toBe(counts.blobBytes)
  expect(samples.get('tumesh_disk_free_bytes')).toBe(disk.free)
  expect(samples.get('tumesh_health{state="healthy"}')).toBe(1)
  expect(samples.get('tumesh_health{state="critical"}')).toBe(0)
  expect(samples.get('tumesh_servers{state="syncing"}')).toBe(1)
  const server = '{server="b \\"quoted\\"",peer_id="peer-b"}'
  expect(samples.get(`tumesh_server_missing_files${server}`)).toBe(3)
  expect(samples.get(`tumesh_server_latency_seconds${server}`)).toBe(0.0025)
  expect(samples.has(`tumesh_server_clock_offset_seconds${server}`)).toBe(false)
  expect(samples.get('process_resident_memory_bytes')).toBeGreaterThan(1_000_000)
  expect([...samples.keys()].filter((name) => name.startsWith('tumesh_node_info'))).toHaveLength(1)
  expect([...samples.values()].filter(Number.isNaN)).toEqual([])
})

test('requests are counted by what they are for and how they ended', async () => {
  await http.node.put('a.svg', tinyImage(1))
  for (const path of ['/images/a.svg', '/images/a.svg', '/images/gone.svg', '/api/nothing']) {
    await http.send(path)
  }
  await http.send('/images/a.svg', { method: 'PATCH' })
  await expect.poll(async () => (await readMetrics()).get(countOf('image', 'other', 405))).toBe(1)
  const samples = await readMetrics()
  expect(samples.get(countOf('image', 'GET', 200))).toBe(2)
  expect(samples.get(countOf('image', 'GET', 404))).toBe(1)
  expect(samples.get(countOf('api', 'GET', 404))).toBe(1)
  expect(samples.get('tumesh_http_request_duration_seconds_count{route="image"}')).toBe(4)
  expect(samples.get('tumesh_http_sent_bytes_total')).toBeGreaterThan(2 * tinyImage(1).length)
})

function countOf(route: string, method: string, status: number): string {
  return `tumesh_http_requests_total{route="${route}",method="${method}",status="${status}"}`
}

test('a client that does not wait for its answer is counted as such', async () => {
  const client = http.connect()
  client.write(`GET /api/events HTTP/1.1\r\nHost: 127.0.0.1:${http.port}\r\n\r\n`)
  await client.until(/event: progress/)
  client.destroy()
  await expect.poll(async () => (await readMetrics()).get(countOf('api', 'GET', 499))).toBe(1)
})

test('an engaged brake is seen', async () => {
  const { index } = http.node.flows
  await index.change((tx) => {
    tx.setMeta('brake/changes', {
      kind: 'changes',
      token: 't',
      sinceMs: 0,
      fromMs: 0,
      count: 1,
      of: 1,
      reason: 'r'
    })
  })
  const samples = await readMetrics()
  expect(samples.get('tumesh_brake_engaged{brake="changes"}')).toBe(1)
  expect(samples.get('tumesh_brake_engaged{brake="loss"}')).toBe(0)
  expect(samples.get('tumesh_health{state="critical"}')).toBe(1)
})

test('figures of the network have their own names, and only those that can be written', async () => {
  const told = (name: string, label: string | undefined, values: [string, number][]) => ({
    ...{ name, label, help: 'Of the network', values: new Map(values) }
  })
  figures = [
    { ...told('libp2p_dials_total', 'way', [['in "1"', 3]]), grows: true },
    { ...told('libp2p_open', undefined, [['', 4]]), grows: false },
    { ...told('libp2p bad\nname 1', 'x', [['a', 1]]), grows: false }
  ]
  const first = await readMetrics()
  expect(first.get('libp2p_dials_total{way="in \\"1\\""}')).toBe(3)
  expect(first.get('libp2p_open')).toBe(4)
  figures = [{ ...told('libp2p_open', undefined, [['', 1]]), grows: false }]
  expect((await readMetrics()).get('libp2p_open')).toBe(1)
  expect([...first.keys()].filter((name) => name.includes('bad'))).toEqual([])
})

test('they are for who may read', async () => {
  http.node.clock.advance(DAY_MS)
  const headers = { Origin: 'https://evil.example' }
  expect((await http.send('/metrics', { headers })).status).toBe(401)
})
