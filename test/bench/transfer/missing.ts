// A node was away while images came: from the start of its process until it has them.

import { Workbench } from '../../support/real-node.ts'
import { printTable, short, spread } from '../support/figures.ts'
import { measure } from '../support/machine.ts'
import { eventuallySame, products, takeTurns } from './pair.ts'
import { type ImageSet, Source, warmMemory } from './source.ts'

export interface MissingOptions extends ImageSet {
  /** Images that come while the second one is away. */
  readonly missing: number
  readonly rounds: number
}

export async function missing({ missing, rounds, ...set }: MissingOptions): Promise<void> {
  const folder = new Workbench()
  const source = new Source(folder.folder, set)
  try {
    source.write()
    const all = set.count + missing
    const results = await takeTurns(products(), rounds, async (pair, bench) => {
      await pair.prepare(source)
      await pair.join(set.count)
      await pair.stopSecond()
      await pair.add(source, set.count, missing)
      warmMemory(bench.folder)
      const usage = await measure([], () => pair.comeBack(all))
      await eventuallySame(() => source.compare(pair.secondFolder, all))
      console.error(`${pair.constructor.name}: ${usage.seconds.toFixed(2)} s`)
      return usage
    })
    const [base = []] = results.values()
    console.log(
      `\n${missing} of ${all} images of ${set.bytes} bytes came while a node was away; from the ` +
        `start of its process until it has all; ${rounds} rounds: median (least-most)\n`
    )
    printTable([
      ['product', 'seconds', 'busy cores but the client', 'Tumesh is so many times as fast'],
      ...[...results].map(([name, rounds]) => [
        name,
        spread(rounds.map(({ seconds }) => seconds)),
        short(Math.max(...rounds.map(({ foreignCores }) => foreignCores))),
        spread(rounds.map(({ seconds }, n) => seconds / (base[n]?.seconds ?? Number.NaN)))
      ])
    ])
  } finally {
    await folder.cleanUp()
  }
}
