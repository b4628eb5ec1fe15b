// Two real nodes that pack what they send: what arrives is what was put in.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { testBytes } from '../support/data-folder.ts'
import { eventually } from '../support/eventually.ts'
import { bytesAt, put } from '../support/http-client.ts'
import { RealMesh } from '../support/real-mesh.ts'
import { Workbench } from '../support/real-node.ts'

let bench: Workbench
let mesh: RealMesh

beforeAll(async () => {
  bench = new Workbench()
  mesh = new RealMesh(bench)
  for (const name of ['a', 'b']) {
    await mesh.start(name, { env: { TUMESH_TRAFFIC_COMPRESS: 'always' } })
  }
}, 60_000)
afterAll(() => bench.cleanUp())

const svg = (bytes: number, seed: number) =>
  Buffer.from(
    `<svg xmlns="http://www.w3.org/2000/svg"><!--${Buffer.from(testBytes(bytes / 2, seed)).toString('hex')}--></svg>`
  )

async function savedBytes(name: string, way: 'sent' | 'received'): Promise<number> {
  const text = (await bytesAt(`${mesh.url(name)}/metrics`)).bytes.toString()
  return Number(new RegExp(`^tumesh_peer_${way}_saved_bytes_total (\\d+)`, 'm').exec(text)?.[1])
}

test('images arrive as they were, and fewer bytes pass', async () => {
  const images = [3_000, 300_000, 3_000_000].map((bytes, n) => svg(bytes, n + 1))
  for (const [n, bytes] of images.entries()) {
    expect((await put(mesh.url('a'), `${n}.svg`, bytes)).status).toBe(201)
  }
  await eventually(
    async () => {
      for (const [n, bytes] of images.entries()) {
        const { status, bytes: got } = await bytesAt(`${mesh.url('b')}/images/${n}.svg`)
        expect([status, Buffer.compare(Buffer.from(got), bytes)]).toEqual([200, 0])
      }
    },
    { withinMs: 20_000 }
  )
  const all = images.reduce((sum, { byteLength }) => sum + byteLength, 0)
  expect(await savedBytes('a', 'sent')).toBeGreaterThan(all / 4)
  await eventually(async () => expect(await savedBytes('b', 'received')).toBeGreaterThan(all / 4))
}, 60_000)
