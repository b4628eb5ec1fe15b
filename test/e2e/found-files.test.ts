// What other programs do in images/ while the node runs.

import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync
} from 'node:fs'
import { open, rename, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { makeImage, makeSvg } from '../fixtures/make-images.ts'
import { sizedJpeg } from '../fixtures/sized-jpeg.ts'
import { sha256 } from '../support/digests.ts'
import { eventually } from '../support/eventually.ts'
import { bytesAt, put, send } from '../support/http-client.ts'
import { type RealNode, Workbench } from '../support/real-node.ts'

const API = '/file-sync/api/file-sync'
/** Scans come soon: what the system does not tell is found within the time of a test. */
const OPTIONS = { env: { TUMESH_ADOPT_INTERVAL: '1s' } }

vi.setConfig({ testTimeout: 120_000 })

let bench: Workbench
let node: RealNode
beforeAll(async () => {
  bench = new Workbench()
  node = await bench.start('a', OPTIONS)
})
afterAll(() => bench.cleanUp())

const fileOf = (path: string) => bench.path('a', 'images', path)
const quarantined = () => readdirSync(bench.path('a', 'quarantine'))

function write(path: string, bytes: Uint8Array | string): void {
  mkdirSync(dirname(fileOf(path)), { recursive: true })
  writeFileSync(fileOf(path), bytes)
}

/** As a crawler should: complete before it has its name. */
function moveIn(path: string, bytes: Uint8Array | string): void {
  writeFileSync(bench.path('a', 'moved'), bytes)
  renameSync(bench.path('a', 'moved'), fileOf(path))
}

const expectServed = (path: string, bytes: Uint8Array) =>
  eventually(
    async () => {
      const found = await bytesAt(`${node.url}/images/${path}`)
      expect([path, found.status, sha256(found.bytes)]).toEqual([path, 200, sha256(bytes)])
    },
    { withinMs: 30_000 }
  )

/** The file itself, too. */
const expectShown = async (path: string, bytes: Uint8Array) => {
  await expectServed(path, bytes)
  await eventually(() => expect(readFileSync(fileOf(path)).equals(bytes)).toBe(true), {
    withinMs: 30_000
  })
}

async function filesOf(prefix: string): Promise<{ path: string; sha256: string }[]> {
  return (await send(`${node.url}${API}/files?prefix=${prefix}`)).body.files
}

const COUNT = 1500
const burst = (n: number) => ({ path: `burst/${n % 20}/${n}.jpg`, bytes: sizedJpeg(2000, `${n}`) })

/** A third of the files in two pieces with a pause, some of these under another name first. */
async function writeOne(n: number): Promise<void> {
  const { path, bytes } = burst(n)
  if (n % 3 > 0) return writeFile(fileOf(path), bytes)
  const first = n % 2 === 0 ? fileOf(`burst/${n % 20}/new-${n}.jpg`) : fileOf(path)
  const handle = await open(first, 'w')
  await handle.write(bytes.subarray(0, 1000))
  await new Promise((resolve) => setTimeout(resolve, 100))
  if (n % 2 === 0) await rename(first, fileOf(path))
  await handle.write(bytes.subarray(1000))
  await handle.close()
}

test('a burst of files arrives whole, over a kill -9, and reads go on', async () => {
  const held = makeSvg({ seed: 1 })
  await put(node.url, 'held.svg', held)
  for (let n = 0; n < 20; n++) mkdirSync(fileOf(`burst/${n}`), { recursive: true })
  const half = Array.from({ length: COUNT / 2 }, (_, n) => writeOne(n))
  await Promise.all(half)
  await expectServed('held.svg', held)
  await eventually(async () => expect((await filesOf('burst/')).length).toBeGreaterThan(0), {
    withinMs: 30_000
  })
  await node.end('SIGKILL')
  const rest = Array.from({ length: COUNT / 2 }, (_, n) => writeOne(COUNT / 2 + n))
  node = await bench.start('a', OPTIONS)
  await Promise.all(rest)
  await expectServed('held.svg', held)
  const images = new Map(
    Array.from({ length: COUNT }, (_, n) => burst(n)).map(({ path, bytes }) => [
      path,
      sha256(bytes)
    ])
  )
  await eventually(
    async () => {
      const found = await filesOf('burst/')
      expect(new Map(found.map((file) => [file.path, file.sha256]))).toEqual(images)
    },
    { withinMs: 60_000 }
  )
  const { trash_size } = (await send(`${node.url}/api/storage-status`)).body
  expect([trash_size, quarantined()], 'none was half').toEqual([0, []])
})

test('a file is an image while its writer has it open, and what he writes later is a new one', async () => {
  write('open/a.svg', makeSvg({ seed: 2 }))
  await expectServed('open/a.svg', makeSvg({ seed: 2 }))
  appendFileSync(fileOf('open/a.svg'), '<!-- more -->\n')
  const whole = Buffer.concat([makeSvg({ seed: 2 }), Buffer.from('<!-- more -->\n')])
  await expectServed('open/a.svg', whole)
  expect(readFileSync(fileOf('open/a.svg')).equals(whole)).toBe(true)
})

test('a file at the place of an image is a new version; what is no image is set aside', async () => {
  const [first, second] = [await makeImage('png'), await makeImage('png', { seed: 2 })]
  await put(node.url, 'known.png', first)
  moveIn('known.png', second)
  await expectServed('known.png', second)
  const before = quarantined().length
  moveIn('known.png', 'broken')
  await eventually(() => expect(quarantined()).toHaveLength(before + 1))
  await expectShown('known.png', second)
  const history = (await send(`${node.url}${API}/file/known.png`)).body.history
  expect(history.map(({ event }: { event: string }) => event)).toEqual(['added', 'replaced'])
})

test('so is one that a copy has made room for: the disk may give it the same number', async () => {
  const env = { ...OPTIONS.env, TUMESH_IMAGES_VIEW: 'copy' }
  const other = await bench.start('copies', { env })
  const [first, second] = [makeSvg({ seed: 5 }), makeSvg({ seed: 6 })]
  await put(other.url, 'a.svg', first)
  const file = bench.path('copies', 'images', 'a.svg')
  await eventually(() => expect(existsSync(file)).toBe(true))
  rmSync(file)
  writeFileSync(file, second)
  await eventually(
    async () => {
      const { bytes } = await bytesAt(`${other.url}/images/a.svg`)
      expect(sha256(bytes)).toBe(sha256(second))
    },
    { withinMs: 30_000 }
  )
  expect(readdirSync(bench.path('copies', 'quarantine'))).toEqual([])
  await other.end('SIGTERM')
})

test('an image that is written to through its name in images/ is damaged, until it is right', async () => {
  const bytes = makeSvg({ seed: 3 })
  await put(node.url, 'inplace.svg', bytes)
  chmodSync(fileOf('inplace.svg'), 0o644)
  writeFileSync(fileOf('inplace.svg'), 'other bytes')
  await eventually(async () => {
    expect((await send(`${node.url}/images/inplace.svg`)).status).toBe(503)
    expect(existsSync(fileOf('inplace.svg'))).toBe(false)
  })
  moveIn('inplace.svg', bytes)
  await expectShown('inplace.svg', bytes)
})

test('what was deleted does not come back with an old file, and what was removed does', async () => {
  const bytes = makeSvg({ seed: 4 })
  await put(node.url, 'deleted.svg', bytes)
  await put(node.url, 'removed.svg', bytes)
  await send(`${node.url}/images/deleted.svg`, { method: 'DELETE' })
  const before = quarantined().length
  writeFileSync(bench.path('a', 'old'), bytes)
  utimesSync(bench.path('a', 'old'), 1_600_000_000, 1_600_000_000)
  renameSync(bench.path('a', 'old'), fileOf('deleted.svg'))
  rmSync(fileOf('removed.svg'))
  await eventually(() => expect(quarantined()).toHaveLength(before + 1))
  expect((await send(`${node.url}/images/deleted.svg`)).status).toBe(410)
  await expectShown('removed.svg', bytes)
})

test('images/ as a whole comes back', async () => {
  const paths = ['held.svg', 'removed.svg', 'known.png']
  rmSync(bench.path('a', 'images'), { recursive: true })
  await eventually(() => expect(paths.filter((path) => !existsSync(fileOf(path)))).toEqual([]), {
    withinMs: 120_000
  })
  write('after.svg', makeSvg({ seed: 5 }))
  await expectServed('after.svg', makeSvg({ seed: 5 }))
  expect((await send(`${node.url}/api/storage-status`)).body.status).toBe('healthy')
})
