// How long two nodes take to make good what one of them has lost: a blob, all of its metadata, the
// whole folder.
//   node test/bench/recovery.ts [--count 10000] [--bytes 100000] [--blobs 50]
// Folders are made under TMPDIR.

import { chmodSync, closeSync, openSync, readdirSync, rmSync, writeSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { sizedJpeg } from '../fixtures/sized-jpeg.ts'
import { sha256 } from '../support/digests.ts'
import { eventually } from '../support/eventually.ts'
import { postJson } from '../support/http-client.ts'
import { RealMesh } from '../support/real-mesh.ts'
import { Workbench } from '../support/real-node.ts'
import { Client, eachOf } from './support/client.ts'
import { printTable, quantile, short } from './support/figures.ts'
import { measure, type Usage } from './support/machine.ts'

const WITHIN_MS = 1_800_000
const API = '/file-sync/api/file-sync'

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '10000' },
    bytes: { type: 'string', default: '100000' },
    blobs: { type: 'string', default: '50' }
  }
})
const [count, bytes, blobs] = [values.count, values.bytes, values.blobs].map(Number) as [
  number,
  number,
  number
]

const bench = new Workbench()
const mesh = new RealMesh(bench)
const client = new Client({ atOnce: 32 })
const image = (n: number) => sizedJpeg(bytes, `${n}`)
const path = (n: number) => `${n % 100}/${n}.jpg`
const rows: (readonly (string | number)[])[] = [
  [
    'what was lost',
    'seconds',
    'files/s',
    'CPU s of the other + of it',
    'MB that came',
    'foreign cores'
  ]
]

try {
  await mesh.start('a')
  await mesh.start('b')
  await mesh.connected()
  await eachOf(count, 32, (n) => client.put(mesh.url('a'), path(n), image(n)))
  await hasAll()
  await oneBlob()
  await manyBlobs()
  await restarted('all metadata', 'metadata')
  await restarted('the whole folder', '')
  await alone()
  console.log(`\n${count} images of ${bytes} bytes\n`)
  printTable(rows)
} finally {
  client.close()
  await bench.cleanUp()
}

function blobOf(n: number): string {
  const hash = sha256(image(n))
  return bench.path('b', 'blobs', hash.slice(0, 2), hash)
}

/** One byte in the middle becomes another one, as on a disk that lies. */
function damage(n: number): void {
  const file = blobOf(n)
  chmodSync(file, 0o644)
  const fd = openSync(file, 'r+')
  const at = bytes >> 1
  writeSync(fd, Buffer.of((image(n)[at] as number) ^ 1), 0, 1, at)
  closeSync(fd)
}

async function hasAll(name = 'b'): Promise<void> {
  const check = async () => {
    const status = await client.json(`${mesh.url(name)}/api/storage-status`)
    if (status.local_files !== count) throw new Error(`${name} has ${status.local_files}`)
  }
  await eventually(check, { withinMs: WITHIN_MS })
}

/** From the question of a reader to the right answer, and until it is on the disk again. */
async function oneBlob(): Promise<void> {
  const [answered, healed]: [number[], number[]] = [[], []]
  for (let n = 0; n < blobs; n++) {
    damage(n)
    const url = `${mesh.url('b')}/images/${path(n)}`
    const begun = performance.now()
    const { status, body } = await client.ask(url)
    answered.push(performance.now() - begun)
    if (status !== 200 || !body.equals(image(n))) throw new Error(`${path(n)}: ${status}`)
    await eventually(async () => {
      const { headers } = await client.ask(url, { method: 'HEAD' })
      if (headers['x-image-source'] !== 'local') throw new Error('not yet')
    })
    healed.push(performance.now() - begun)
  }
  const ms = (all: number[]) => `${short(quantile(all, 0.5))} (p99 ${short(quantile(all, 0.99))})`
  console.log(`one damaged blob: ${ms(answered)} ms to a reader, ${ms(healed)} ms to the disk`)
}

/** All are read, and those that are damaged come again. */
async function manyBlobs(): Promise<void> {
  for (let n = 0; n < blobs; n++) damage(n)
  const usage = await measured(['a', 'b'], async () => {
    const { body } = await postJson(`${mesh.url('b')}${API}/verify`, {})
    const url = `${mesh.url('b')}${API}/tasks/${body.task_id}`
    const report = body.task_id === undefined ? body : await ended(url)
    // the look at images/ may be faster with some
    if (report.unrepairable_files.length > 0) throw new Error(JSON.stringify(report))
  })
  add(`${blobs} blobs, found by verify`, usage)
}

async function ended(url: string) {
  return eventually(
    async () => {
      const task = await client.json(url)
      if (task.status !== 'completed') throw new Error(`the task is ${task.status}`)
      return task.result
    },
    { withinMs: WITHIN_MS }
  )
}

/** The node is away, loses it, and starts again beside the other one. */
async function restarted(what: string, lost: string): Promise<void> {
  await mesh.node('b').end('SIGTERM')
  rmSync(bench.path('b', lost), { recursive: true })
  await mesh.start('b', { flags: ['--accept-folder'] })
  const usage = await measured(['a', 'b'], () => hasAll())
  const came = await client.json(`${mesh.url('b')}${API}/status`)
  await expectRight('b')
  add(what, usage, came.bytes_received / 1e6)
}

/** A node that has nobody, and only its files. */
async function alone(): Promise<void> {
  for (const name of ['a', 'b']) await mesh.node(name).end('SIGTERM')
  rmSync(bench.path('b', 'metadata'), { recursive: true })
  await mesh.start('b', { flags: ['--accept-folder'] }, { alone: true })
  const usage = await measured(['b'], () => hasAll())
  await expectRight('b')
  add('all metadata, and there is no other node', usage)
}

async function expectRight(name: string): Promise<void> {
  await eachOf(count, 16, async (n) => {
    const { status, body } = await client.ask(`${mesh.url(name)}/images/${path(n)}`)
    if (status !== 200 || !body.equals(image(n))) throw new Error(`${path(n)}: ${status}`)
  })
  const kept = readdirSync(bench.path(name, 'quarantine'))
  if (kept.length > 4 * blobs) throw new Error(`${name} has ${kept.length} files in quarantine/`)
}

function measured(names: readonly string[], task: () => Promise<void>): Promise<Usage> {
  return measure(
    names.map((name) => mesh.node(name).child.pid as number),
    task
  )
}

function add(what: string, { seconds, cpu, foreignCores }: Usage, megabytes?: number): void {
  const used = cpu.length === 1 ? ['-', ...cpu.map(short)] : cpu.map(short)
  const pace = short(count / seconds)
  const came = megabytes === undefined ? '-' : short(megabytes)
  rows.push([what, short(seconds), pace, used.join(' + '), came, short(foreignCores)])
  console.error(`${what}: ${short(seconds)} s`)
}
