// Real nodes: an image that is not here is read while it comes, from whoever has it, and what has
// come of a large one is not fetched again.

import { randomBytes } from 'node:crypto'
import { readdirSync, statSync, writeFileSync } from 'node:fs'
import { get, type IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { sha256 } from '../support/digests.ts'
import { eventually } from '../support/eventually.ts'
import { bytesAt, put, send } from '../support/http-client.ts'
import { RealMesh } from '../support/real-mesh.ts'
import { type RealNode, Workbench } from '../support/real-node.ts'

const LARGE_BYTES = 50_000_000
/** Everything but blobs that a node is sent on its streams for blobs during a test. */
const FRAMES_BYTES_MAX = 200_000
/** It has the index, and fetches only what is read. */
const THIN = { env: { TUMESH_FILE_STORAGE_SYNC_ENABLED: 'false' } }

const NO_THROW = { throwIfNoEntry: false } as const

let bench: Workbench
let mesh: RealMesh

/** No part of it looks like another. */
function image(bytes: number): Buffer {
  const [start, end] = ['<svg xmlns="http://www.w3.org/2000/svg"><!--', '--></svg>']
  const filling = bytes - start.length - end.length
  const text = randomBytes(Math.ceil((filling * 3) / 4)).toString('base64')
  return Buffer.from(start + text.slice(0, filling) + end)
}

/** What a node has received: a little more than blobs, for each has a frame before it. */
async function receivedBytes(name: string): Promise<number> {
  return (await statusOf(name)).bytes_received
}

function expectAbout(bytes: number, expected: number): void {
  expect(bytes).toBeGreaterThanOrEqual(expected)
  expect(bytes).toBeLessThan(expected + FRAMES_BYTES_MAX)
}

async function statusOf(name: string) {
  return (await send(`${mesh.url(name)}/file-sync/api/file-sync/status`)).body
}

/** Resolves when `thin` knows of an image, and who has it. */
function findable(path: string): Promise<void> {
  return eventually(
    async () => {
      const head = await send(`${mesh.url('thin')}/images/${path}`, { method: 'HEAD' })
      expect(head.status).toBe(200)
    },
    { withinMs: 60_000 }
  )
}

/** Puts an image on `a`; resolves when the nodes of `holders` have it and `thin` knows of it. */
async function spread(path: string, bytes: Buffer, holders: readonly string[]): Promise<void> {
  expect((await put(mesh.url('a'), path, bytes)).status).toBe(201)
  await eventually(
    async () => {
      for (const name of holders) {
        const { headers } = await send(`${mesh.url(name)}/images/${path}`, { method: 'HEAD' })
        expect(headers.get('x-image-source')).toBe('local')
      }
    },
    { withinMs: 60_000 }
  )
  await findable(path)
}

function ask(url: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    get(url, { agent: false }, resolve).on('error', reject)
  })
}

async function bodyOf(response: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = []
  for await (const piece of response) pieces.push(piece)
  return Buffer.concat(pieces)
}

/** Bytes of large blobs that are in temp/ of a node. */
function partBytes(name: string): number {
  const parts = readdirSync(bench.path(name, 'temp')).filter((file) => /^\w{64}\.part$/.test(file))
  const sizes = parts.map((file) => statSync(bench.path(name, 'temp', file), NO_THROW)?.size ?? 0)
  return sizes.reduce((sum, size) => sum + size, 0)
}

function bytesIn(folder: string): number {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
  const sizes = files
    .filter((file) => file.isFile())
    .map(({ parentPath, name }) => statSync(join(parentPath, name)).size)
  return sizes.reduce((sum, size) => sum + size, 0)
}

/** Kills a node when at least a megabyte of a blob is there; how much it was. */
async function killMidway(name: string): Promise<number> {
  while (partBytes(name) < 1_000_000) await new Promise(setImmediate)
  await mesh.node(name).end('SIGKILL')
  const bytes = partBytes(name)
  expect(bytes).toBeGreaterThan(0)
  return bytes
}

beforeAll(async () => {
  bench = new Workbench()
  mesh = new RealMesh(bench)
  for (const name of ['a', 'b']) await mesh.start(name)
  await mesh.start('thin', THIN)
  await mesh.connected()
}, 120_000)
afterAll(() => bench.cleanUp())

test('HEAD says who has an image, and fetches nothing', async () => {
  const bytes = image(1_000_000)
  await spread('head.svg', bytes, ['a', 'b'])
  const { status, headers } = await send(`${mesh.url('thin')}/images/head.svg`, { method: 'HEAD' })
  expect([status, headers.get('content-length')]).toEqual([200, '1000000'])
  expect(headers.get('etag')).toBe(`"${sha256(bytes)}"`)
  expect(headers.get('x-image-source')).toMatch(/^peer:[ab]$/)
  expectAbout(await receivedBytes('thin'), 0)
}, 90_000)

