import type { IncomingMessage, ServerResponse } from 'node:http'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Traffic } from '../../../src/http/mesh-status-port.ts'
import type { HttpParts } from '../../../src/http/ports.ts'
import { SAMPLE_MS, SAMPLES_MAX, Samples } from '../../../src/http/samples.ts'
import { fakeMesh, fakeServer } from '../../support/fake-mesh.ts'
import { type HttpNode, startHttpNode } from '../../support/http-node.ts'
import { type MemoryNode, openMemoryNode } from '../../support/memory-node.ts'

let node: MemoryNode
let traffic: Pick<Traffic, 'bytesReceived' | 'bytesSent'>
let samples: Samples

beforeEach(async () => {
  node = await openMemoryNode()
  traffic = { bytesReceived: 1000, bytesSent: 0 }
  const meshStatus = { traffic: () => traffic, failedBlobs: () => 2 } as HttpParts['meshStatus']
  const servers = () => [
    fakeServer({ connectedAtMs: 1, latencyMs: 2 }),
    fakeServer({ connectedAtMs: 1, latencyMs: 4 }),
    fakeServer({ connectedAtMs: undefined, latencyMs: 900 })
  ]
  samples = new Samples({ ...node.http, meshStatus, mesh: fakeMesh({ servers }) })
  samples.begin()
})
afterEach(async () => {
  samples.end()
  await node.close()
})

function noteRequest(url: string, statusCode: number, ms: number) {
  samples.note({ url } as IncomingMessage, { statusCode } as ServerResponse, ms)
}

test('rates are of the time between two samples', () => {
  node.clock.advance(SAMPLE_MS)
  expect(samples.since(0, 1).received_rate).toEqual([1000 / (SAMPLE_MS / 1000)])
  const before = node.clock.now()
  traffic = { bytesReceived: 1000 + 50_000, bytesSent: 100 }
  noteRequest('/images/a.jpg', 200, 10)
  noteRequest('/images/b.jpg', 503, 20)
  noteRequest('/api/events', 200, 900_000)
  node.clock.advance(SAMPLE_MS)
  node.clock.advance(SAMPLE_MS)
  const table = samples.since(before, 100)
  const seconds = SAMPLE_MS / 1000
  expect(table.at).toEqual([node.clock.now() - SAMPLE_MS, node.clock.now()])
  expect(table.received_rate).toEqual([50_000 / seconds, 0])
  expect(table.sent_rate).toEqual([100 / seconds, 0])
  expect(table.request_rate).toEqual([2 / seconds, 0])
  expect(table.request_ms).toEqual([15, null])
  expect(table.failed_rate).toEqual([1 / seconds, 0])
  expect(table.latency_ms).toEqual([3, 3])
  expect(table.failed_files).toEqual([2, 2])
})

test('the oldest go where there is no more room', () => {
  node.clock.advance(SAMPLE_MS * (SAMPLES_MAX + 3))
  const { at, queue_files } = samples.since(0, SAMPLES_MAX)
  expect([at.length, queue_files.length]).toEqual([SAMPLES_MAX, SAMPLES_MAX])
  expect(at.at(-1)).toBe(node.clock.now())
  expect(at).toEqual(at.toSorted((a, b) => Number(a) - Number(b)))
  expect(at[0]).toBe(node.clock.now() - SAMPLE_MS * (SAMPLES_MAX - 1))
})

test('fewer rows are means of neighbours, and only what is later is told', () => {
  node.clock.advance(SAMPLE_MS)
  const before = node.clock.now()
  for (const step of [10, 20, 30, 40, 50]) {
    traffic = { bytesReceived: traffic.bytesReceived + step * SAMPLE_MS, bytesSent: 0 }
    node.clock.advance(SAMPLE_MS)
  }
  expect(samples.since(before, 3).received_rate).toEqual([15_000, 35_000, 50_000])
  const after = node.clock.now() - SAMPLE_MS
  expect(samples.since(after, 100).at).toEqual([node.clock.now()])
  expect(samples.since(node.clock.now(), 100).at).toEqual([])
})

test('a moment in which nothing can be looked at costs that sample only', async () => {
  let fault: Error | undefined
  const sick = new Samples({
    ...node.http,
    status() {
      if (fault !== undefined) throw fault
      return node.http.status()
    }
  })
  sick.begin()
  fault = new Error('Database is not open')
  node.clock.advance(SAMPLE_MS)
  fault = undefined
  node.clock.advance(SAMPLE_MS)
  sick.end()
  node.clock.advance(10 * SAMPLE_MS)
  expect(sick.since(0, 10).at).toHaveLength(1)
})

test('over HTTP: the past of the node, for who may read', async () => {
  const http: HttpNode = await startHttpNode()
  http.node.clock.advance(3 * SAMPLE_MS)
  const { status, json } = await http.send('/api/samples')
  expect([status, json.status, json.interval_ms]).toEqual([200, 'success', SAMPLE_MS])
  expect(json.columns.at).toHaveLength(3)
  expect(json.columns.latency_ms).toEqual([null, null, null])
  const later = await http.send(`/api/samples?after=${json.columns.at[1]}&rows=1`)
  expect(later.json.columns.at).toEqual([json.columns.at[2]])
  expect((await http.send('/api/samples?rows=0')).status).toBe(422)
  const headers = { Origin: 'https://evil.example' }
  expect((await http.send('/api/samples', { headers })).status).toBe(401)
  await http.close()
})
