// Memory stays bounded, whatever is sent and however it is read.

import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { request } from 'node:http'
import { pipeline } from 'node:stream/promises'
import { afterAll, beforeAll, expect, type TestContext, test, vi } from 'vitest'
import { makeBmp, noiseBytes } from '../fixtures/make-images.ts'
import { eventually } from '../support/eventually.ts'
import { put, send } from '../support/http-client.ts'
import { RawClient } from '../support/raw-client.ts'
import { type RealNode, Workbench } from '../support/real-node.ts'

const API = '/file-sync/api/file-sync'
const SIDE = 10_240
/** A bitmap of SIDE x SIDE pixels: 300 MiB. */
const LARGE_BYTES = 54 + SIDE * SIDE * 3
/** An idle node has about 150 MB, a busy one 215; one that holds the image once has 450. */
const PEAK_BYTES_MAX = 300_000_000

/** For all uploads, on a machine that does much else. */
const TAKEN_MS_MAX = 120_000

vi.setConfig({ testTimeout: 60_000 })

let bench: Workbench
let node: RealNode
beforeAll(async () => {
  bench = new Workbench()
  node = await bench.start('a', { env: { TUMESH_FILE_STORAGE_MAX_FILE_SIZE: '400MB' } })
})
afterAll(() => bench.cleanUp())

function needsProc(context: TestContext): void {
  context.skip(process.platform !== 'linux', 'needs /proc, to see the memory of another process')
}

function expectPeakBounded(): void {
  const status = readFileSync(`/proc/${node.child.pid}/status`, 'utf8')
  const [, kib] = /^VmHWM:\s+(\d+) kB$/m.exec(status) ?? []
  expect(Number(kib) * 1024).toBeGreaterThan(50_000_000)
  expect(Number(kib) * 1024).toBeLessThan(PEAK_BYTES_MAX)
}

/** The pieces of the large image; `digest` sees them too. */
function* largeImage(digest = createHash('sha256')): Generator<Uint8Array> {
  const head = makeBmp({ width: SIDE, height: 1 }).subarray(0, 54)
  head.writeUInt32LE(LARGE_BYTES, 2)
  head.writeUInt32LE(SIDE, 22)
  const piece = noiseBytes(1024 * 1024)
  digest.update(head)
  yield head
  for (let left = LARGE_BYTES - head.length; left > 0; left -= piece.length) {
    digest.update(piece.subarray(0, left))
    yield piece.subarray(0, left)
  }
}

interface Answer {
  readonly status: number | undefined
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  readonly body: any
}

/** Sends pieces as fast as the node takes them, without saying how many there will be. */
async function stream(
  method: string,
  path: string,
  pieces: Iterable<Uint8Array>,
  headers = {}
): Promise<Answer> {
  const outgoing = request(node.url + path, { method, headers })
  const answered = new Promise<Answer>((resolve, reject) => {
    outgoing.on('error', reject)
    outgoing.on('response', async (incoming) => {
      const text = Buffer.concat(await incoming.toArray()).toString()
      resolve({ status: incoming.statusCode, body: JSON.parse(text) })
    })
  })
  await pipeline(pieces, outgoing)
  return answered
}

test('a large image comes in as a body of unknown length', async (context) => {
  needsProc(context)
  const digest = createHash('sha256')
  const { status, body } = await stream('PUT', '/images/large.bmp', largeImage(digest))
  expect([status, body.size, body.width, body.height]).toEqual([201, LARGE_BYTES, SIDE, SIDE])
  expect(body.sha256).toBe(digest.digest('hex'))
  expectPeakBounded()
})

test('a large image comes in as a form', async (context) => {
  needsProc(context)
  function* form() {
    const disposition = 'Content-Disposition: form-data; name="file"; filename="form.bmp"'
    yield Buffer.from(`--b\r\n${disposition}\r\n\r\n`)
    yield* largeImage()
    yield Buffer.from('\r\n--b--\r\n')
  }
  const headers = { 'content-type': 'multipart/form-data; boundary=b' }
  const { status, body } = await stream('POST', `${API}/upload`, form(), headers)
  expect([status, body.size, body.duplicate_of]).toEqual([200, LARGE_BYTES, 'large.bmp'])
  expectPeakBounded()
})

test('a large image goes out', async (context) => {
  needsProc(context)
  const response = await fetch(`${node.url}/images/large.bmp`)
  const digest = createHash('sha256')
  for await (const piece of response.body ?? []) digest.update(piece)
  expect(`"${digest.digest('hex')}"`).toBe(response.headers.get('etag'))
  expectPeakBounded()
})

test('clients that read nothing cost little, and hold nobody up', async (context) => {
  needsProc(context)
  const clients = Array.from({ length: 50 }, () => new RawClient(node.port))
  for (const client of clients) {
    client.write(`GET /images/large.bmp HTTP/1.1\r\nHost: 127.0.0.1:${node.port}\r\n\r\n`)
    await client.until(/^HTTP\/1\.1 200 /)
    client.socket.pause()
  }
  expect((await put(node.url, 'between.jpg', noiseBytes(1000))).status).toBe(201)
  expect((await send(`${node.url}/healthz`)).status).toBe(200)
  expectPeakBounded()
  for (const client of clients) client.destroy()
})

test(
  '200 uploads of 1 MB at one time',
  async (context) => {
    needsProc(context)
    const noise = noiseBytes(1_000_000)
    const imageOf = (n: number) => Buffer.concat([Buffer.from(String(n)), noise])
    const said = new Set<number>()
    // where the machine is so busy that nothing ends for seconds, those who wait are sent away
    const untilTaken = (n: number) =>
      eventually(
        async () => {
          const { status, headers } = await put(node.url, `${n}.jpg`, imageOf(n))
          said.add(status)
          if (status === 503) expect(Number(headers.get('retry-after'))).toBeGreaterThan(0)
          expect(status).toBe(201)
        },
        { withinMs: TAKEN_MS_MAX }
      )
    await Promise.all(Array.from({ length: 200 }, (_, n) => untilTaken(n)))
    said.delete(503)
    expect([...said]).toEqual([201])
    expectPeakBounded()
  },
  TAKEN_MS_MAX
)

test('limits of the engine that are given by hand are left as they are', async (context) => {
  needsProc(context)
  const lineOf = ({ child }: RealNode) => readFileSync(`/proc/${child.pid}/cmdline`, 'utf8')
  expect(lineOf(node)).toMatch(/--max-semi-space-size=\d+/)
  const given = { NODE_OPTIONS: '--max-semi-space-size=32' }
  const other = await bench.start('b', { env: given })
  expect(lineOf(other)).not.toContain('--max-semi-space-size')
  expect((await other.end('SIGTERM')).code).toBe(0)
})
