// The list of all images over a real socket: a client that reads slowly, and one that leaves.

import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { ImageEntry } from '../../protocols/entry.ts'
import { encodeEntry, KIND_IMAGE } from '../../protocols/entry.ts'
import { filesRoutes } from '../../src/http/routes/files.ts'
import { type MemoryNode, openMemoryNode, withMethod } from '../support/memory-node.ts'
import { serveRoutes } from '../support/serve-routes.ts'

/** 35 MB as JSON: far more than the sockets of both sides hold. */
const IMAGES = 5000

let node: MemoryNode
let server: ReturnType<typeof serveRoutes>
let taken: number
let closed: PromiseWithResolvers<void>

beforeEach(async () => {
  node = await openMemoryNode()
  taken = 0
  closed = Promise.withResolvers()
  const index = withMethod(node.flows.index, { listAll: images })
  server = serveRoutes(filesRoutes({ ...node.http, flows: { ...node.flows, index } }, node.options))
  await server.listen({ host: '127.0.0.1', port: 0 })
})
afterEach(async () => {
  await server.close()
  await node.close()
})

async function* images(): AsyncGenerator<ImageEntry> {
  try {
    for (let n = 0; n < IMAGES; n++) {
      taken++
      yield encodeEntry({
        kind: KIND_IMAGE,
        path: `${String(n).padStart(5, '0')}${'图'.repeat(330)}.jpg`,
        deleted: false,
        version: BigInt(n + 1),
        writer: 'peer-a',
        hash: '1'.repeat(64) as never,
        md5: '2'.repeat(32) as never,
        bytes: 10,
        mediaType: 'image/jpeg',
        sourceUrl: `https://example.org/${'x'.repeat(2000)}`,
        createdMs: n
      }) as ImageEntry
      if (n % 256 === 255) await setImmediate() // as a database reads page by page
    }
  } finally {
    closed.resolve()
  }
}

async function open(accept: string): Promise<IncomingMessage> {
  const { port } = server.server.address() as AddressInfo
  const request = get({
    host: '127.0.0.1',
    port,
    path: '/file-sync/api/file-sync/files',
    headers: { accept }
  })
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  expect(response.statusCode).toBe(200)
  return response
}

/** Waits until the server has stopped taking more. */
async function standstill(): Promise<void> {
  for (let before = -1, same = 0; same < 200; before = taken) {
    await setImmediate()
    same = before === taken ? same + 1 : 0
  }
}

test('a client that reads slowly gets everything, and the server does not run ahead', async () => {
  const response = await open('application/json')
  await standstill()
  expect(taken).toBeLessThan(IMAGES)
  const chunks: Buffer[] = []
  for await (const chunk of response) {
    chunks.push(chunk)
    if (chunks.length % 10 === 0) await setImmediate()
  }
  const body = JSON.parse(Buffer.concat(chunks).toString())
  expect(body).toMatchObject({ status: 'success', count: IMAGES, next_cursor: null })
  expect(new Set(body.files.map(({ path }: { path: string }) => path)).size).toBe(IMAGES)
})

test('a client that leaves ends the list', async () => {
  const response = await open('application/x-ndjson')
  await once(response, 'readable')
  response.destroy()
  await closed.promise
  expect(taken).toBeLessThan(IMAGES)
})
