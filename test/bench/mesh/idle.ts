// What three connected nodes use while nobody asks anything of them.

import { setTimeout as sleep } from 'node:timers/promises'
import { sizedJpeg } from '../../fixtures/sized-jpeg.ts'
import { RealMesh } from '../../support/real-mesh.ts'
import { Workbench } from '../../support/real-node.ts'
import { Client, eachOf } from '../support/client.ts'
import { printTable, spread } from '../support/figures.ts'
import { measure, memory, socketCount } from '../support/machine.ts'
import { TrafficMeter, trafficSince } from '../support/traffic.ts'

/** Until what follows from a start or an upload is over. */
const SETTLE_MS = 10_000
const BYTES = 20_000

export interface IdleOptions {
  readonly seconds: number
  /** Images that the nodes have in the second half. */
  readonly count: number
}

export async function idle({ seconds, count }: IdleOptions): Promise<void> {
  const bench = new Workbench()
  const mesh = new RealMesh(bench)
  const meter = new TrafficMeter(bench, mesh)
  const rows: (readonly string[])[] = []
  try {
    for (const name of ['a', 'b', 'c']) await meter.start(name)
    await mesh.connected()
    rows.push(['none', ...(await watch(mesh, meter, seconds))])
    const client = new Client({ atOnce: 32 })
    await eachOf(count, 32, (n) => {
      return client.put(mesh.url('a'), `x/${n}.jpg`, sizedJpeg(BYTES, `${n}`))
    })
    client.close()
    rows.push([`${count}, just taken in`, ...(await watch(mesh, meter, seconds))])
    for (const name of mesh.names) {
      await mesh.node(name).end('SIGTERM')
      await meter.start(name)
    }
    await mesh.connected()
    rows.push([`${count}, after a restart`, ...(await watch(mesh, meter, seconds))])
  } finally {
    await bench.cleanUp()
  }
  console.log(`three connected nodes, ${seconds} s each, per node: median (least-most)\n`)
  const head = ['images', 'RSS MiB', 'CPU s a minute', 'sockets']
  printTable([[...head, 'requests a minute', 'TCP bytes a minute', 'foreign cores'], ...rows])
}

async function watch(mesh: RealMesh, meter: TrafficMeter, seconds: number): Promise<string[]> {
  const pids = mesh.names.map((name) => mesh.node(name).child.pid as number)
  await sleep(SETTLE_MS)
  const before = await meter.read()
  const { cpu, foreignCores } = await measure(pids, () => sleep(seconds * 1000))
  const traffic = trafficSince(before, await meter.read())
  const aMinute = (sum: number) => ((sum / mesh.names.length) * 60) / seconds
  return [
    spread(pids.map((pid) => memory(pid).nowMb)),
    spread(cpu.map((spent) => (spent * 60) / seconds)),
    spread(pids.map(socketCount)),
    aMinute(traffic.requests).toFixed(0),
    aMinute(traffic.tcpBytes).toFixed(0),
    foreignCores.toFixed(2)
  ]
}
