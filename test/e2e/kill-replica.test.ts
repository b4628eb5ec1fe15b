// kill -9 between any two steps in which an image comes from another server, or goes by its word:
// after the restart both have the same, whole.

import { afterEach, beforeEach, expect, test } from 'vitest'
import type { FailPoint } from '../../src/base/fail-point.ts'
import { expectSoundFolder } from '../support/check-folder.ts'
import { sha256 } from '../support/digests.ts'
import { eventually } from '../support/eventually.ts'
import { bytesAt, postJson, put, send } from '../support/http-client.ts'
import { RealMesh } from '../support/real-mesh.ts'
import { Workbench } from '../support/real-node.ts'
import { sampleOfKills } from '../support/sample-of-kills.ts'

const image = (text: string, bytes: number) => {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" id="${text}"/>`
  return Buffer.concat([Buffer.from(svg), Buffer.alloc(bytes, ' ')])
}
const before = image('before', 2000)

let bench: Workbench
let mesh: RealMesh
beforeEach(() => {
  bench = new Workbench()
  mesh = new RealMesh(bench)
})
afterEach(() => bench.cleanUp())

/** Two servers with one image each knows, the second one armed. */
async function startArmed(point: FailPoint): Promise<void> {
  await mesh.start('a')
  await put(mesh.url('a'), 'before.svg', before)
  const b = await mesh.start('b', { env: { TUMESH_FAIL_POINT: point } })
  await expectEverywhere('before.svg', before)
  await expectSoundFolder(b.url, bench.path('b'))
  b.child.kill('SIGUSR2')
  await eventually(() => expect(b.stdout).toContain('armed'))
}

async function expectKilled(): Promise<void> {
  const { signal } = await mesh.node('b').ended()
  expect(signal, 'the point was reached').toBe('SIGKILL')
}

async function expectEverywhere(path: string, bytes: Uint8Array): Promise<void> {
  await eventually(
    async () => {
      for (const name of ['a', 'b']) {
        const found = await bytesAt(`${mesh.url(name)}/images/${path}`)
        expect([name, found.status, sha256(found.bytes)]).toEqual([name, 200, sha256(bytes)])
        const { body } = await send(`${mesh.url(name)}/api/storage-status`)
        expect([name, body.missing_files, body.status]).toEqual([name, 0, 'healthy'])
      }
    },
    { withinMs: 30_000 }
  )
}

const COMES: readonly (readonly [FailPoint, number])[] = [
  ['stage:opened', 0],
  ['stage:written', 0],
  ['publish:linked', 0],
  ['publish:durable', 0],
  ['change:planned', 0],
  ['change:written', 0],
  ['settle:started', 0],
  ['settle:view-linked', 0],
  ['settle:ended', 0],
  ['stage:opened', 900_000],
  ['stage:written', 900_000],
  ['publish:linked', 900_000]
]

test.each(sampleOfKills(COMES, 1))(
  'killed at %s while an image comes, %i bytes more',
  async (point, more) => {
    const bytes = image('new', more)
    await startArmed(point)
    expect((await put(mesh.url('a'), 'new.svg', bytes)).status).toBe(201)
    await expectKilled()
    await mesh.start('b')
    await expectEverywhere('before.svg', before)
    await expectEverywhere('new.svg', bytes)
    for (const name of ['a', 'b']) await expectSoundFolder(mesh.url(name), bench.path(name))
  },
  90_000
)

const COME_TOGETHER: readonly FailPoint[] = ['stage:written', 'publish:linked']

test.each(sampleOfKills(COME_TOGETHER, 0))(
  'killed at %s while many images come',
  async (point) => {
    const images = new Map(
      Array.from({ length: 120 }, (_, n) => [`${n % 7}/${n}.svg`, image(`${n}`, 20_000)])
    )
    images.set('large.svg', image('large', 3_000_000))
    await mesh.start('a')
    for (const [path, bytes] of images) await put(mesh.url('a'), path, bytes)
    const b = await mesh.start('b', { env: { TUMESH_FAIL_POINT: `${point}#30` } }, { alone: true })
    b.child.kill('SIGUSR2')
    await eventually(() => expect(b.stdout).toContain('armed'))
    const address = await mesh.addressOf('a')
    await postJson(`${b.url}/api/peers`, { address }).catch(() => {}) // it may be dead by now
    await expectKilled()
    await mesh.start('b')
    for (const [path, bytes] of images) await expectEverywhere(path, bytes)
    for (const name of ['a', 'b']) await expectSoundFolder(mesh.url(name), bench.path(name))
  },
  90_000
)

const GOES: readonly FailPoint[] = ['change:written', 'settle:view-unlinked', 'settle:blob-moved']

test.each(sampleOfKills(GOES, 0))(
  'killed at %s while an image is deleted elsewhere',
  async (point) => {
    await startArmed(point)
    const deleted = await send(`${mesh.url('a')}/images/before.svg`, { method: 'DELETE' })
    expect(deleted.status).toBe(200)
    await expectKilled()
    await mesh.start('b')
    await eventually(async () => {
      expect((await send(`${mesh.url('b')}/images/before.svg`)).status).toBe(410)
    })
    for (const name of ['a', 'b']) {
      await expectSoundFolder(mesh.url(name), bench.path(name), [sha256(before)])
    }
  },
  90_000
)
