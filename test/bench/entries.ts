// What the index costs when it is large, and what its exchange costs.
//   npm run bench -- index [PART…] [--entries 1000000] [--every-ms 2000]
// Parts: ingest, database, node, check, join, differences, gossip; without one all of them.
// Folders are made under TMPDIR and take 3 KB an entry.

import { parseArgs } from 'node:util'
import { Workbench } from '../support/real-node.ts'
import { check } from './entries/check.ts'
import { databaseAlone } from './entries/database-alone.ts'
import { differences } from './entries/differences.ts'
import { gossip } from './entries/gossip.ts'
import { idleNode } from './entries/idle-node.ts'
import { ingest } from './entries/ingest.ts'
import { writeEntries } from './entries/made-entries.ts'
import { newNode } from './entries/new-node.ts'
import { indexOf, seedNode } from './entries/seed.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    entries: { type: 'string', default: '1000000' },
    'every-ms': { type: 'string', default: '2000' }
  }
})
const making = { count: Number(values.entries), everyMs: Number(values['every-ms']) }
const PARTS = ['ingest', 'database', 'node', 'check', 'join', 'differences', 'gossip']
const unknown = positionals.filter((name) => !PARTS.includes(name))
if (unknown.length > 0) {
  console.error(`no part ${unknown.join(', ')}: there are ${PARTS.join(', ')}`)
  process.exit(1)
}
const parts = positionals.length > 0 ? positionals : PARTS
const bench = new Workbench()
const FULL = 'full'
try {
  const file = bench.path('entries')
  const bytes = parts.some((part) => part !== 'gossip') ? writeEntries(file, making) : 0
  if (parts.some((part) => ['node', 'check', 'join', 'differences'].includes(part))) {
    await seedNode(bench, FULL, file)
  }
  const run: Readonly<Record<string, () => Promise<void>>> = {
    ingest: () => ingest(file, bytes, making),
    database: () => databaseAlone(file, making),
    node: () => idleNode(bench, FULL, making),
    check: () => check(indexOf(bench, FULL)),
    differences: () => differences(bench, indexOf(bench, FULL), making),
    join: () => newNode(bench, FULL, making),
    gossip
  }
  for (const part of parts) {
    console.log(`\n${part}\n`)
    await run[part]?.()
  }
} finally {
  await bench.cleanUp()
}
