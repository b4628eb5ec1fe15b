// Files that crawlers write into images/: how fast they become images, while they are read.
//   node test/bench/adopt.ts [--count 100000] [--bytes 20000] [--slow 0.5] [--renamed 0.2]
//     [--dir D] [--drops 50] [--node-options O] [--limit-mb 200 [--own-node]]
//
// A share of the files is written in two pieces with a pause, and a share of those under another
// name first. A reader asks for images that are there, all the time. With a limit the node runs in
// a control group that has so much memory for all: its own, and the pages of files. Those of
// Node itself count there only with --own-node: they are shared with others of it otherwise.

import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { open, rename, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { sizedJpeg } from '../fixtures/sized-jpeg.ts'
import { spawnNode } from '../support/real-node.ts'
import { Client, eachOf } from './support/client.ts'
import { printTable, quantile, short } from './support/figures.ts'
import { cpuSeconds, measure, memory } from './support/machine.ts'
import { makeMemoryLimit } from './support/memory-limit.ts'

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '100000' },
    bytes: { type: 'string', default: '20000' },
    slow: { type: 'string', default: '0.5' },
    renamed: { type: 'string', default: '0.2' },
    drops: { type: 'string', default: '50' },
    dir: { type: 'string', default: tmpdir() },
    'node-options': { type: 'string', default: '' },
    'limit-mb': { type: 'string' },
    'own-node': { type: 'boolean', default: false }
  }
})
const count = Number(values.count)
const bytes = Number(values.bytes)
const [slow, renamed] = [Number(values.slow), Number(values.renamed)]
/** Files that are being written at one time; a slow one takes 400 ms. */
const WRITERS = 512
const PAUSE_MS = 400
const FOLDERS = 100

/** Of the program itself: pages that others had read before would be free here. */
const OWN_NODE = 'cp "$1" "$0" && shift && exec "$0" "$@"'
/** How often it is looked how much memory there is. */
const LOOK_MS = 500

const folder = mkdtempSync(join(values.dir, 'tumesh-bench-'))
const images = join(folder, 'a', 'images')
const nameOf = (n: number) => `${n % FOLDERS}/${n}.jpg`

async function write(n: number): Promise<void> {
  const file = join(images, nameOf(n))
  const image = sizedJpeg(bytes, `file ${n}`)
  if ((n * 7919) % 1000 >= slow * 1000) return writeFile(file, image)
  const isRenamed = (n * 104_729) % 1000 < renamed * 1000
  const first = isRenamed ? join(images, `${n % FOLDERS}/new-${n}.jpg`) : file
  const handle = await open(first, 'w')
  await handle.write(image.subarray(0, bytes / 2))
  await sleep(PAUSE_MS)
  if (isRenamed) await rename(first, file)
  await handle.write(image.subarray(bytes / 2))
  await handle.close()
}

async function waitFor(client: Client, url: string, images: number): Promise<void> {
  for (;;) {
    const status = await client.json(`${url}/api/storage-status`)
    if (status.local_files >= images) return
    await sleep(100)
  }
}

const env = { NODE_OPTIONS: values['node-options'] }
const limitMb = values['limit-mb']
const limit = limitMb === undefined ? undefined : makeMemoryLimit(Number(limitMb) * 1e6)
const copied = values['own-node'] ? ['sh', '-c', OWN_NODE, join(folder, 'node')] : []
const runner = limit && [...limit.runner, ...copied]
const node = await spawnNode({
  ...{ folder, name: 'a', flags: ['--log-level', 'warn'], env },
  ...(runner && { runner })
}).started()
const pid = node.child.pid as number
const client = new Client({ atOnce: 8 })

/** From the end of the write until it is served, one by one, on a quiet node. */
async function dropped(): Promise<number[]> {
  const times: number[] = []
  mkdirSync(join(images, 'drop'), { recursive: true })
  await sleep(1000)
  for (let n = 0; n < Number(values.drops); n++) {
    await writeFile(join(images, `drop/${n}.jpg`), sizedJpeg(bytes, `drop ${n}`))
    const begun = performance.now()
    while ((await client.ask(`${node.url}/images/drop/${n}.jpg`)).status !== 200) await sleep(5)
    times.push(performance.now() - begun)
  }
  return times
}

