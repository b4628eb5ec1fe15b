// tumesh log: what happens on a node, line by line, until it is stopped.

import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import { plainLine } from '../../protocols/message.ts'
import { bytesOf, openNode } from './node-client.ts'
import type { Order } from './order.ts'
import type { Terminal } from './terminal.ts'

export async function runLog({ target, isJson }: Order, { out }: Terminal): Promise<undefined> {
  const headers = { accept: 'text/event-stream' }
  const operation = isJson ? 'GET /api/events' : 'GET /stream-logs'
  const answer = await openNode(target, operation, { headers })
  const input = Readable.from(bytesOf(answer, target), { objectMode: false })
  let event = ''
  for await (const line of createInterface({ input })) {
    const [, name, text = ''] = /^(event|data): (.*)/.exec(line) ?? []
    if (name === 'event') event = text
    else if (name === 'data')
      out(`${isJson ? JSON.stringify({ event, ...JSON.parse(text) }) : plainLine(text)}\n`)
  }
  return undefined
}
