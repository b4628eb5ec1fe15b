// A disk that fills up: uploads are refused, all else goes on, and room that is made is used again.

import { execFileSync } from 'node:child_process'
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmSync,
  statfsSync,
  statSync,
  writeFileSync,
  writeSync
} from 'node:fs'
import { afterAll, afterEach, beforeAll, expect, type TestContext, test, vi } from 'vitest'
import { noiseBytes } from '../fixtures/make-images.ts'
import { expectSoundFolder } from '../support/check-folder.ts'
import { sha256 } from '../support/digests.ts'
import { eventually } from '../support/eventually.ts'
import { type Answer, bytesAt, postJson, put, send, upload } from '../support/http-client.ts'
import { sendRaw } from '../support/raw-client.ts'
import { type RealNode, Workbench } from '../support/real-node.ts'

const DISK_BYTES = 64 * 1024 * 1024
/** 5 % of the disk. */
const RESERVE_BYTES = Math.floor(DISK_BYTES * 0.05)

vi.setConfig({ testTimeout: 60_000 })

let bench: Workbench
let disk: string
let mounted = false
let node: RealNode
beforeAll(async () => {
  bench = new Workbench()
  disk = bench.path('a')
  mkdirSync(disk)
  const size = `size=${DISK_BYTES},nr_inodes=5000`
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', size, 'tmpfs', disk], { stdio: 'ignore' })
    mounted = true
  } catch {
    return
  }
  node = await bench.start('a')
})
afterEach(() => rmSync(fillFile(), { force: true }))
afterAll(async () => {
  await bench.killAll()
  if (mounted) execFileSync('umount', [disk])
  await bench.cleanUp()
})

function needsMount(context: TestContext): void {
  context.skip(!mounted, 'needs root and mount(8), for a small disk')
}

/** Of another program, on the same disk. */
const fillFile = () => `${disk}/of-another-program`

/** Until so much is left, or nothing. */
function fill(leaveBytes: number): void {
  const { bavail, bsize } = statfsSync(disk)
  const fd = openSync(fillFile(), 'a')
  try {
    for (let left = bavail * bsize - leaveBytes; left > 0; ) {
      left -= writeSync(fd, Buffer.alloc(Math.min(left, 2 ** 20)))
    }
  } catch (error) {
    expect(error).toMatchObject({ code: 'ENOSPC' })
  } finally {
    closeSync(fd)
  }
}

const image = (seed: number, bytes = 100_000) => noiseBytes(bytes, seed)
const remove = (path: string) => send(`${node.url}/images/${path}`, { method: 'DELETE' })
const status = async () => (await send(`${node.url}/api/storage-status`)).body
const hasFile = (place: string, bytes: Uint8Array) =>
  statSync(`${disk}/${place}/${sha256(bytes).slice(0, 2)}/${sha256(bytes)}`, {
    throwIfNoEntry: false
  }) !== undefined

async function expectRead(path: string, bytes: Uint8Array): Promise<void> {
  const found = await bytesAt(`${node.url}/images/${path}`)
  expect([found.status, sha256(found.bytes)]).toEqual([200, sha256(bytes)])
}

function expectFull({ status, body }: Pick<Answer, 'status' | 'body'>): void {
  expect([status, body.code]).toEqual([507, 'DISK_FULL'])
  expect(body.detail).toMatch(/^[A-Z].*\.$/)
}

test('below the reserve uploads are refused, reading and deleting go on', async (context) => {
  needsMount(context)
  for (const n of [1, 2, 3]) await put(node.url, `${n}.jpg`, image(n))
  fill(RESERVE_BYTES - 500_000)
  await eventually(async () =>
    expect(await status()).toMatchObject({
      status: 'read_only',
      status_reasons: [expect.stringMatching(/^The disk is full .*\.$/)],
      disk: { state: 'full', reserved: RESERVE_BYTES },
      total_files: 3
    })
  )
  expectFull(await put(node.url, 'new.jpg', image(9)))
  expectFull(await upload(node.url, 'new.jpg', image(9)))
  await expectRead('1.jpg', image(1))
  expect((await send(`${node.url}/readyz`)).status).toBe(200)
  expect((await postJson(`${node.url}/api/move`, { from: '1.jpg', to: 'moved.jpg' })).status).toBe(
    200
  )
  await expectRead('moved.jpg', image(1))
  expect((await remove('2.jpg')).status).toBe(200)
  expect((await postJson(`${node.url}/api/restore`, { path: '2.jpg' })).status).toBe(200)
  await expectRead('2.jpg', image(2))
  expect((await remove('3.jpg?purge=true')).status).toBe(200)
  expect([hasFile('blobs', image(3)), hasFile('trash', image(3))], 'its bytes are freed').toEqual([
    false,
    false
  ])

  rmSync(fillFile())
  await eventually(async () => expect((await put(node.url, 'new.jpg', image(9))).status).toBe(201))
  await eventually(async () => expect((await status()).status).toBe('healthy'))
  await expectSoundFolder(node.url, disk)
})

