// From the answer to an upload until others have the image: until they serve it, from wherever, and
// until they hold it durably themselves.

import { renameSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { sizedJpeg } from '../../fixtures/sized-jpeg.ts'
import { RealMesh } from '../../support/real-mesh.ts'
import { Workbench } from '../../support/real-node.ts'
import { Client } from '../support/client.ts'
import { printTable, quantile } from '../support/figures.ts'
import { measure } from '../support/machine.ts'
import { SyncthingPair, syncthingVersion } from '../support/syncthing.ts'
import { Source } from './source.ts'

const FILES = '/file-sync/api/file-sync/files'
const STATUS = '/file-sync/api/file-sync/status'
/** Between two looks. */
const LOOK_MS = 1
const WAIT_MS_MAX = 30_000

export interface LatencyOptions {
  readonly count: number
  readonly bytes: number
  /** Between two uploads. */
  readonly pauseMs: number
}

export async function latency({ count, bytes, pauseMs }: LatencyOptions): Promise<void> {
  const bench = new Workbench()
  const mesh = new RealMesh(bench)
  const client = new Client({ atOnce: 4 })
  const served: number[] = []
  const held: number[] = []
  let fromPeer = 0
  try {
    for (const name of ['a', 'b', 'c']) await mesh.start(name)
    await mesh.connected()
    await sleep(3_000)
    const pids = mesh.names.map((name) => mesh.node(name).child.pid as number)
    const sent = async () => Number((await client.json(mesh.url('a') + STATUS)).files_sent)
    const before = await sent()
    const { foreignCores, cpu } = await measure(pids, async () => {
      for (let n = 0; n < count; n++) {
        const path = `x/${n}.jpg`
        const body = sizedJpeg(bytes, path)
        await client.put(mesh.url('a'), path, body)
        // a read makes a node fetch at once, so one node is read and the other only watched
        const [read, watched] = n % 2 === 0 ? ['b', 'c'] : ['c', 'b']
        await Promise.all([
          isServed(client, `${mesh.url(read as string)}/images/${path}`, body).then((it) => {
            served.push(it.ms)
            if (it.source !== 'local') fromPeer++
          }),
          isHeld(client, mesh.url(watched as string), path, body).then((ms) => held.push(ms))
        ])
        await sleep(pauseMs)
      }
    })
    const copies = ((await sent()) - before) / count
    print({ served, held, foreignCores, fromPeer, cpu, copies }, { count, bytes, pauseMs })
  } finally {
    client.close()
    await bench.cleanUp()
  }
}

/** From the moment at which a file has its name on one side until it has it on the other. */
export async function latencyOfSyncthing({
  count,
  bytes
}: Pick<LatencyOptions, 'count' | 'bytes'>): Promise<void> {
  const version = syncthingVersion()
  if (version === undefined) return
  const bench = new Workbench()
  const pair = new SyncthingPair(bench.folder, { fsync: true })
  const shown: number[] = []
  try {
    await pair.prepare(new Source(bench.folder, { count: 0, bytes }))
    await pair.join(0)
    for (let n = 0; n < count; n++) {
      const body = sizedJpeg(bytes, `${n}`)
      writeFileSync(bench.path('new'), body)
      renameSync(bench.path('new'), join(pair.firstFolder, `${n}.jpg`))
      shown.push(
        await until(async () => statOf(join(pair.secondFolder, `${n}.jpg`))?.size === bytes)
      )
      await sleep(100 + 17 * n)
    }
    const of = [quantile(shown, 0.5), quantile(shown, 0.99), Math.min(...shown)]
    const [p50, p99, least] = of.map((ms) => ms.toFixed(0))
    console.log(
      `\nSyncthing ${version}, told of changes after 1 s, the least it can be set to: ` +
        `p50 ${p50} ms, p99 ${p99} ms, least ${least} ms of ${count}`
    )
  } finally {
    await pair.stop()
    await bench.cleanUp()
  }
}

function statOf(file: string) {
  return statSync(file, { throwIfNoEntry: false })
}

/** Milliseconds until the right bytes come, and where the node had them from. */
async function isServed(client: Client, url: string, body: Buffer) {
  let source = ''
  const ms = await until(async () => {
    const answer = await client.ask(url)
    source = String(answer.headers['x-image-source'])
    return answer.status === 200 && answer.body.equals(body)
  })
  return { ms, source }
}

/** Milliseconds until the node says that it holds the image; and then it must. */
async function isHeld(client: Client, url: string, path: string, body: Buffer): Promise<number> {
  const ms = await until(async () => {
    const { files } = await client.json(`${url}${FILES}?limit=1&prefix=${path}`)
    return files[0]?.local === true && files[0].state === 'ok'
  })
  const answer = await isServed(client, `${url}/images/${path}`, body)
  if (answer.source !== 'local') throw new Error(`${path} was not held: ${answer.source}`)
  return ms
}

async function until(isSo: () => Promise<boolean>): Promise<number> {
  const begun = performance.now()
  for (;;) {
    if (await isSo()) return performance.now() - begun
    if (performance.now() - begun > WAIT_MS_MAX) throw new Error('an image has not come')
    await sleep(LOOK_MS)
  }
}

interface Seen {
  readonly served: readonly number[]
  readonly held: readonly number[]
  readonly fromPeer: number
  readonly foreignCores: number
  /** Processor seconds of each node. */
  readonly cpu: readonly number[]
  /** Of each image that the node sent to which it was uploaded. */
  readonly copies: number
}

function print(
  { served, held, foreignCores, fromPeer, cpu, copies }: Seen,
  { count, bytes, pauseMs }: LatencyOptions
): void {
  console.log(
    `${count} uploads of ${bytes} bytes to one of three nodes, one by one with ${pauseMs} ms ` +
      `between; foreign cores ${foreignCores.toFixed(2)}\n`
  )
  const row = (name: string, all: readonly number[]) => {
    const of = [quantile(all, 0.5), quantile(all, 0.99), Math.min(...all), Math.max(...all)]
    return [name, ...of.map((ms) => ms.toFixed(1))]
  }
  printTable([
    ['from the answer until', 'p50 ms', 'p99 ms', 'least', 'most'],
    row('another node serves it', served),
    row('another node holds it durably', held)
  ])
  console.log(`\nserved with bytes that were still on their way: ${fromPeer} of ${count}`)
  const cpuMs = cpu.map((seconds) => ((seconds * 1000) / count).toFixed(1))
  console.log(`processor time an image, of each node: ${cpuMs.join(', ')} ms`)
  console.log(`copies of an image that the first one sent: ${copies.toFixed(2)}`)
}