const reads: number[] = []
let reading = true
async function read(): Promise<void> {
  const expected = createHash('sha256').update(sizedJpeg(bytes, 'drop 0')).digest('hex')
  while (reading) {
    const begun = performance.now()
    const { status, body } = await client.ask(`${node.url}/images/drop/0.jpg`)
    reads.push(performance.now() - begun)
    if (status !== 200 || createHash('sha256').update(body).digest('hex') !== expected) {
      throw new Error(`a read went wrong: ${status}`)
    }
    await sleep(20)
  }
}

const most = { anonymousMb: 0, mappedMb: 0 }
const looking = setInterval(() => {
  const { nowMb, anonymousMb } = memory(pid)
  most.anonymousMb = Math.max(most.anonymousMb, anonymousMb)
  most.mappedMb = Math.max(most.mappedMb, nowMb - anonymousMb)
}, LOOK_MS)

const drops = await dropped()
const idleMb = memory(pid).nowMb
for (let n = 0; n < FOLDERS; n++) mkdirSync(join(images, String(n)), { recursive: true })
const cpu = cpuSeconds(pid)
let written = 0
const reader = read()
const { seconds, foreignCores } = await measure([pid], async () => {
  const begun = performance.now()
  await eachOf(count, WRITERS, write)
  written = (performance.now() - begun) / 1000
  await waitFor(client, node.url, count + drops.length)
})
reading = false
await reader

const wrong: string[] = []
await eachOf(count, 8, async (n) => {
  const { status, body } = await client.ask(`${node.url}/images/${nameOf(n)}`)
  if (status !== 200 || !body.equals(sizedJpeg(bytes, `file ${n}`))) wrong.push(nameOf(n))
})
const { total_files, deleted_files, trash_size } = await client.json(
  `${node.url}/api/storage-status`
)
const peakMb = memory(pid).peakMb
clearInterval(looking)

function limitRows(): [string, string][] {
  if (limit === undefined) return []
  const { peakBytes, reached, killed } = limit.report()
  return [
    ['limit, most that was taken, MB', `${limitMb}, ${short(peakBytes / 1e6)}`],
    ['times that room was made, processes ended', `${reached}, ${killed}`]
  ]
}

console.log(
  `${count} files of ${bytes} bytes into ${FOLDERS} folders, ${slow * 100} % of them in two pieces ` +
    `${PAUSE_MS} ms apart, ${renamed * 100} % of these renamed in between\n`
)
printTable([
  ['what', 'figure'],
  [
    'a dropped file is served after, p50 / p99 ms',
    `${short(quantile(drops, 0.5))} / ${short(quantile(drops, 0.99))}`
  ],
  ['seconds to write them', short(written)],
  ['seconds until all are images', short(seconds)],
  ['files/s', short(count / seconds)],
  ['CPU ms a file', short(((cpuSeconds(pid) - cpu) * 1000) / count)],
  [
    'reads meanwhile p50 / p99 ms',
    `${short(quantile(reads, 0.5))} / ${short(quantile(reads, 0.99))}`
  ],
  ['RSS before / peak MiB', `${short(idleMb)} / ${short(peakMb)}`],
  ['its own, files mapped, at most MiB', `${short(most.anonymousMb)}, ${short(most.mappedMb)}`],
  ...limitRows(),
  ['wrong or missing', wrong.length],
  [
    'images beyond them, deleted, bytes in the trash',
    `${total_files - count - drops.length}, ${deleted_files}, ${trash_size}`
  ],
  ['foreign cores', short(foreignCores)]
])
client.close()
await node.end('SIGTERM')
await limit?.remove()
if (wrong.length > 0 || node.stderr !== '')
  console.log(wrong.slice(0, 5), node.stderr.slice(0, 2000))
rmSync(folder, { recursive: true })
