// Reading images over HTTP, side by side with nginx: the same files, one server after the other
// in each round, each on a core of its own with wrk on the other one.
//   npm run bench -- http [--sizes 10000,100000,1000000] [--images 2000] [--rounds 3]
//     [--seconds 4] [--connections 64] [--dir D]

import { createHash } from 'node:crypto'
import { chmodSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { sizedJpeg } from '../fixtures/sized-jpeg.ts'
import { hasProgram, type RunningProxy, startNginx } from '../support/proxies.ts'
import { type RealNode, spawnNode } from '../support/real-node.ts'
import { Client, eachOf } from './support/client.ts'
import { printTable, short, spread } from './support/figures.ts'
import { cpuSeconds, memory } from './support/machine.ts'
import { type Asked, startWrk } from './support/wrk.ts'

const { values } = parseArgs({
  options: {
    sizes: { type: 'string', default: '10000,100000,1000000' },
    images: { type: 'string', default: '2000' },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '4' },
    connections: { type: 'string', default: '64' },
    dir: { type: 'string', default: tmpdir() }
  }
})
const images = Number(values.images)
const SERVER_CORE = ['taskset', '-c', '0']
const CLIENT_CORE = 1

interface Server {
  readonly name: string
  readonly url: string
  readonly pid: number
  /** A list for wrk, a path a line, after the ETag that the client has. */
  readonly paths: string
}

type Result = Asked & { readonly cpuMicroseconds: number }

for (const program of ['wrk', 'nginx', 'taskset']) {
  if (!hasProgram(program))
    throw new Error(`This needs ${program}: apt-get install wrk nginx-light`)
}

async function run({ url, pid, paths }: Server, seed: number): Promise<Result> {
  const before = cpuSeconds(pid)
  const asking = { url, paths, seed, core: CLIENT_CORE, seconds: Number(values.seconds) }
  const asked = await startWrk({ ...asking, connections: Number(values.connections) }).done
  return { ...asked, cpuMicroseconds: ((cpuSeconds(pid) - before) * 1e6) / asked.requests }
}

const pathOf = (n: number) => `${n % 100}/${n}.jpg`

/** The lists of paths for wrk: by path, by hash, and by path where the client has the image. */
function writeLists(folder: string, bytes: number): Record<'path' | 'hash' | 'same', string> {
  const all = Array.from({ length: images }, (_, n) => {
    const hash = createHash('sha256')
      .update(sizedJpeg(bytes, `read ${n}`))
      .digest('hex')
    const path = `/images/${pathOf(n)}`
    return { path, hash: `/blobs/${hash}`, same: `"${hash}" ${path}` }
  })
  const write = (which: 'path' | 'hash' | 'same') => {
    const file = join(folder, `${which}.txt`)
    writeFileSync(file, all.map((one) => `${one[which]}\n`).join(''))
    return file
  }
  return { path: write('path'), hash: write('hash'), same: write('same') }
}

async function fill(node: RealNode, bytes: number): Promise<void> {
  const client = new Client({ atOnce: 32 })
  await eachOf(images, 32, (n) => client.put(node.url, pathOf(n), sizedJpeg(bytes, `read ${n}`)))
  client.close()
}

/** One that sends the files as an expert would have it do. */
async function nginxOf(folder: string): Promise<RunningProxy> {
  return startNginx(
    join(folder, 'nginx'),
    `location /images/ {
      alias ${folder}/a/images/; sendfile on; tcp_nopush on; tcp_nodelay on;
      open_file_cache max=20000 inactive=300s; open_file_cache_valid 300s;
      keepalive_requests 100000000; add_header Cache-Control no-cache;
    }`,
    SERVER_CORE
  )
}

async function measure(bytes: number): Promise<void> {
  const folder = realpathSync(mkdtempSync(join(values.dir, 'tumesh-bench-')))
  chmodSync(folder, 0o755)
  const runner = SERVER_CORE
  const node = await spawnNode({ folder, name: 'a', runner }).started()
  const nginx = await nginxOf(folder)
  try {
    await fill(node, bytes)
    const lists = writeLists(folder, bytes)
    const own = { url: node.url, pid: node.child.pid as number }
    const servers: readonly Server[] = [
      { name: 'nginx', url: nginx.url, pid: nginx.pid, paths: lists.path },
      { name: 'by path', ...own, paths: lists.path },
      { name: 'by hash', ...own, paths: lists.hash },
      { name: '304', ...own, paths: lists.same }
    ]
    await report(bytes, servers)
    console.log(`\nRSS of the node afterwards: ${short(memory(own.pid).nowMb)} MiB\n`)
  } finally {
    await nginx.end()
    await node.end('SIGTERM')
    rmSync(folder, { recursive: true })
  }
}

async function report(bytes: number, servers: readonly Server[]): Promise<void> {
  const results = new Map<string, Result[]>(servers.map(({ name }) => [name, []]))
  for (let round = 0; round <= Number(values.rounds); round++) {
    for (const server of servers) {
      const result = await run(server, round + 1)
      if (round > 0) results.get(server.name)?.push(result) // the first one warms up
    }
  }
  const base = results.get('nginx') ?? []
  console.log(
    `${images} images of ${bytes} bytes: median (least-most) of ${values.rounds} rounds\n`
  )
  printTable([
    ['server', 'requests/s', 'of nginx', 'p50 ms', 'p99 ms', 'CPU us/request', 'failed'],
    ...[...results].map(([name, all]) => {
      const of = (pick: (result: Result, round: number) => number) => spread(all.map(pick))
      return [
        name,
        of((it) => it.perSecond),
        of((it, round) => it.perSecond / (base[round]?.perSecond ?? Number.NaN)),
        of((it) => it.p50),
        of((it) => it.p99),
        of((it) => it.cpuMicroseconds),
        all.reduce((sum, { failed }) => sum + failed, 0)
      ]
    })
  ])
}

for (const size of values.sizes.split(',')) await measure(Number(size))
