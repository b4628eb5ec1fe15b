// npm run power: a node on a disk whose power is cut again and again, and whether anything was
// lost.

import { parseArgs } from 'node:util'
import { powerCuts } from '../test/power/power-cuts.ts'
import { type FileSystem, fragileDiskObstacle } from '../test/support/fragile-disk.ts'
import { describeCounts } from '../test/torture/torture.ts'

const HELP = `Usage: npm run power [-- OPTIONS]

A node under clients on a disk of its own. The power is cut at random moments: a copy of the disk
then has what was flushed and any part of what was not. A node starts on each copy,
and everything that was acknowledged before the cut must be there, byte for byte. Needs root, loop
devices and /dev/fuse; test/power/README.md says what is modelled.

  --cuts N      (default: 50)
  --fs NAME     ext4, xfs or btrfs (default: ext4)
  --seed N      what happens; only roughly repeated, since processes have their own time (default: 1)
  --clients N   (default: 16)
  --paths N     (default: 120)
  --wait-ms N   between two cuts, at most (default: 1500)
`
const EXIT_FAILED = 1

const { values } = parseArgs({
  options: {
    cuts: { type: 'string', default: '50' },
    fs: { type: 'string', default: 'ext4' },
    seed: { type: 'string', default: '1' },
    clients: { type: 'string', default: '16' },
    paths: { type: 'string', default: '120' },
    'wait-ms': { type: 'string', default: '1500' },
    help: { type: 'boolean', default: false }
  }
})
const fileSystem = values.fs as FileSystem
const obstacle = fragileDiskObstacle(fileSystem)
if (values.help) process.stdout.write(HELP)
else if (obstacle !== undefined) {
  process.stderr.write(`This ${obstacle}.\n`)
  process.exitCode = EXIT_FAILED
} else {
  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort())
  const say = (text: string) => process.stdout.write(`${text}\n`)
  const { counts, faults } = await powerCuts({
    cuts: Number(values.cuts),
    fileSystem,
    seed: Number(values.seed),
    clients: Number(values.clients),
    paths: Number(values.paths),
    waitMs: Number(values['wait-ms']),
    signal: stop.signal,
    say
  })
  say(describeCounts(counts))
  for (const fault of faults.slice(0, 50)) say(`WRONG: ${fault}`)
  say(`${faults.length} faults`)
  if (faults.length > 0) process.exitCode = EXIT_FAILED
}
