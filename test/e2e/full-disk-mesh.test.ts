// One server of a mesh has a full disk: it still serves what it has not, small and large, and all
// others know which disk it is.

import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { noiseBytes } from '../fixtures/make-images.ts'
import { sha256 } from '../support/digests.ts'
import { eventually } from '../support/eventually.ts'
import { postJson, put, send } from '../support/http-client.ts'
import { RealMesh } from '../support/real-mesh.ts'
import { Workbench } from '../support/real-node.ts'

const DISK = 'size=64m,nr_inodes=5000'
const LARGE = 1_500_000

vi.setConfig({ testTimeout: 60_000 })

let bench: Workbench
let mesh: RealMesh
let disk: string
let isMounted = false
beforeAll(async () => {
  bench = new Workbench()
  mesh = new RealMesh(bench)
  disk = bench.path('b')
  mkdirSync(disk)
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', DISK, 'tmpfs', disk], { stdio: 'ignore' })
    isMounted = true
  } catch {
    return
  }
  await mesh.start('a')
  await mesh.start('b')
  await mesh.connected()
}, 60_000)
beforeEach((context) => context.skip(!isMounted, 'needs root and mount(8), for a small disk'))
afterAll(async () => {
  await bench.killAll()
  if (isMounted) execFileSync('umount', [disk])
  await bench.cleanUp()
})

const status = async (name: string) => (await send(`${mesh.url(name)}/api/storage-status`)).body
const ofB = async () =>
  (await status('a')).servers.find(({ name }: { name: string }) => name === 'b')

/** Of another program: up to the reserve of the node and into it. */
async function fill(): Promise<void> {
  const file = join(disk, 'of-another-program')
  // the node writes, too: there may be less room than there was a moment ago
  await eventually(() => {
    rmSync(file, { force: true })
    const { bavail, bsize } = statfsSync(disk)
    writeFileSync(file, Buffer.alloc(bavail * bsize - 2_000_000))
  })
}

async function expectPassedOn(path: string, bytes: Uint8Array): Promise<void> {
  const answer = await fetch(`${mesh.url('b')}/images/${path}`)
  const body = Buffer.from(await answer.arrayBuffer())
  expect([path, answer.status, sha256(body)]).toEqual([path, 200, sha256(bytes)])
  expect(answer.headers.get('x-image-source')).toBe('peer:a')
}

test('a full disk passes on what it can’t keep, and every server knows of it', async () => {
  await eventually(async () => expect(await ofB()).toMatchObject({ disk_state: 'ok' }))
  await fill()
  await eventually(async () => expect((await status('b')).disk.state).toBe('full'))
  const images = { 'small.jpg': noiseBytes(50_000, 1), 'large.jpg': noiseBytes(LARGE, 2) }
  for (const [path, bytes] of Object.entries(images)) {
    expect((await put(mesh.url('a'), path, bytes)).status).toBe(201)
    await eventually(() => expectPassedOn(path, bytes))
    await expectPassedOn(path, bytes)
  }
  const headers = { range: 'bytes=1000000-1000999' }
  const range = await fetch(`${mesh.url('b')}/images/large.jpg`, { headers })
  expect(range.status).toBe(206)
  const part = Buffer.from(await range.arrayBuffer())
  expect(part.equals(images['large.jpg'].subarray(1_000_000, 1_001_000))).toBe(true)
  expect(readdirSync(join(disk, 'blobs'))).toEqual([])
  await eventually(
    async () => {
      await postJson(`${mesh.url('a')}/api/force-file-sync`, {})
      expect(await ofB()).toMatchObject({ disk_state: 'full', missing_files: 2 })
    },
    { withinMs: 30_000 }
  )
  expect(Date.now() - Date.parse((await ofB()).disk_since)).toBeLessThan(120_000)
  expect((await status('a')).status_reasons).toContainEqual(
    expect.stringMatching(/^The disk of b is full, since \d{4}-\d\d-\d\d \d\d:\d\d UTC/)
  )

  rmSync(join(disk, 'of-another-program'))
  await eventually(
    async () => {
      await postJson(`${mesh.url('b')}/api/force-file-sync`, {})
      await postJson(`${mesh.url('a')}/api/force-file-sync`, {})
      expect(await ofB()).toMatchObject({ disk_state: 'ok', missing_files: 0 })
    },
    { withinMs: 40_000 }
  )
  expect((await status('a')).status_reasons).toEqual([])
})
