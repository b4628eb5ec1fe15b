// Uploads per second, latency, memory, and the time a start takes with many entries.
//   node test/bench/uploads.ts [--count 10000] [--bytes 20000] [--at-once 64] [--rounds 3]
//     [--entries 100000] [--dir D]

import { createHash, randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { Agent, type IncomingMessage, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { ContentHash, Md5 } from '../../protocols/hash.ts'
import { parsePath } from '../../protocols/path.ts'
import { systemClock, systemRandom } from '../../src/base/clock.ts'
import { noFailPoints } from '../../src/base/fail-point.ts'
import { silentLog } from '../../src/base/log.ts'
import { openIndex } from '../../src/index/image-index.ts'
import { openDatabase } from '../../src/index/open-database.ts'
import { type RealNode, spawnNode } from '../support/real-node.ts'

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

interface Result {
  readonly perSecond: number
  readonly p50: number
  readonly p99: number
  readonly failed: number
}

const TINY = readFileSync(join(import.meta.dirname, '../fixtures/tiny.jpg'))

/** A real JPEG with a comment of random bytes: it decodes, and no two are alike. */
function image(size: number): Buffer {
  const length = Math.max(2, size - TINY.length - 2)
  const comment = Buffer.alloc(4)
  comment.writeUInt16BE(0xfffe, 0)
  comment.writeUInt16BE(length, 2)
  return Buffer.concat([TINY.subarray(0, 2), comment, randomBytes(length - 2), TINY.subarray(2)])
}

async function send(
  agent: Agent,
  port: number,
  how: 'form' | 'put',
  n: number,
  size: number
): Promise<number> {
  const body = image(size)
  const boundary = 'bench0000000000'
  const head = Buffer.from(
    `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="i${n}.jpg"\r\nContent-Type: image/jpeg\r\n\r\n`
  )
  const payload =
    how === 'put' ? body : Buffer.concat([head, body, Buffer.from(`\r\n--${boundary}--\r\n`)])
  const sent = request({
    agent,
    host: '127.0.0.1',
    port,
    method: how === 'put' ? 'PUT' : 'POST',
    path: how === 'put' ? `/images/${how}/${n % 100}/${n}.jpg` : '/file-sync/api/file-sync/upload',
    headers: {
      'content-length': payload.length,
      ...(how === 'form' && { 'content-type': `multipart/form-data; boundary=${boundary}` })
    }
  })
  sent.end(payload)
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    sent.on('response', resolve).on('error', reject)
  })
  for await (const _ of answer);
  return answer.statusCode ?? 0
}

async function run(
  port: number,
  how: 'form' | 'put',
  total: number,
  size: number
): Promise<Result> {
  const agent = new Agent({ keepAlive: true, maxSockets: atOnce })
  const times: number[] = []
  let failed = 0
  let next = 0
  const start = performance.now()
  const lane = async () => {
    while (next < total) {
      const n = next++
      const begun = performance.now()
      const status = await send(agent, port, how, n, size).catch(() => 0)
      if (status !== 201) failed++
      times.push(performance.now() - begun)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, lane))
  const seconds = (performance.now() - start) / 1000
  agent.destroy()
  times.sort((a, b) => a - b)
  const at = (share: number) => times[Math.floor(share * (times.length - 1))] ?? 0
  return { perSecond: total / seconds, p50: at(0.5), p99: at(0.99), failed }
}

function usage(node: RealNode): { peakMb: number; cpuSeconds: number } {
  const status = readFileSync(`/proc/${node.child.pid}/status`, 'utf8')
  const stat = readFileSync(`/proc/${node.child.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return {
    peakMb: Math.round(Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) / 1024),
    cpuSeconds: (Number(stat[11]) + Number(stat[12])) / 100
  }
}

function median(numbers: number[]): string {
  const sorted = numbers.toSorted((a, b) => a - b)
  const mid = sorted[Math.floor(sorted.length / 2)] ?? 0
  const digits = mid < 100 ? 1 : 0
  return `${mid.toFixed(digits)} (${sorted[0]?.toFixed(digits)}-${sorted.at(-1)?.toFixed(digits)})`
}

const rows: Record<'form' | 'put', { result: Result; peakMb: number; cpu: number }[]> = {
  form: [],
  put: []
}
for (let round = 0; round < Number(values.rounds); round++) {
  for (const how of ['form', 'put'] as const) {
    const folder = mkdtempSync(join(values.dir, 'tumesh-bench-'))
    const node = await spawnNode({ folder, name: 'a' }).started()
    const idle = usage(node)
    const result = await run(node.port, how, count, bytes)
    const { peakMb, cpuSeconds } = usage(node)
    rows[how].push({ result, peakMb, cpu: ((cpuSeconds - idle.cpuSeconds) * 1e6) / count })
    await node.end('SIGTERM')
    rmSync(folder, { recursive: true })
  }
}
console.log(
  `${count} uploads of ${bytes} bytes, ${atOnce} at once, ${values.rounds} rounds: median (min-max)\n`
)
console.log('| way | uploads/s | p50 ms | p99 ms | CPU us/upload | peak RSS MB | failed |')
console.log('| --- | --- | --- | --- | --- | --- | --- |')
for (const [how, runs] of Object.entries(rows)) {
  const of = (pick: (r: (typeof runs)[number]) => number) => median(runs.map(pick))
  console.log(
    `| ${how} | ${of((r) => r.result.perSecond)} | ${of((r) => r.result.p50)} | ${of((r) => r.result.p99)} | ` +
      `${of((r) => r.cpu)} | ${of((r) => r.peakMb)} | ${runs.reduce((n, r) => n + r.result.failed, 0)} |`
  )
}

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
    return median(times)
  }
  const empty = await starts()
  await seed(folder, entries)
  const full = await starts()
  console.log(
    `\nstart until the node answers, 5 each: ${empty} ms empty, ${full} ms with ${entries}`
  )
  rmSync(folder, { recursive: true })
}