test('a hundred readers of an image that is not here cause one fetch', async () => {
  const bytes = image(1_500_000)
  await spread('hundred.svg', bytes, ['a', 'b'])
  const before = await statusOf('thin')
  const bodies = await Promise.all(
    Array.from({ length: 100 }, async () => {
      const response = await ask(`${mesh.url('thin')}/images/hundred.svg`)
      const { 'content-length': length, 'x-image-source': source } = response.headers
      return { length, source, hash: sha256(await bodyOf(response)) }
    })
  )
  for (const { length, source, hash } of bodies) {
    expect([length, hash]).toEqual(['1500000', sha256(bytes)])
    expect(source).toMatch(/^(peer:[ab]|local)$/)
  }
  expect(bodies.some(({ source }) => source !== 'local')).toBe(true)
  await eventually(async () => {
    const after = await statusOf('thin')
    expect(after.files_received - before.files_received).toBe(1)
    expectAbout(after.bytes_received - before.bytes_received, bytes.byteLength)
  })
}, 90_000)

test('a range of an image that is not here', async () => {
  const bytes = image(3_000_000)
  await spread('range.svg', bytes, ['a'])
  const headers = { Range: 'bytes=1000000-1000999' }
  const response = await fetch(`${mesh.url('thin')}/images/range.svg`, { headers })
  expect([response.status, response.headers.get('content-range')]).toEqual([
    206,
    'bytes 1000000-1000999/3000000'
  ])
  const body = Buffer.from(await response.arrayBuffer())
  expect(body.equals(bytes.subarray(1_000_000, 1_001_000))).toBe(true)
}, 90_000)

test('when the holder is killed midway, the other one sends the rest', async () => {
  const bytes = image(LARGE_BYTES)
  await spread('killed.svg', bytes, ['a', 'b'])
  const before = await receivedBytes('thin')
  const response = await ask(`${mesh.url('thin')}/images/killed.svg`)
  expect([response.statusCode, response.headers['content-length']]).toEqual([
    200,
    String(LARGE_BYTES)
  ])
  const [, holder = ''] = /^peer:(.+)$/.exec(String(response.headers['x-image-source'])) ?? []
  const node: RealNode = mesh.node(holder)
  response.once('data', () => node.child.kill('SIGSTOP'))
  response.pause()
  const reading = bodyOf(response)
  await eventually(() => expect(node.child.killed).toBe(true))
  expect(partBytes('thin')).toBeGreaterThan(0)
  await node.end('SIGKILL')
  expect(sha256(await reading)).toBe(sha256(bytes))
  expectAbout((await receivedBytes('thin')) - before, LARGE_BYTES)
  await mesh.start(holder)
}, 120_000)

test('what was read before a kill -9 is not fetched again', async () => {
  const bytes = image(LARGE_BYTES)
  await spread('resumed.svg', bytes, ['a'])
  const hash = sha256(bytes)
  const broken = bytesAt(`${mesh.url('thin')}/images/resumed.svg`).catch((error: Error) => error)
  const kept = await killMidway('thin')
  expect(await broken).toBeInstanceOf(Error)
  await mesh.start('thin', THIN)
  await findable('resumed.svg')
  const read = await bytesAt(`${mesh.url('thin')}/images/resumed.svg`)
  expect([read.status, sha256(read.bytes)]).toEqual([200, hash])
  expectAbout(await receivedBytes('thin'), LARGE_BYTES - kept)
}, 120_000)

test('what came in bulk before a kill -9 is not fetched again', async () => {
  const bytes = image(LARGE_BYTES)
  await spread('bulk.svg', bytes, ['a', 'b'])
  await mesh.start('late')
  await killMidway('late')
  const here = bytesIn(bench.path('late', 'blobs'))
  const kept = partBytes('late')
  await mesh.start('late')
  await eventually(
    async () => {
      const { body } = await send(`${mesh.url('late')}/api/storage-status`)
      expect([body.missing_files, body.local_files]).toEqual([0, body.total_files])
      expect(body.total_files).toBeGreaterThan(0)
    },
    { withinMs: 60_000 }
  )
  const read = await bytesAt(`${mesh.url('late')}/images/bulk.svg`)
  expect(sha256(read.bytes)).toBe(sha256(bytes))
  const { total_size, bytes_received } = await statusOf('late')
  expectAbout(bytes_received, total_size - kept - here)
}, 120_000)

test('a wrong beginning that was left is noticed before the last byte, and then forgotten', async () => {
  const bytes = image(2_000_000)
  const hash = sha256(bytes)
  await spread('wrong.svg', bytes, ['a'])
  await mesh.node('thin').end('SIGKILL')
  writeFileSync(bench.path('thin', 'temp', `${hash}.part`), image(700_000))
  await mesh.start('thin', THIN)
  await findable('wrong.svg')
  const url = `${mesh.url('thin')}/images/wrong.svg`
  await expect(bytesAt(url)).rejects.toThrow()
  await eventually(async () => {
    const read = await bytesAt(url)
    expect([read.status, sha256(read.bytes)]).toEqual([200, hash])
  })
}, 120_000)
