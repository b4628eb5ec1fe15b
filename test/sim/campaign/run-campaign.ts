// Runs many worlds, tells how it goes, and shows the shortest history of what fails.

import type { History } from '../index-world/history.ts'
import { planHistory, SHORT, type Size } from '../index-world/plan-history.ts'
import { runHistory } from '../index-world/run-history.ts'
import { SABOTAGES } from '../index-world/sabotages.ts'
import { kindOf, shorten, textOf } from '../index-world/shorten.ts'
import { type Job, type Result, type Seeds, sabotageOf } from './jobs.ts'
import { doJobs } from './workforce.ts'

export interface CampaignOptions {
  readonly world: 'index' | 'whole'
  readonly seeds: Seeds
  readonly size: Partial<Size>
  readonly jobs: number
}

export interface Campaign {
  readonly say: (line: string) => void
  readonly nowMs: () => number
}

const CHUNK_SEEDS = 50
const SAY_MS = 10_000
const SHORTEN_RUNS_MAX = 500
/** Failures are alike: the first ones are shortened. */
const SHORTENED_MAX = 3

/** How many worlds failed. */
export async function runCampaign(
  { say, nowMs }: Campaign,
  { world, seeds, size, jobs }: CampaignOptions
): Promise<number> {
  const beganMs = nowMs()
  let saidMs = beganMs
  let worlds = 0
  const failed: number[] = []
  const job = { world, size: { ...SHORT, ...size } }
  const onResult = (result: Result) => {
    worlds += result.worlds
    for (const { seed, faults } of result.failures) {
      failed.push(seed)
      say(`seed ${seed}: ${faults[0]}`)
    }
    if (nowMs() - saidMs < SAY_MS) return
    saidMs = nowMs()
    const seconds = (saidMs - beganMs) / 1000
    say(`${worlds} worlds, ${failed.length} failed, ${(worlds / seconds).toFixed(1)} a second`)
  }
  await doJobs(chunksOf(seeds, job), jobs, onResult)
  if (world === 'index') {
    for (const seed of failed.slice(0, SHORTENED_MAX)) {
      say(await storyOf(planHistory(seed, job.size)))
      say(commandOf(seed, size))
    }
  }
  const seconds = Math.round((nowMs() - beganMs) / 1000)
  say(`${worlds} worlds, ${failed.length} failed (${seconds} s)`)
  return failed.length
}

function* chunksOf({ from, to }: Seeds, job: Pick<Job, 'size'> & Pick<CampaignOptions, 'world'>) {
  for (let first = from; first <= to; first += CHUNK_SEEDS) {
    yield { ...job, from: first, to: Math.min(first + CHUNK_SEEDS - 1, to) }
  }
}

/** The shortest history that shows the first fault of this one. */
async function storyOf(history: History): Promise<string> {
  const { faults, steps } = await runHistory(history)
  const kind = kindOf(faults[0])
  const fails = async (one: History) => kindOf((await runHistory(one)).faults[0]) === kind
  const begun = { ...history, steps: history.steps.slice(0, steps) }
  const short = await shorten(begun, fails, SHORTEN_RUNS_MAX)
  const shown = (await runHistory(short.history)).faults.join('\n')
  return `${shown}\nThe shortest history found; npm run sim -- --history FILE runs it again:\n${textOf(short.history)}`
}

export function commandOf(seed: number, { nodes, steps }: Partial<Size> = {}): string {
  const given = [
    nodes === undefined ? '' : ` --nodes ${nodes.join('..')}`,
    steps === undefined ? '' : ` --steps ${steps.join('..')}`
  ]
  return `Again: npm run sim -- --seeds ${seed}${given.join('')}`
}

/** One history, as it was printed. How many failed. */
export async function runPrinted({ say }: Campaign, text: string): Promise<number> {
  const { faults, steps } = await runHistory(JSON.parse(text) as History)
  for (const fault of faults) say(`after ${steps} steps: ${fault}`)
  say(`1 worlds, ${faults.length > 0 ? 1 : 0} failed`)
  return faults.length > 0 ? 1 : 0
}

/** Says after how many seeds it shows that a protection is off; how many never show. */
export async function runSabotage(
  { say }: Campaign,
  rule: string,
  { seeds, size, jobs }: CampaignOptions
): Promise<number> {
  const names = rule === 'all' ? Object.keys(SABOTAGES) : [rule]
  for (const name of names) sabotageOf(name)
  const work = names.map((sabotage): Job => {
    return { world: 'sabotaged', sabotage, ...seeds, size: { ...SHORT, ...size } }
  })
  let unnoticed = 0
  await doJobs(work, Math.min(jobs, work.length), ({ worlds, failures }, job) => {
    const name = job.world === 'sabotaged' ? job.sabotage : ''
    const [first] = failures
    if (first === undefined) unnoticed++
    const fault = first?.faults[0]?.split('\n')[0] ?? 'not noticed'
    say(`| ${name} | ${first === undefined ? `not in ${worlds}` : worlds} | ${fault} |`)
  })
  say(`${names.length} protections, ${unnoticed} not missed`)
  return unnoticed
}
