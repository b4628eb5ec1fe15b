// How fast images get from one node to another, beside Syncthing and rsync where they are there.
//   npm run bench -- transfer                    all of these:
//   npm run bench -- transfer bulk               10,000 x 100 KB, 20,000 x 10 KB, 10 x 100 MB
//   npm run bench -- transfer bulk --count 2000 --bytes 100000
//   npm run bench -- transfer missing            1,000 of 11,000 images came while a node was away
//   npm run bench -- transfer latency            200 new images, one by one
//   npm run bench -- transfer holders            an empty node is filled by one full node, by two
//   npm run bench -- transfer beside             while one of the two is read without a pause
//     [--read-bytes 10000] [--read-images 500] [--connections 64] [--seconds 3] [--all-cores]
//     [--side receives] [--read nobody|one|other];
//     needs wrk
//   npm run bench -- transfer packed             SVG and JPEG over a slow line, packed and not
//     [--line 10MB]
//   npm run bench -- transfer scanned            with clamd before each image and without
// Options: --rounds 3. Folders are made under TMPDIR: a disk, with room for some GB.

import { parseArgs } from 'node:util'
import { syncthingVersion } from './support/syncthing.ts'
import { beside } from './transfer/beside.ts'
import { bulk } from './transfer/bulk.ts'
import { holders } from './transfer/holders.ts'
import { latency, latencyOfSyncthing } from './transfer/latency.ts'
import { missing } from './transfer/missing.ts'
import { packed, scanned } from './transfer/settings.ts'

const SETS = [
  { count: 10_000, bytes: 100_000 },
  { count: 20_000, bytes: 10_000 },
  { count: 10, bytes: 100_000_000 }
]

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    count: { type: 'string' },
    bytes: { type: 'string' },
    rounds: { type: 'string', default: '3' },
    missing: { type: 'string', default: '1000' },
    'read-bytes': { type: 'string', default: '10000' },
    'read-images': { type: 'string', default: '500' },
    connections: { type: 'string', default: '64' },
    seconds: { type: 'string', default: '3' },
    side: { type: 'string' },
    read: { type: 'string' },
    line: { type: 'string', default: '10MB' },
    'all-cores': { type: 'boolean', default: false }
  }
})
const rounds = Number(values.rounds)
const count = (usual: number) => Number(values.count ?? usual)
const bytes = Number(values.bytes ?? 100_000)

const parts: Readonly<Record<string, () => Promise<void>>> = {
  bulk: async () => {
    const sets = values.count === undefined ? SETS : [{ count: count(0), bytes }]
    for (const set of sets) await bulk({ ...set, rounds })
  },
  missing: () => missing({ count: count(10_000), bytes, missing: Number(values.missing), rounds }),
  latency: async () => {
    await latency({ count: count(200), bytes, pauseMs: 100 })
    await latencyOfSyncthing({ count: Math.min(count(24), 24), bytes })
  },
  holders: () => holders({ count: count(6000), bytes }),
  packed: () => packed({ count: count(400), bytes, rounds }, values.line),
  scanned: () => scanned({ count: count(2000), bytes: Number(values.bytes ?? 10_000), rounds }),
  beside: () =>
    beside({
      ...{ count: count(3000), bytes, rounds },
      readBytes: Number(values['read-bytes']),
      readCount: Number(values['read-images']),
      connections: Number(values.connections),
      pins: !values['all-cores'],
      side: values.side,
      read: values.read,
      seconds: Number(values.seconds)
    })
}

if (syncthingVersion() === undefined) {
  console.log('syncthing is not on PATH (Debian: apt-get install syncthing): Tumesh alone\n')
}
for (const name of positionals.length > 0 ? positionals : Object.keys(parts)) {
  const part = parts[name]
  if (part === undefined) {
    console.error(`no part ${name}: there are ${Object.keys(parts).join(', ')}`)
    process.exitCode = 1
    break
  }
  console.log(`\n${name}\n`)
  await part()
}
