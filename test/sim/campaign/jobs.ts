// Pieces of a campaign, each of which a process of its own can do.

import type { Sabotage } from '../index-world/index-node.ts'
import { planHistory, type Size } from '../index-world/plan-history.ts'
import { runHistory } from '../index-world/run-history.ts'
import { SABOTAGES } from '../index-world/sabotages.ts'
import { runSeed } from '../run-seed.ts'

export interface Seeds {
  readonly from: number
  /** Included. */
  readonly to: number
}

export type Job = Seeds & { readonly size: Size } & (
    | { readonly world: 'index' }
    | { readonly world: 'whole' }
    /** Until one of them shows that the protection is off. */
    | { readonly world: 'sabotaged'; readonly sabotage: string }
  )

export interface Failure {
  readonly seed: number
  readonly faults: readonly string[]
}

export interface Result {
  readonly worlds: number
  readonly failures: readonly Failure[]
}

export async function doJob(job: Job): Promise<Result> {
  const failures: Failure[] = []
  let worlds = 0
  for (let seed = job.from; seed <= job.to; seed++) {
    const faults = await faultsOf(seed, job)
    worlds++
    if (faults.length > 0) failures.push({ seed, faults })
    if (faults.length > 0 && job.world === 'sabotaged') break
  }
  return { worlds, failures }
}

async function faultsOf(seed: number, job: Job): Promise<readonly string[]> {
  if (job.world === 'whole') return (await runSeed(seed)).faults
  const sabotage = job.world === 'sabotaged' ? sabotageOf(job.sabotage) : {}
  return (await runHistory(planHistory(seed, job.size), sabotage)).faults
}

export function sabotageOf(name: string): Sabotage {
  const sabotage = SABOTAGES[name]
  if (sabotage !== undefined) return sabotage
  const known = Object.keys(SABOTAGES).map((one) => `  ${one}`)
  throw new Error(`There is no protection ${JSON.stringify(name)}. These are:\n${known.join('\n')}`)
}
