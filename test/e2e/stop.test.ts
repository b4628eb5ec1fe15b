// Ctrl-C in the middle of anything: what can end ends, what can't is cut, and nothing is left half-
// done.

import { mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { makeSvg, noiseBytes } from '../fixtures/make-images.ts'
import { expectSoundFolder } from '../support/check-folder.ts'
import { sha256 } from '../support/digests.ts'
import { eventually } from '../support/eventually.ts'
import { put, send } from '../support/http-client.ts'
import { RawClient } from '../support/raw-client.ts'
import { type RealNode, Workbench } from '../support/real-node.ts'

const API = '/file-sync/api/file-sync'
/** Does not fit into the buffers of sockets. */
const large = noiseBytes(30_000_000, 1)
const upload = noiseBytes(900_000, 2)

vi.setConfig({ testTimeout: 60_000 })

let bench: Workbench
beforeAll(() => {
  bench = new Workbench()
})
afterAll(() => bench.cleanUp())

const start = (drain: string) => bench.start('a', { env: { TUMESH_HTTP_DRAIN_TIMEOUT: drain } })
const unfinished = () =>
  readdirSync(bench.path('a', 'temp')).filter((name) => name.endsWith('.part'))

async function pathsOf(node: RealNode): Promise<string[]> {
  const { body } = await send(`${node.url}${API}/files`)
  return body.files.map(({ path }: { path: string }) => path).sort()
}

/** A client that has sent two thirds of its image. */
async function beginUpload(node: RealNode, path: string): Promise<RawClient> {
  const client = new RawClient(node.port)
  client.write(`PUT /images/${path} HTTP/1.1\r\nHost: 127.0.0.1:${node.port}\r\n`)
  client.write(`Content-Length: ${upload.length}\r\n\r\n`)
  client.write(upload.subarray(0, 600_000))
  await eventually(() => expect(unfinished()).toHaveLength(1))
  return client
}

/** A client that has read the begin of its image and rests. */
async function beginDownload(node: RealNode, path: string): Promise<RawClient> {
  const client = new RawClient(node.port)
  client.write(`GET /images/${path} HTTP/1.1\r\nHost: 127.0.0.1:${node.port}\r\n\r\n`)
  await client.until(/^HTTP\/1\.1 200 /)
  client.socket.pause()
  return client
}

async function interrupt(node: RealNode): Promise<void> {
  node.child.kill('SIGINT')
  await eventually(() => expect(node.stderr).toContain('"signal":"SIGINT"'))
}

test('requests that come to their end are waited for, connections without one are not', async () => {
  const node = await start('5m')
  await put(node.url, 'large.jpg', large)
  const idle = new RawClient(node.port)
  const download = await beginDownload(node, 'large.jpg')
  const client = await beginUpload(node, 'late.jpg')

  await interrupt(node)
  await idle.end()
  client.write(upload.subarray(600_000))
  expect(await client.end()).toMatch(/^HTTP\/1\.1 201 [\s\S]*"sha256"/)
  download.socket.resume()
  const received = await download.end()
  const body = received.slice(received.indexOf('\r\n\r\n') + 4)
  expect(sha256(Buffer.from(body, 'latin1'))).toBe(sha256(large))
  expect(await node.ended()).toMatchObject({ code: 0, signal: null })
})

test('requests that do not end are cut when the drain timeout is over', async () => {
  const node = await start('200ms')
  expect(await pathsOf(node)).toEqual(['large.jpg', 'late.jpg'])
  const download = await beginDownload(node, 'large.jpg')
  const client = await beginUpload(node, 'cut.jpg')
  expect(await node.end('SIGINT')).toMatchObject({ code: 0, signal: null })
  expect(unfinished()).toEqual([])
  expect(await client.end()).not.toMatch(/^HTTP\/1\.1 2/)
  download.destroy()
})

test('a verification is broken off, and the next one finds all as it was', async () => {
  const node = await start('10s')
  const started = await send(`${node.url}${API}/verify`, {
    method: 'POST',
    headers: { prefer: 'respond-async' }
  })
  expect(started.status).toBe(202)
  expect(await node.end('SIGINT')).toMatchObject({ code: 0, signal: null })
})

test('a second Ctrl-C ends at once', async () => {
  const node = await start('5m')
  expect(await pathsOf(node)).toEqual(['large.jpg', 'late.jpg'])
  const client = await beginUpload(node, 'cut.jpg')
  await interrupt(node)
  expect(await node.end('SIGINT')).toMatchObject({ code: 130, signal: null })
  await client.end()

  const next = await start('10s')
  expect(await pathsOf(next)).toEqual(['large.jpg', 'late.jpg'])
  const { body } = await send(`${next.url}${API}/verify`, { method: 'POST' })
  expect(body).toMatchObject({ total_files: 2, valid_files: 2 })
  await expectSoundFolder(next.url, bench.path('a'))
  await next.end('SIGTERM')
})

test('taking in a collection is broken off, and goes on at the next start', async () => {
  const paths = Array.from({ length: 600 }, (_, n) => `${n % 7}/${n}.svg`)
  for (const [n, path] of paths.entries()) {
    const file = bench.path('old', 'images', path)
    mkdirSync(bench.path('old', 'images', String(n % 7)), { recursive: true })
    writeFileSync(file, makeSvg({ seed: n }))
    utimesSync(file, 1_600_000_000, 1_600_000_000 + n)
  }
  const taken = () =>
    readdirSync(bench.path('old', 'blobs'), { recursive: true, withFileTypes: true }).filter(
      (entry) => entry.isFile()
    ).length
  const node = await bench.start('old')
  await eventually(() => expect(taken()).toBeGreaterThan(10))
  expect(await node.end('SIGINT')).toMatchObject({ code: 0, signal: null })
  expect(taken(), 'it was in the middle').toBeLessThan(paths.length)

  const next = await bench.start('old')
  const isDone = async () => expect((await send(`${next.url}/images/none.svg`)).status).toBe(404)
  await eventually(isDone, { withinMs: 40_000 })
  expect(await pathsOf(next)).toEqual(paths.toSorted())
  await expectSoundFolder(next.url, bench.path('old'))
  await next.end('SIGTERM')
})
