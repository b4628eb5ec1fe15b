// A collection that is taken in, and what it costs from then on while nobody touches it.
//   npm run bench -- collection [PART…] [--count 100000] [--bytes 20000] [--seconds 60]
//     [--rounds 8] [--turn-seconds 6]
// Parts: adopt, link, quiet, verify, scrub; without one all of them, and `quiet` and `verify` need
// `adopt`. Folders are made under TMPDIR. `quiet` watches for so many seconds, `verify` reads what
// the page cache holds. `scrub` needs wrk and two cores, and images enough that a scrub of a minute
// does not come to its end: 20,000 of 100,000 bytes.

import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { sizedJpeg } from '../fixtures/sized-jpeg.ts'
import { type RealNode, type RealNodeOptions, Workbench } from '../support/real-node.ts'
import { measureBesideScrub, NODE_CORE } from './support/beside-scrub.ts'
import { Client } from './support/client.ts'
import { printTable, short } from './support/figures.ts'
import { measure, memory, type Usage } from './support/machine.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    count: { type: 'string', default: '100000' },
    bytes: { type: 'string', default: '20000' },
    seconds: { type: 'string', default: '60' },
    rounds: { type: 'string', default: '8' },
    'turn-seconds': { type: 'string', default: '6' }
  }
})
const count = Number(values.count)
const bytes = Number(values.bytes)
const FOLDERS = 100
const POLL_MS = 200
const SCRUB_BEGINS_MS = 11_000

const pathOf = (n: number) => `/images/${n % FOLDERS}/${n}.jpg`

const bench = new Workbench()
const client = new Client({ atOnce: 2 })
const rows: (string | number)[][] = [
  ['what', 'seconds', 'files/s', 'MB/s', 'CPU us a file', 'RSS MiB before / peak', 'foreign cores']
]

function makeFiles(folder: string): void {
  for (let n = 0; n < FOLDERS; n++) mkdirSync(join(folder, String(n)), { recursive: true })
  for (let n = 0; n < count; n++) {
    writeFileSync(join(folder, `${n % FOLDERS}/${n}.jpg`), sizedJpeg(bytes, `file ${n}`))
  }
}

function start(name: string, env: RealNodeOptions['env'] = {}): Promise<RealNode> {
  return bench.start(name, { flags: ['--log-level', 'warn'], env })
}

/** Has the node do something, and waits until it has done it. */
async function task(node: RealNode, what: string, path: string, body: object): Promise<void> {
  const pid = node.child.pid as number
  const before = memory(pid).nowMb
  const { seconds, cpu, foreignCores } = await measure([pid], async () => {
    const sent = Buffer.from(JSON.stringify(body))
    const headers = { 'content-type': 'application/json', prefer: 'respond-async' }
    const { body: said } = await client.ask(node.url + path, {
      method: 'POST',
      headers,
      body: sent
    })
    const { task_id } = JSON.parse(said.toString())
    const url = `${node.url}/file-sync/api/file-sync/tasks/${task_id}`
    for (;;) {
      const { status, errors, result } = await client.json(url)
      if (status === 'failed') throw new Error(`${what}: ${JSON.stringify(errors)}`)
      if (status !== 'running') return console.error(what, JSON.stringify(result).slice(0, 200))
      await sleep(POLL_MS)
    }
  })
  rows.push([
    what,
    short(seconds),
    short(count / seconds),
    short((count * bytes) / 1e6 / seconds),
    short(((cpu[0] ?? 0) * 1e6) / count),
    `${short(before)} / ${short(memory(pid).peakMb)}`,
    short(foreignCores)
  ])
}

/** Processor seconds of a node that has just been started, while nobody asks it anything. */
async function quiet(env: RealNodeOptions['env']): Promise<Usage> {
  const node = await start('a', env)
  const pid = node.child.pid as number
  const usage = await measure([pid], () => sleep(Number(values.seconds) * 1000))
  await node.end('SIGTERM')
  return usage
}

/** A node with a copy of the collection, which it scrubs within so long. */
async function scrubbing(name: string, interval: string, folder: string): Promise<RealNode> {
  const node = await bench.start(name, {
    flags: ['--log-level', 'warn'],
    env: { TUMESH_SCRUB_INTERVAL: interval },
    runner: ['taskset', '-c', String(NODE_CORE)]
  })
  await task(node, `taken in (${name})`, '/api/adopt', { folders: [folder] })
  return node
}

const PARTS: Readonly<Record<string, (folder: string) => Promise<void>>> = {
  async adopt(folder) {
    const node = await start('a')
    await task(node, 'taken in', '/api/adopt', { folders: [folder] })
    await task(node, 'taken in again', '/api/adopt', { folders: [folder] })
    await node.end('SIGTERM')
  },
  async link(folder) {
    const node = await start('linked')
    await task(node, 'taken in by links', '/api/adopt', { folders: [folder], link: true })
    await node.end('SIGTERM')
    rmSync(bench.path('linked'), { recursive: true })
  },
  async quiet() {
    const [on, off] = [await quiet({}), await quiet({ TUMESH_ADOPT_ENABLED: 'false' })]
    const [seconds, foreign] = [values.seconds, short(on.foreignCores)]
    console.log(
      `${count} quiet files, the first ${seconds} s of a start: ${short(on.cpu[0] ?? 0)} CPU s ` +
        `with scans, ${short(off.cpu[0] ?? 0)} without (foreign cores ${foreign})\n`
    )
  },
  async scrub(folder) {
    const rests = await scrubbing('rests', '3650d', folder)
    const isBehind = await scrubbing('behind', '1m', folder)
    const paths = bench.path('paths.txt')
    writeFileSync(paths, Array.from({ length: count }, (_, n) => `${pathOf(n)}\n`).join(''))
    await sleep(SCRUB_BEGINS_MS)
    const [rounds, seconds] = [Number(values.rounds), Number(values['turn-seconds'])]
    await measureBesideScrub({ rests, isBehind, paths, count, rounds, seconds })
    console.log()
    for (const node of [rests, isBehind]) await node.end('SIGTERM')
  },
  async verify() {
    const node = await start('a')
    await task(node, 'verified', '/file-sync/api/file-sync/verify', {})
    await task(node, 'verified again', '/file-sync/api/file-sync/verify', {})
    await node.end('SIGTERM')
  }
}

const unknown = positionals.filter((name) => PARTS[name] === undefined)
if (unknown.length > 0) throw new Error(`no part ${unknown}: there are ${Object.keys(PARTS)}`)
try {
  const folder = bench.path('outside')
  makeFiles(folder)
  for (const name of positionals.length > 0 ? positionals : Object.keys(PARTS)) {
    await PARTS[name]?.(folder)
  }
  if (rows.length > 1) printTable(rows)
} finally {
  client.close()
  await bench.cleanUp()
}