test('an upload of unknown length ends at the reserve, and the node goes on', async (context) => {
  needsMount(context)
  const body = image(20, DISK_BYTES)
  const headers = { 'Transfer-Encoding': 'chunked' }
  const sending = sendRaw(node.port, '/images/large.jpg', { method: 'PUT', headers, body })
  let ended = false
  const refused = sending.finally(() => {
    ended = true
  })
  let changes = 0
  for (; !ended; changes++) {
    const [from, to] = changes % 2 === 0 ? ['2.jpg', 'x.jpg'] : ['x.jpg', '2.jpg']
    expect((await postJson(`${node.url}/api/move`, { from, to })).status).toBe(200)
    await expectRead(to, image(2))
  }
  const { status, json } = await refused
  expectFull({ status, body: json })
  expect(json.detail).toContain('in reserve')
  expect(changes).toBeGreaterThan(1)
  expect((await send(`${node.url}/images/large.jpg`)).status).toBe(404)
  await eventually(async () => expect((await put(node.url, 'a.jpg', image(21))).status).toBe(201))
  await expectSoundFolder(node.url, disk)
})

test('a disk full to its last byte loses nothing, and ends nobody', async (context) => {
  needsMount(context)
  await put(node.url, 'last.jpg', image(30))
  fill(0)
  expectFull(await put(node.url, 'new.jpg', image(31)))
  const done: string[] = []
  for (let n = 0; n < 30; n++) {
    const answer = await postJson(`${node.url}/api/copy`, { from: 'last.jpg', to: `copy${n}.jpg` })
    if (answer.status === 200) done.push(`copy${n}.jpg`)
    else expectFull(answer)
  }
  await expectRead('last.jpg', image(30))
  expect((await send(`${node.url}/healthz`)).status).toBe(200)
  await eventually(async () => expect(['read_only', 'critical']).toContain((await status()).status))
  expect((await node.end('SIGTERM')).code).toBe(0)

  rmSync(fillFile())
  node = await bench.start('a')
  for (const path of ['last.jpg', ...done]) await expectRead(path, image(30))
  expect((await put(node.url, 'again.jpg', image(32))).status).toBe(201)
  expect((await status()).status).toBe('healthy')
  await expectSoundFolder(node.url, disk)
})

/** Files of another program, until no more can be made. */
function fillInodes(): () => void {
  const folder = `${disk}/files-of-another-program`
  mkdirSync(folder)
  try {
    for (let n = 0; ; n++) writeFileSync(`${folder}/${n}`, '')
  } catch (error) {
    expect(error).toMatchObject({ code: 'ENOSPC' })
  }
  return () => rmSync(folder, { recursive: true })
}

const heldFor = () => {
  const folder = `${disk}/metadata/reserve`
  const names = readdirSync(folder)
  const bytes = statSync(`${folder}/bytes`, { throwIfNoEntry: false })?.size ?? 0
  return [bytes, names.filter((name) => name.startsWith('file-')).length]
}

test('to the last byte and the last file deleting and purging are written down', async (context) => {
  needsMount(context)
  const names = Array.from({ length: 40 }, (_, n) => `kept-${n}.jpg`)
  for (const [n, name] of names.entries()) await put(node.url, name, image(100 + n, 20_000))
  fill(5 * RESERVE_BYTES)
  const whole = () => expect(heldFor()).toEqual([RESERVE_BYTES, 64])
  await eventually(whole, { withinMs: 20_000 })
  const use = async ([one, two, three, four]: readonly string[], seed: number) => {
    expectFull(await put(node.url, 'new-one.jpg', image(50)))
    expect([one, (await remove(`${one}`)).status]).toEqual([one, 200])
    expect([two, (await remove(`${two}?purge=true`)).status]).toEqual([two, 200])
    expect(hasFile('blobs', image(seed + 1, 20_000))).toBe(false)
    const moved = await postJson(`${node.url}/api/move`, { from: three, to: `moved-${three}` })
    expect([three, moved.status]).toEqual([three, 200])
    await expectRead(`${four}`, image(seed + 3, 20_000))
  }
  fill(0)
  await eventually(async () => expect((await status()).disk.state).toBe('full'))
  for (let n = 0; n < 20; n += 4) await use(names.slice(n, n + 4), 100 + n)
  rmSync(fillFile())
  const emptied = fillInodes()
  await eventually(async () => expect((await status()).disk.inodes_free).toBeLessThan(20))
  for (let n = 20; n < 36; n += 4) await use(names.slice(n, n + 4), 100 + n)
  fill(0)
  await use(names.slice(36), 136)
  emptied()
  rmSync(fillFile())
  fill(5 * RESERVE_BYTES)
  await eventually(whole, { withinMs: 20_000 })
  rmSync(fillFile())
  await eventually(async () => expect((await status()).status).toBe('healthy'))
  await node.end('SIGKILL')
  node = await bench.start('a')
  for (const name of [names[0], names[1], names[36]]) {
    expect((await send(`${node.url}/images/${name}`)).status).toBe(410)
  }
  await expectRead('moved-kept-2.jpg', image(102, 20_000))
}, 120_000)

/** Takes nothing, as a file on a full disk does. */
const FULL_DEVICE = '/dev/full'

test('a log for which there is no room ends no node', async (context) => {
  context.skip(!existsSync(FULL_DEVICE), 'needs /dev/full')
  const runner = ['sh', '-c', `exec "$@" 2>${FULL_DEVICE}`, 'sh']
  const other = await bench.start('unlogged', { runner })
  expect((await put(other.url, 'a.jpg', image(1))).status).toBe(201)
  expect((await bytesAt(`${other.url}/images/a.jpg`)).status).toBe(200)
  expect(await other.end('SIGTERM')).toMatchObject({ code: 0, signal: null })
})
