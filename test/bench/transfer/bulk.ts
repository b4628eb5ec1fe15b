// A full node and an empty one meet: how fast the empty one has all, and what that costs both.

import { Workbench } from '../../support/real-node.ts'
import { printTable, quantile, short, spread } from '../support/figures.ts'
import { measure, memory, type Usage } from '../support/machine.ts'
import { eventuallySame, products, takeTurns } from './pair.ts'
import { type ImageSet, Source, warmMemory } from './source.ts'

export interface Round extends Usage {
  readonly peakMb: readonly number[]
}

export async function bulk({ rounds, ...set }: ImageSet & { rounds: number }): Promise<void> {
  const { count } = set
  const folder = new Workbench()
  const source = new Source(folder.folder, set)
  try {
    source.write()
    const results = await takeTurns(products({ all: true }), rounds, async (pair, bench) => {
      await pair.prepare(source)
      warmMemory(bench.folder)
      const usage = await measure(pair.pids, () => pair.join(count))
      const peakMb = pair.pids.map((pid) => memory(pid).peakMb)
      await eventuallySame(() => source.compare(pair.secondFolder))
      console.error(`${pair.constructor.name}: ${usage.seconds.toFixed(2)} s`)
      return { ...usage, peakMb }
    })
    console.log(
      `\n${count} images of ${set.bytes} bytes from a full node to an empty one, from their ` +
        `meeting until the empty one has all; ${rounds} rounds: median (least-most)\n`
    )
    printRounds(results, set)
  } finally {
    await folder.cleanUp()
  }
}

export function printRounds(
  results: ReadonlyMap<string, readonly Round[]>,
  { count, bytes }: ImageSet
): void {
  const [base = []] = results.values()
  const megabytes = (count * bytes) / 1e6
  const each = (all: readonly Round[], of: (round: Round, side: number) => number) =>
    [0, 1]
      .map((side) =>
        short(
          quantile(
            all.map((round) => of(round, side)),
            0.5
          )
        )
      )
      .join(' + ')
  const cpu = ({ cpu }: Round, side: number) => cpu[side] ?? Number.NaN
  printTable([
    [
      'product',
      'seconds',
      'files/s',
      'MB/s',
      'CPU us a file, a + b',
      'CPU ms a MB, a + b',
      'peak MiB a + b',
      'foreign cores',
      'Tumesh is so many times as fast'
    ],
    ...[...results].map(([name, all]) => [
      name,
      spread(all.map(({ seconds }) => seconds)),
      spread(all.map(({ seconds }) => count / seconds)),
      spread(all.map(({ seconds }) => megabytes / seconds)),
      each(all, (round, side) => (cpu(round, side) * 1e6) / count),
      each(all, (round, side) => (cpu(round, side) * 1e3) / megabytes),
      each(all, ({ peakMb }, side) => peakMb[side] ?? Number.NaN),
      short(Math.max(...all.map(({ foreignCores }) => foreignCores))),
      spread(all.map(({ seconds }, n) => seconds / (base[n]?.seconds ?? Number.NaN)))
    ])
  ])
}
