// What one image costs on the wire: requests and bytes, for meshes of several sizes.

import { readdirSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { sizedJpeg } from '../../fixtures/sized-jpeg.ts'
import { eventually } from '../../support/eventually.ts'
import { RealMesh } from '../../support/real-mesh.ts'
import { Workbench } from '../../support/real-node.ts'
import { Client, eachOf } from '../support/client.ts'
import { printTable, short } from '../support/figures.ts'
import { type Traffic, TrafficMeter, trafficSince } from '../support/traffic.ts'

/** Until what follows from a start is over. */
const SETTLE_MS = 3_000

export interface MessagesOptions {
  readonly nodes: readonly number[]
  readonly count: number
  readonly bytes: number
}

interface Way {
  readonly name: string
  readonly atOnce: number
  readonly pauseMs: number
}

const WAYS: readonly Way[] = [
  { name: 'one by one', atOnce: 1, pauseMs: 50 },
  { name: '32 at once', atOnce: 32, pauseMs: 0 }
]

export async function messages({ nodes, count, bytes }: MessagesOptions): Promise<void> {
  const rows: string[][] = []
  for (const size of nodes) {
    const bench = new Workbench()
    const mesh = new RealMesh(bench)
    const meter = new TrafficMeter(bench, mesh)
    const client = new Client({ atOnce: 32 })
    try {
      for (let n = 0; n < size; n++) await meter.start(`n${n}`)
      await mesh.connected()
      await sleep(SETTLE_MS)
      for (const [n, way] of WAYS.entries()) {
        const before = await meter.read()
        await eachOf(count, way.atOnce, async (i) => {
          await client.put(mesh.url('n0'), `${n}/${i}.jpg`, sizedJpeg(bytes, `${n}/${i}`))
          await sleep(way.pauseMs)
        })
        await allShow(bench, mesh, (n + 1) * count)
        const traffic = trafficSince(before, await meter.read())
        rows.push([String(size), way.name, ...perImage(traffic, { count, bytes, size })])
      }
    } finally {
      client.close()
      await bench.cleanUp()
    }
  }
  console.log(
    `${count} images of ${bytes} bytes put into one node; per image, all nodes together\n`
  )
  const requests = ['pushes', 'blob requests', 'blobs asked for', 'reports', 'other requests']
  printTable([['nodes', 'uploads', ...requests, 'TCP bytes', 'of them blobs', 'rest'], ...rows])
}

/** Looks at their disks: a node that is asked how it stands asks the others. */
async function allShow(bench: Workbench, mesh: RealMesh, count: number): Promise<void> {
  for (const name of mesh.names) {
    await eventually(
      () => {
        const files = readdirSync(bench.path(name, 'images'), { recursive: true })
        const images = files.filter((file) => String(file).endsWith('.jpg')).length
        if (images !== count) throw new Error(`${name} has ${images} of ${count}`)
      },
      { withinMs: 300_000 }
    )
  }
}

function perImage(
  { requests, pushes, reports, blobRequests, blobsAsked, tcpBytes }: Traffic,
  { count, bytes, size }: { count: number; bytes: number; size: number }
): string[] {
  const other = requests - pushes - reports - blobRequests
  const sums = [pushes, blobRequests, blobsAsked, reports, other].map((sum) => sum / count)
  const blobs = bytes * (size - 1)
  return [...sums.map(short), ...[tcpBytes / count, blobs, tcpBytes / count - blobs].map(short)]
}
