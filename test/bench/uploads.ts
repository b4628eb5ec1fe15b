// Uploads per second, latency, memory, and the time a start takes with many entries.
//   node test/bench/uploads.ts [--count 10000] [--bytes 20000] [--at-once 64] [--rounds 3]
//     [--entries 100000] [--dir D]

import { createHash } from 'node:crypto'
import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { ContentHash, Md5 } from '../../protocols/hash.ts'
import { parsePath } from '../../protocols/path.ts'
import { systemClock, systemRandom } from '../../src/base/clock.ts'
import { noFailPoints } from '../../src/base/fail-point.ts'
import { silentLog } from '../../src/base/log.ts'
import { openDatabase } from '../../src/index/open-database.ts'
import { openIndex } from '../../src/index/open-index.ts'
import { sizedJpeg } from '../fixtures/sized-jpeg.ts'
import { type RealNode, spawnNode } from '../support/real-node.ts'
import { Client, eachOf } from './support/client.ts'
import { printTable, quantile, spread } from './support/figures.ts'
import { cpuSeconds, memory } from './support/machine.ts'

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '10000' },
    bytes: { type: 'string', default: '20000' },
    'at-once': { type: 'string', default: '64' },
    rounds: { type: 'string', default: '3' },
    entries: { type: 'string', default: '100000' },
    dir: { type: 'string', default: tmpdir() }
  }
})
const count = Number(values.count)
const bytes = Number(values.bytes)
const atOnce = Number(values['at-once'])

type Way = 'form' | 'put'

interface Result {
  readonly perSecond: number
  readonly p50: number
  readonly p99: number
  readonly cpuMicroseconds: number
  readonly peakMb: number
  readonly failed: number
}

const BOUNDARY = 'bench0000000000'

/** The status of the answer. */
async function upload(client: Client, url: string, way: Way, n: number): Promise<number> {
  const image = sizedJpeg(bytes, `${way} ${n}`)
  if (way === 'put') {
    const path = `${url}/images/put/${n % 100}/${n}.jpg`
    return (await client.ask(path, { method: 'PUT', body: image })).status
  }
  const head = `--${BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="i${n}.jpg"`
  const body = Buffer.concat([
    Buffer.from(`${head}\r\nContent-Type: image/jpeg\r\n\r\n`),
    image,
    Buffer.from(`\r\n--${BOUNDARY}--\r\n`)
  ])
  const headers = { 'content-type': `multipart/form-data; boundary=${BOUNDARY}` }
  const path = `${url}/file-sync/api/file-sync/upload`
  return (await client.ask(path, { method: 'POST', headers, body })).status
}

async function run(node: RealNode, way: Way): Promise<Result> {
  const pid = node.child.pid as number
  const client = new Client({ atOnce })
  const times: number[] = []
  let failed = 0
  const idle = cpuSeconds(pid)
  const start = performance.now()
  await eachOf(count, atOnce, async (n) => {
    const begun = performance.now()
    const status = await upload(client, node.url, way, n).catch(() => 0)
    if (status !== 201) failed++
    times.push(performance.now() - begun)
  })
  const seconds = (performance.now() - start) / 1000
  client.close()
  return {
    perSecond: count / seconds,
    p50: quantile(times, 0.5),
    p99: quantile(times, 0.99),
    cpuMicroseconds: ((cpuSeconds(pid) - idle) * 1e6) / count,
    peakMb: memory(pid).peakMb,
    failed
  }
}

const results: Record<Way, Result[]> = { form: [], put: [] }
for (let round = 0; round < Number(values.rounds); round++) {
  for (const way of ['form', 'put'] as const) {
    const folder = mkdtempSync(join(values.dir, 'tumesh-bench-'))
    const node = await spawnNode({ folder, name: 'a' }).started()
    results[way].push(await run(node, way))
    await node.end('SIGTERM')
    rmSync(folder, { recursive: true })
  }
}
console.log(
  `${count} uploads of ${bytes} bytes, ${atOnce} at once, ${values.rounds} rounds: median (least-most)\n`
)
printTable([
  ['way', 'uploads/s', 'p50 ms', 'p99 ms', 'CPU us/upload', 'peak RSS MiB', 'failed'],
  ...Object.entries(results).map(([way, all]) => {
    const of = (pick: (result: Result) => number) => spread(all.map(pick))
    const figures = [
      of((it) => it.perSecond),
      of((it) => it.p50),
      of((it) => it.p99),
      of((it) => it.cpuMicroseconds),
      of((it) => it.peakMb)
    ]
    return [way, ...figures, all.reduce((sum, { failed }) => sum + failed, 0)]
  })
])

/** Writes entries straight into the index of a folder: a start reads no blob. */
async function seed(folder: string, count: number): Promise<void> {
  const database = await openDatabase(realpathSync(join(folder, 'a', 'metadata', 'index')))
  const parts = { clock: systemClock, random: systemRandom, log: silentLog, database }
  const index = await openIndex(
    { ...parts, failPoints: noFailPoints, requireWritable: () => {} },
    { writer: 'bench' }
  )
  const stamp = { ino: 1, size: 20_000, mtimeMs: 1, ctimeMs: 1 }
  for (let from = 0; from < count; from += 1000) {
    await index.change((tx) => {
      for (let n = from; n < from + 1000; n++) {
        const hash = createHash('sha256').update(String(n)).digest('hex') as ContentHash
        const md5 = createHash('md5').update(String(n)).digest('hex') as Md5
        const path = parsePath(`seed/${n % 100}/${n}.jpg`)
        const about = { bytes: 20_000, mediaType: 'image/jpeg', createdMs: tx.nowMs }
        tx.putImage({ path, hash, md5, ...about })
        tx.setBlob(hash, { state: 'held', stamp, verifiedAtMs: tx.nowMs })
      }
    })
  }
  await index.change(async (tx) => {
    for await (const { step, subject, generation } of index.intents()) {
      tx.endIntent(step, subject, generation)
    }
  })
  await index.close()
}

const entries = Number(values.entries)
if (entries > 0) {
  const folder = mkdtempSync(join(values.dir, 'tumesh-bench-'))
  const starts = async () => {
    const times: number[] = []
    for (let n = 0; n < 5; n++) {
      const begun = performance.now()
      const node = await spawnNode({ folder, name: 'a', flags: ['--log-level', 'error'] }).started()
      times.push(performance.now() - begun)
      await node.end('SIGKILL')
    }
    return spread(times)
  }
  const empty = await starts()
  await seed(folder, entries)
  const full = await starts()
  console.log(
    `\nstart until the node answers, 5 each: ${empty} ms empty, ${full} ms with ${entries}`
  )
  rmSync(folder, { recursive: true })
}
