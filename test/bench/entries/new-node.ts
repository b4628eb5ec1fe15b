// A node that has nothing meets one that has everything: how long until it has the whole index,
// and how it answers meanwhile. No blob is fetched.

import { setTimeout as sleep } from 'node:timers/promises'
import { postJson, send } from '../../support/http-client.ts'
import { RealMesh } from '../../support/real-mesh.ts'
import type { Workbench } from '../../support/real-node.ts'
import { Client } from '../support/client.ts'
import { quantile, short } from '../support/figures.ts'
import { measure, memory } from '../support/machine.ts'
import type { Making } from './made-entries.ts'

const LOOK_MS = 50
const FILES = '/file-sync/api/file-sync/files?limit=1'
/** The images of the full node have no files: nothing may look for them meanwhile. */
const NO_BLOBS = {
  TUMESH_FILE_STORAGE_SYNC_ENABLED: 'false',
  TUMESH_FILE_SYNC_VERIFY_INTEGRITY: 'false',
  TUMESH_ADOPT_ENABLED: 'false',
  // nor is it written out meanwhile
  TUMESH_INDEX_EXPORT: 'false'
}

/** `full`: a data folder with all the entries. */
export async function newNode(bench: Workbench, full: string, { count }: Making): Promise<void> {
  const mesh = new RealMesh(bench)
  const options = { env: NO_BLOBS, flags: ['--log-level', 'warn'] }
  await mesh.start(full, options)
  await mesh.start('fresh', options, { alone: true })
  const pids = [full, 'fresh'].map((name) => mesh.node(name).child.pid as number)
  const client = new Client({ atOnce: 1 })
  const waits: number[] = []
  const { seconds, cpu, foreignCores } = await measure(pids, async () => {
    const address = await mesh.addressOf(full)
    const { status } = await postJson(`${mesh.url('fresh')}/api/peers`, { address })
    if (status !== 200) throw new Error(`they did not meet: ${status}`)
    for (let have = 0; have < count; await sleep(LOOK_MS)) {
      const begun = performance.now()
      have = (await client.json(`${mesh.url('fresh')}${FILES}`)).total_files
      waits.push(performance.now() - begun)
    }
  })
  client.close()
  const { body } = await send(`${mesh.url('fresh')}/api/storage-status`)
  const [peakA, peakB] = pids.map((pid) => short(memory(pid).peakMb))
  console.log(
    `a new node has all ${count} entries after ${short(seconds)} s (${short(count / seconds)} entries/s); ` +
      `CPU s ${cpu.map(short).join(' + ')}, foreign cores ${foreignCores.toFixed(2)}; peak RSS MiB ${peakA} + ${peakB}; ` +
      `a request to it waits p50 ${short(quantile(waits, 0.5))}, p99 ${short(quantile(waits, 0.99))}, ` +
      `at most ${short(Math.max(...waits))} ms; it lacks ${body.sync_queue_size} blobs`
  )
  const idleBegun = performance.now()
  const after = await measure(pids, () => sleep(5000))
  console.log(
    `in the ${short((performance.now() - idleBegun) / 1000)} s after: CPU s ${after.cpu.map(short).join(' + ')}`
  )
  await bench.killAll()
}
