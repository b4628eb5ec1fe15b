// npm run join -- MULTIADDR…: makes the node that runs here meet other servers.

import { parseArgs } from 'node:util'
import { callNode } from '../src/commands/node-client.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    url: { type: 'string', default: 'http://127.0.0.1:8000' },
    data: { type: 'string', default: './data' }
  }
})
if (positionals.length === 0) {
  console.error('Usage: npm run join -- MULTIADDR… [--url http://127.0.0.1:8000] [--data ./data]')
  process.exitCode = 2
}
for (const address of positionals) {
  try {
    const { message, peer_id } = await callNode(values, 'POST', '/api/peers', { address })
    console.log(`${address}: ${message} It is ${peer_id}.`)
  } catch (error) {
    console.error(`${address}: ${(error as Error).message}`)
    process.exitCode = 1
  }
}
