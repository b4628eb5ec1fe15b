// The disk of a node goes away while it runs: readers get the bytes of other servers, and nobody
// counts on what it holds until it is back.

import { mkdirSync, renameSync, rmdirSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeSvg } from '../fixtures/make-images.ts'
import { sha256 } from '../support/digests.ts'
import { eventually } from '../support/eventually.ts'
import { bytesAt, put, send } from '../support/http-client.ts'
import { RealMesh } from '../support/real-mesh.ts'
import { Workbench } from '../support/real-node.ts'

const image = makeSvg({ seed: 1 })
/** Read while it comes. */
const large = Buffer.concat([makeSvg({ seed: 2 }), Buffer.alloc(3_000_000, ' ')])

let bench: Workbench
let mesh: RealMesh
beforeAll(async () => {
  bench = new Workbench()
  mesh = new RealMesh(bench)
  await mesh.start('a')
  await mesh.start('b')
  await mesh.connected()
}, 60_000)
afterAll(() => bench.cleanUp())

/** Who has the image, as `a` hears it from each. */
async function holders(): Promise<unknown> {
  const { body } = await send(`${mesh.url('a')}/api/copies/${sha256(image)}`)
  return body.servers.map(({ name, has, state }: Record<string, unknown>) => [name, has, state])
}

test('its images are read from the others, and it claims to hold none', {
  timeout: 60_000
}, async () => {
  await put(mesh.url('a'), 'l.svg', large)
  await put(mesh.url('a'), 'x.svg', image)
  const both = [
    ['a', true, 'held'],
    ['b', true, 'held']
  ]
  await eventually(async () => expect(await holders()).toEqual(both), { withinMs: 20_000 })
  renameSync(bench.path('b'), bench.path('away'))
  mkdirSync(bench.path('b'))
  const { status, bytes } = await bytesAt(`${mesh.url('b')}/images/x.svg`)
  expect([status, bytes.equals(image)]).toEqual([200, true])
  const other = await bytesAt(`${mesh.url('b')}/images/l.svg`)
  expect([other.status, other.bytes.equals(large)]).toEqual([200, true])
  expect(await holders()).toEqual([both[0], ['b', false, 'doubt']])
  rmdirSync(bench.path('b'))
  renameSync(bench.path('away'), bench.path('b'))
  await eventually(async () => expect(await holders()).toEqual(both), { withinMs: 20_000 })
  expect((await bytesAt(`${mesh.url('b')}/images/x.svg`)).status).toBe(200)
})
