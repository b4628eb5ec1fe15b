// What an exchange costs where little or nothing differs, between two large indexes on disk, each
// in its process, over libp2p on 127.0.0.1.

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type Log, silentLog } from '../../../src/base/log.ts'
import type { ImageIndex } from '../../../src/index/image-index.ts'
import { NETWORK_WORLDS } from '../../support/network-worlds.ts'
import type { Workbench } from '../../support/real-node.ts'
import { printTable, short } from '../support/figures.ts'
import type { Making } from './made-entries.ts'
import { type Answer, mergeMade, syncOf, type ToMerge } from './other-index.ts'
import { copyIndex, openAt } from './seed.ts'

const OTHER = fileURLToPath(new URL('other-index.ts', import.meta.url))
const DIFFERENCES = 1000
const STEP = 7919
/** A program that was begun just now is slower. */
const ROUNDS = 4
/** By then both sides have compared for the first time. */
const CONNECTED_MS = 3000
const NOTHING_MOVED = { rounds: 1, received: 0, sent: 0 }
const never = new AbortController().signal

/** `folder`: that of an index with all the entries. */
export async function differences(bench: Workbench, folder: string, making: Making): Promise<void> {
  const [mine, theirs] = [bench.path('mine'), bench.path('theirs')]
  for (const copy of [mine, theirs]) copyIndex(folder, copy)
  const here = await openAt(mine)
  const there = new OtherIndex(theirs)
  const pair = await connect(here, there)
  const rows: (string | number)[][] = [
    [
      'what differs',
      'ms',
      'CPU ms here',
      'CPU ms there',
      'requests',
      'bytes asked',
      'bytes answered',
      'entries come',
      'entries gone'
    ]
  ]
  const compare = async (what: string) => rows.push([what, ...(await pair.compare())])
  await compare('nothing')
  await compare('nothing, again')
  const some = Array.from({ length: DIFFERENCES }, (_, n) => (n * STEP) % making.count)
  const series = (name: string) => ({ ...making, series: name })
  const newest = (name: string): ToMerge =>
    some.map((_, n) => ({ n: making.count + n, making: series(name) }))
  await there.merge(some.map((n) => ({ n, making: series('more') })))
  await compare(`${DIFFERENCES} are missing here, of all times`)
  for (let round = 1; round < ROUNDS; round++) {
    await there.merge(some.map((n) => ({ n: n + round, making: series(`more ${round}`) })))
    await compare(`${DIFFERENCES} others, round ${round + 1}`)
  }
  await there.merge(newest('new'))
  await compare(`${DIFFERENCES} are missing here, the newest`)
  await mergeMade(here, newest('own'))
  await compare(`${DIFFERENCES} are missing there, the newest`)
  const deletedAt = making.count + 2 * DIFFERENCES
  await there.merge(some.map((n, at) => ({ n, making, deletedAt: deletedAt + at })))
  await compare(`${DIFFERENCES} of all times were deleted there just now`)
  await compare('nothing')
  console.log(`two indexes of ${making.count} entries; bytes of streams, without encryption\n`)
  printTable(rows)
  await pair.stop()
  await here.close()
}

class OtherIndex {
  readonly #process: ReturnType<typeof fork>

  constructor(folder: string) {
    this.#process = fork(OTHER, [folder])
  }

  async merge(entries: ToMerge): Promise<void> {
    await this.ask(entries)
  }

  async ask(told: ToMerge | 'cpu'): Promise<Answer> {
    this.#process.send(told)
    const [answer] = await once(this.#process, 'message')
    return answer as Answer
  }

  async end(): Promise<void> {
    this.#process.send('end')
    await once(this.#process, 'exit')
  }
}

async function connect(here: ImageIndex, there: OtherIndex) {
  const world = NETWORK_WORLDS.libp2p()
  const network = await world.node()
  let said = NOTHING_MOVED
  const log = {
    ...silentLog,
    info: (about: Partial<typeof NOTHING_MOVED>) => {
      if ('rounds' in about) said = { ...NOTHING_MOVED, ...about }
    }
  } as Log
  const sync = syncOf(network, here, log)
  await network.start()
  const { id, addresses } = await there.ask('cpu')
  await network.dial(addresses, never)
  await sleep(CONNECTED_MS)
  return {
    async compare(): Promise<(string | number)[]> {
      said = NOTHING_MOVED
      const before = network.traffic()
      const usedThere = (await there.ask('cpu')).cpuMs
      const used = process.cpuUsage()
      const begun = performance.now()
      await sync.compare(id)
      const ms = performance.now() - begun
      const { user, system } = process.cpuUsage(used)
      const cpuThere = (await there.ask('cpu')).cpuMs - usedThere
      if (!sync.beliefs.report(id)?.equal) throw new Error('the two are not the same')
      const { bytesIn, bytesOut } = network.traffic()
      const cpu = [short((user + system) / 1000), short(cpuThere)]
      const bytes = [bytesOut - before.bytesOut, bytesIn - before.bytesIn]
      return [short(ms), ...cpu, said.rounds, ...bytes, said.received, said.sent]
    },
    async stop() {
      await sync.stop()
      await there.end()
      await world.stop()
    }
  }
}
