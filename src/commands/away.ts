// tumesh away: the others shall not worry about this server for a while.

import { callNode } from './node-client.ts'
import type { Order } from './order.ts'
import { type Terminal, UsageError } from './terminal.ts'

export async function runAway(
  { words: [time], options, target, isJson }: Order,
  { out }: Terminal
): Promise<number> {
  if ((time === undefined) === (options.back !== true)) {
    throw new UsageError('Say for how long, such as 2h or 3d, or --back.')
  }
  const answer =
    time === undefined
      ? await callNode(target, 'DELETE /api/away')
      : await callNode(target, 'POST /api/away', { body: { for: time } })
  out(isJson ? `${JSON.stringify(answer)}\n` : `${answer.message}\n`)
  return 0
}
