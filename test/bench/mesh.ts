// What a mesh of real nodes on this machine costs and how fast it is.
//   node test/bench/mesh.ts messages [--nodes 3,10] [--count 200] [--bytes 20000]
//   node test/bench/mesh.ts idle [--seconds 120] [--count 1000]
// Without a part all of them. Folders are made under TMPDIR.

import { parseArgs } from 'node:util'
import { idle } from './mesh/idle.ts'
import { messages } from './mesh/messages.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    count: { type: 'string' },
    bytes: { type: 'string' },
    nodes: { type: 'string', default: '3,10' },
    seconds: { type: 'string', default: '120' }
  }
})
const count = (usual: number) => Number(values.count ?? usual)
const bytes = (usual: number) => Number(values.bytes ?? usual)

const parts: Readonly<Record<string, () => Promise<void>>> = {
  messages: () => {
    const nodes = values.nodes.split(',').map(Number)
    return messages({ nodes, count: count(200), bytes: bytes(20_000) })
  },
  idle: () => idle({ seconds: Number(values.seconds), count: count(1000) })
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
