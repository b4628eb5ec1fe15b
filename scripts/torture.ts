// npm run torture: real nodes under clients, crashes and harm, and whether anything was lost.

import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { LocalNetwork, localNetworkObstacle } from '../test/support/local-network.ts'
import type { FleetPlan } from '../test/torture/fleet.ts'
import { describeCounts, torture } from '../test/torture/torture.ts'

const HELP = `Usage: npm run torture [-- OPTIONS]

Three to five nodes in a network of their own: uploads, deletions, overwrites, moves and reads, while
nodes are killed and stopped, bytes flipped, files removed, disks filled and cables pulled. Afterwards
everything that was acknowledged must be on all of them, byte for byte. Needs root, for network
namespaces; nothing leaves this machine.

  --minutes N   how long (default: 2)
  --seed N      what happens; only roughly repeated, since processes have their own time (default: 1)
  --nodes N     3 to 5 (default: 4)
  --harm-ms N   between two harms, on average (default: 500)
  --paths N     (default: 300)
  --keep        leave the folders of the nodes where they are if anything is wrong
`
const EXIT_FAILED = 1
const SUBNET = '10.79.0'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '2' },
    seed: { type: 'string', default: '1' },
    nodes: { type: 'string', default: '4' },
    'harm-ms': { type: 'string', default: '500' },
    paths: { type: 'string', default: '300' },
    keep: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false }
  }
})
const planText = process.env.TUMESH_TORTURE_PLAN
if (values.help) process.stdout.write(HELP)
else if (planText === undefined) await outside()
else await inside(JSON.parse(planText))

/** Makes the network, and goes on in a host of it. */
async function outside(): Promise<void> {
  const obstacle = localNetworkObstacle()
  if (obstacle !== undefined) {
    process.stderr.write(`This ${obstacle}.\n`)
    process.exit(EXIT_FAILED)
  }
  const network = new LocalNetwork({ subnet: SUBNET })
  const clients = network.host()
  const places = Array.from({ length: Number(values.nodes) }, () => network.host())
  const plan: FleetPlan = { places, switch: network.namespace }
  const line = ['netns', 'exec', clients.namespace, process.execPath]
  const child = spawn('ip', [...line, fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    env: { ...process.env, TUMESH_TORTURE_PLAN: JSON.stringify(plan) },
    stdio: 'inherit'
  })
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal))
  child.on('close', (code) => {
    network.cleanUp()
    process.exitCode = code ?? EXIT_FAILED
  })
}

async function inside(plan: FleetPlan): Promise<void> {
  const say = (text: string) => process.stdout.write(`${text}\n`)
  const { counts, faults } = await torture(plan, {
    minutes: Number(values.minutes),
    seed: Number(values.seed),
    harmMs: Number(values['harm-ms']),
    paths: Number(values.paths),
    keep: values.keep,
    say
  })
  say(describeCounts(counts))
  for (const fault of faults.slice(0, 50)) say(`WRONG: ${fault}`)
  say(`${faults.length} faults`)
  if (faults.length > 0) process.exitCode = EXIT_FAILED
}
