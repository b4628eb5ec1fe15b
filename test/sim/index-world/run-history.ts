// Runs a history from its beginning to the quiet after it, or to the first thing that is wrong.

import type { History } from './history.ts'
import type { Sabotage } from './index-node.ts'
import { IndexWorld } from './index-world.ts'
import { Quiet } from './quiet.ts'

export interface Outcome {
  readonly faults: readonly string[]
  /** How many steps had been done when the first of them was seen. */
  readonly steps: number
  /** Tells two courses apart. */
  readonly fingerprint: string
}

export async function runHistory(history: History, sabotage: Sabotage = {}): Promise<Outcome> {
  const world = new IndexWorld(history, sabotage)
  let steps = 0
  try {
    await world.populate()
    for (const step of history.steps) {
      if (world.faults.length > 0) break
      await world.perform(step)
      steps++
    }
    if (world.faults.length === 0) await new Quiet(world).settle()
  } catch (error) {
    world.faults.push(error instanceof Error ? (error.stack ?? error.message) : String(error))
  }
  const sums = world.citizens.map(({ view }) => [...view.entries.keys()].join())
  const fingerprint = [world.clock.now(), world.chance.fraction(), ...sums].join('\n')
  return { faults: world.faults, steps, fingerprint }
}
