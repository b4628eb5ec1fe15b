// An empty node is filled by one full node, then another one by two: how long that takes, and what
// each of the two gave.

import { send } from '../../support/http-client.ts'
import { RealMesh } from '../../support/real-mesh.ts'
import { Workbench } from '../../support/real-node.ts'
import { Client, eachOf } from '../support/client.ts'
import { printTable, short } from '../support/figures.ts'
import { measure, memory } from '../support/machine.ts'
import { meet, untilHeld } from './pair.ts'
import { type ImageSet, Source, warmMemory } from './source.ts'

const FILLING_AT_ONCE = 32

export async function holders(set: ImageSet): Promise<void> {
  const bench = new Workbench()
  const source = new Source(bench.path('source'), set)
  try {
    const mesh = new RealMesh(bench)
    await mesh.start('a')
    const client = new Client({ atOnce: FILLING_AT_ONCE })
    await eachOf(set.count, FILLING_AT_ONCE, (n) =>
      client.put(mesh.url('a'), source.name(n), source.body(n))
    )
    client.close()
    const rows = [await fill(bench, mesh, { name: 'b', from: ['a'], count: set.count })]
    rows.push(await fill(bench, mesh, { name: 'c', from: ['a', 'b'], count: set.count }))
    source.compare(bench.path('c', 'images'))
    console.log(`\n${set.count} images of ${set.bytes} bytes; all nodes on this machine\n`)
    printTable([
      [
        'filled by',
        'seconds',
        'files/s',
        'MB sent by each',
        'CPU us a file, each',
        'peak MiB, each'
      ],
      ...rows
    ])
  } finally {
    await bench.cleanUp()
  }
}

async function fill(
  bench: Workbench,
  mesh: RealMesh,
  { name, from, count }: { name: string; from: readonly string[]; count: number }
): Promise<string[]> {
  await mesh.start(name, {}, { alone: true })
  warmMemory(bench.folder)
  const all = [...from, name]
  const pids = all.map((one) => mesh.node(one).child.pid as number)
  const sent = async () => Promise.all(from.map((one) => bytesSent(mesh.url(one))))
  const before = await sent()
  const { seconds, cpu } = await measure(pids, async () => {
    await Promise.all(from.map((one) => meet(mesh, name, one)))
    await untilHeld(mesh.url(name), count)
  })
  const after = await sent()
  return [
    from.join(' and '),
    short(seconds),
    short(count / seconds),
    after.map((bytes, n) => short((bytes - (before[n] as number)) / 1e6)).join(' + '),
    cpu.map((used) => short((used * 1e6) / count)).join(' + '),
    pids.map((pid) => short(memory(pid).peakMb)).join(' + ')
  ]
}

async function bytesSent(url: string): Promise<number> {
  const { body } = await send(`${url}/file-sync/api/file-sync/status`)
  return body.bytes_sent
}
