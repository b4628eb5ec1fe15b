// tumesh drain: can this server be switched off? Waits until it can.

import { followTask } from './follow-task.ts'
import { callNode } from './node-client.ts'
import type { Order } from './order.ts'
import type { Terminal } from './terminal.ts'

/** Exit code 0 if it can be switched off. */
export async function runDrain(
  { options: { look }, target, isJson }: Order,
  terminal: Terminal
): Promise<number> {
  const { out, progress } = terminal
  let answer = await callNode(target, look === true ? 'GET /api/drain' : 'POST /api/drain')
  if (look !== true && answer.safe_to_switch_off !== true) {
    progress(answer.message, answer)
    await followTask(target, answer, terminal)
    answer = await callNode(target, 'GET /api/drain')
  }
  out(isJson ? `${JSON.stringify(answer)}\n` : `${answer.message}\n`)
  return answer.safe_to_switch_off === true ? 0 : 1
}
