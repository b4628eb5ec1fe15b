// Runs worlds of the simulation (test/sim/README.md): npm run sim -- --seeds 1..1000

import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import {
  type CampaignOptions,
  runCampaign,
  runPrinted,
  runSabotage
} from '../test/sim/campaign/run-campaign.ts'

const USAGE = `npm run sim -- [options]
  --seeds A..B      which worlds (1..1000)
  --nodes N         or A..B: nodes of a world (2..7)
  --steps N         or A..B: steps of a world (40..500)
  --world whole     nodes with blobs, flows and mesh in place of indexes alone
  --sabotage RULE   switches one protection off and says after how many seeds it is missed; or all
  --history FILE    runs one history, as a failure prints it
  --jobs N          processes (all cores)`

/** `17`, or `1..1000`. */
function rangeOf(name: string, text: string): readonly [number, number] {
  const [, from, to = from] = /^(\d+)(?:\.\.(\d+))?$/.exec(text) ?? []
  if (from === undefined || Number(to) < Number(from)) {
    throw new Error(`--${name} ${text}: say a number, or the first and the last one as 1..1000.`)
  }
  return [Number(from), Number(to)]
}

async function run(): Promise<number> {
  const text = { type: 'string' } as const
  const options = { seeds: text, nodes: text, steps: text, world: text, sabotage: text }
  const { values } = parseArgs({
    options: { ...options, history: text, jobs: text, help: { type: 'boolean' } }
  })
  const campaign = { say: console.log, nowMs: () => performance.now() }
  const { nodes, steps, world = 'index', sabotage, history } = values
  if (values.help) {
    console.log(USAGE)
    return 0
  }
  if (world !== 'index' && world !== 'whole') throw new Error(`--world ${world}: index or whole.`)
  if (history !== undefined) return runPrinted(campaign, readFileSync(history, 'utf8'))
  const [from, to] = rangeOf('seeds', values.seeds ?? '1..1000')
  const campaignOptions: CampaignOptions = {
    world,
    seeds: { from, to },
    jobs: values.jobs === undefined ? availableParallelism() : rangeOf('jobs', values.jobs)[0],
    size: {
      ...(nodes !== undefined && { nodes: rangeOf('nodes', nodes) }),
      ...(steps !== undefined && { steps: rangeOf('steps', steps) })
    }
  }
  if (sabotage !== undefined) return runSabotage(campaign, sabotage, campaignOptions)
  return runCampaign(campaign, campaignOptions)
}

try {
  process.exitCode = (await run()) > 0 ? 1 : 0
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  console.error(USAGE)
  process.exitCode = 2
}
