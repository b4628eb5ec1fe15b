// Reads at full load while a scrub has more to read than it comes to, and while there is none. Two
// nodes with the same images take short turns, and one is stopped while the other is measured, so
// that what the machine does meanwhile falls on both.

import { setTimeout as sleep } from 'node:timers/promises'
import type { RealNode } from '../../support/real-node.ts'
import { Client } from './client.ts'
import { printTable, quantile, short, spread } from './figures.ts'
import { measure } from './machine.ts'
import { type Asked, startWrk } from './wrk.ts'

export interface BesideScrub {
  readonly rests: RealNode
  readonly isBehind: RealNode
  /** For wrk. */
  readonly paths: string
  readonly count: number
  readonly rounds: number
  /** Of a turn. */
  readonly seconds: number
}

/** Both nodes have this core, wrk has the other one. */
export const NODE_CORE = 0
const CLIENT_CORE = 1
const CONNECTIONS = 64
/** Before it is measured: a process that was stopped has timers to catch up with. */
const WARM_UP_SECONDS = 1
/** Turns in which the scrub had nothing to do are made again, this often. */
const REPEATS_MAX = 20
const REPEAT_MS = 2000
/** Images that are looked at for when they were verified. */
const SAMPLE = 1000

type Turn = Pick<Asked, 'perSecond' | 'p50' | 'p99'> & {
  readonly cpuMicroseconds: number
  readonly scrubbed: number
  readonly foreignCores: number
}

/** Ratios are of two turns beside each other, in both orders by turns. */
export async function measureBesideScrub(given: BesideScrub): Promise<void> {
  const sides = { rests: [] as Turn[], isBehind: [] as Turn[] }
  const nodes = [given.rests, given.isBehind]
  let repeats = 0
  for (const { child } of nodes) child.kill('SIGSTOP')
  try {
    while (sides.isBehind.length < given.rounds) {
      const seed = sides.isBehind.length + 1
      const order =
        seed % 2 === 0 ? (['rests', 'isBehind'] as const) : (['isBehind', 'rests'] as const)
      const turns: Partial<Record<keyof typeof sides, Turn>> = {}
      for (const side of order) turns[side] = await turn(given, given[side], seed)
      const { rests, isBehind } = turns as Record<keyof typeof sides, Turn>
      if (isBehind.scrubbed === 0) {
        if (++repeats > REPEATS_MAX)
          throw new Error('the scrub had nothing to do: take more images')
        await sleep(REPEAT_MS)
        continue
      }
      sides.rests.push(rests)
      sides.isBehind.push(isBehind)
    }
  } finally {
    for (const { child } of nodes) child.kill('SIGCONT')
  }
  print(sides)
  if (repeats > 0) console.log(`\n${repeats} rounds were left out: the scrub had nothing to do`)
}

async function turn(
  { paths, seconds, count }: BesideScrub,
  node: RealNode,
  seed: number
): Promise<Turn> {
  const pid = node.child.pid as number
  node.child.kill('SIGCONT')
  try {
    const asking = { url: node.url, paths, seed, connections: CONNECTIONS, core: CLIENT_CORE }
    await startWrk({ ...asking, seconds: WARM_UP_SECONDS }).done
    const beginMs = Date.now()
    let asked: Asked | undefined
    const { cpu, foreignCores } = await measure([pid], async () => {
      asked = await startWrk({ ...asking, seconds }).done
    })
    const { requests, failed, ...rates } = asked as Asked
    if (failed > 0) throw new Error(`${failed} reads went wrong`)
    const shareScrubbed = await scrubbedSince(node, beginMs)
    return {
      ...rates,
      cpuMicroseconds: ((cpu[0] ?? 0) * 1e6) / requests,
      scrubbed: (shareScrubbed * count) / seconds,
      foreignCores
    }
  } finally {
    node.child.kill('SIGSTOP')
  }
}

/** Which share of the images was verified since then, by some of them: the order is by chance. */
async function scrubbedSince({ url }: RealNode, ms: number): Promise<number> {
  const client = new Client({ atOnce: 1 })
  try {
    const { files } = await client.json(`${url}/file-sync/api/file-sync/files?limit=${SAMPLE}`)
    const times: number[] = files.map((file: { verified_at: string }) =>
      Date.parse(file.verified_at)
    )
    return times.filter((atMs) => atMs >= ms).length / times.length
  } finally {
    client.close()
  }
}

function print({ rests, isBehind }: Readonly<Record<'rests' | 'isBehind', readonly Turn[]>>): void {
  const figures = [
    'perSecond',
    'p50',
    'p99',
    'cpuMicroseconds',
    'scrubbed',
    'foreignCores'
  ] as const
  const row = (turns: readonly Turn[]) =>
    figures.map((figure) => spread(turns.map((one) => one[figure])))
  const ratio = (figure: 'perSecond' | 'p50' | 'p99' | 'cpuMicroseconds') =>
    spread(isBehind.map((one, n) => one[figure] / (rests[n]?.[figure] ?? Number.NaN)))
  printTable([
    ['scrub', 'reads/s', 'p50 ms', 'p99 ms', 'CPU us a read', 'scrubbed/s', 'foreign cores'],
    ['rests', ...row(rests)],
    ['is behind', ...row(isBehind)],
    ['ratio', ...(['perSecond', 'p50', 'p99', 'cpuMicroseconds'] as const).map(ratio), '', '']
  ])
  const ratios = isBehind.map(({ p99 }, n) => p99 / (rests[n]?.p99 ?? Number.NaN))
  const below = ratios.filter((one) => one < 1.2).length
  console.log(
    `\np99 is ${short(quantile(ratios, 0.5))} times what it is without; ` +
      `below 1.2 in ${below} of ${ratios.length} rounds`
  )
}
