// What a node with a large index costs at rest, how long it starts, and how long pages of its list
// take.

import { setTimeout as sleep } from 'node:timers/promises'
import type { RealNode, Workbench } from '../../support/real-node.ts'
import { Client } from '../support/client.ts'
import { printTable, quantile, short, spread } from '../support/figures.ts'
import { cpuSeconds, memory } from '../support/machine.ts'
import type { Making } from './made-entries.ts'

const STARTS = 5
/** Until what follows from a start is over. */
const SETTLE_MS = 20_000
const PAGES = 300
const WARM_UP = 20
const FILES = '/file-sync/api/file-sync/files'

/** `name`: a data folder with all the entries. */
export async function idleNode(bench: Workbench, name: string, making: Making): Promise<void> {
  const startsMs: number[] = []
  const startsCpu: number[] = []
  for (let n = 0; n < STARTS; n++) {
    const { node, ms } = await startUntilReady(bench, name)
    startsMs.push(ms)
    startsCpu.push(cpuSeconds(node.child.pid as number))
    await node.end('SIGKILL')
  }
  const { node } = await startUntilReady(bench, name)
  const pid = node.child.pid as number
  await sleep(SETTLE_MS)
  const idle = memory(pid)
  const client = new Client({ atOnce: 1 })
  const rows = [['page of 100', 'p50 ms', 'p99 ms', 'most']]
  for (const [what, url] of Object.entries(await pagesOf(client, node.url, making))) {
    rows.push([what, ...(await timesOf(client, url))])
  }
  client.close()
  const read = memory(pid)
  await sleep(SETTLE_MS)
  const again = memory(pid)
  await node.end('SIGTERM')
  console.log(
    `${making.count} entries, all held: ready after ${spread(startsMs)} ms and ${spread(startsCpu)} CPU s ` +
      `(${STARTS} starts after kill -9); ` +
      `RSS ${short(idle.nowMb)} MiB at rest (${short(idle.anonymousMb)} without mapped files), ` +
      `${short(read.nowMb)} (${short(read.anonymousMb)}) after the pages below, ` +
      `${short(again.nowMb)} (${short(again.anonymousMb)}) ${SETTLE_MS / 1000} s later\n`
  )
  printTable(rows)
}

async function startUntilReady(bench: Workbench, name: string) {
  const begun = performance.now()
  const node = bench.spawn(name, { flags: ['--log-level', 'error'] })
  await node.started()
  const client = new Client({ atOnce: 1 })
  const { status } = await client.ask(`${node.url}/readyz`)
  client.close()
  if (status !== 200) throw new Error(`not ready: ${status}`)
  return { node, ms: performance.now() - begun } satisfies { node: RealNode; ms: number }
}

type Urls = (n: number) => string

/** Pages all over the list, by what is asked for. */
async function pagesOf(
  client: Client,
  url: string,
  { count, everyMs }: Making
): Promise<Record<string, Urls>> {
  const list = `${url}${FILES}?limit=100`
  const cursors: string[] = []
  for (let n = 0; n < 100; n++) {
    const { next_cursor } = await client.json(`${list}&prefix=${prefixOf(n).slice(0, -2)}`)
    if (typeof next_cursor === 'string') cursors.push(next_cursor)
  }
  const beginMs = Date.parse('2024-01-01T00:00:00Z')
  const since = (n: number) => beginMs + ((n * 7919) % count) * everyMs
  return {
    'the first': () => list,
    // a short list has only one page
    'after a cursor': (n) =>
      cursors.length === 0
        ? list
        : `${list}&cursor=${encodeURIComponent(cursors[n % cursors.length] ?? '')}`,
    'of a prefix': (n) => `${list}&prefix=${prefixOf(n)}`,
    'since a time': (n) => `${list}&since=${since(n)}`,
    'lacking here': () => `${list}&state=missing`
  }
}

function prefixOf(n: number): string {
  return `shop/${((n * 37) % 256).toString(16).padStart(2, '0')}/${((n * 11) % 16).toString(16)}`
}

async function timesOf(client: Client, urlOf: Urls): Promise<string[]> {
  const times: number[] = []
  for (let n = 0; n < WARM_UP + PAGES; n++) {
    const begun = performance.now()
    await client.json(urlOf(n))
    if (n >= WARM_UP) times.push(performance.now() - begun)
  }
  return [quantile(times, 0.5), quantile(times, 0.99), Math.max(...times)].map(short)
}
