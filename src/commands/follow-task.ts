// Waits for work that a node does in the background, and shows how far it is.

import { sleep } from '../base/clock.ts'
import { NodeError } from '../base/errors.ts'
import { callNode, type NodeTarget } from './node-client.ts'
import type { Terminal } from './terminal.ts'

const LOOK_MS = 1000

/** Of what is done at once, or goes on as a task. */
interface Answer {
  readonly task_id?: string | null | undefined
}

/** The answer of an order that says no more than that there is a task. */
interface Accepted {
  readonly status: 'accepted'
  readonly background: true
}

/**
 * What the task comes to, or the answer itself if there is none. Throws NOT_AVAILABLE with the
 * reason if it failed.
 */
export async function followTask<Given extends object>(
  target: NodeTarget,
  answer: Given,
  { progress, clock }: Pick<Terminal, 'progress' | 'clock'>
): Promise<Exclude<Given, Accepted>> {
  const { task_id } = answer as Answer
  if (typeof task_id !== 'string') return answer as Exclude<Given, Accepted>
  let shown = ''
  for (;;) {
    const path = { id: task_id }
    const task = await callNode(target, 'GET /file-sync/api/file-sync/tasks/{id}', { path })
    if (task.status === 'completed') return task.result as Exclude<Given, Accepted>
    if (task.status === 'failed') {
      const [error] = task.errors.slice(-1)
      throw new NodeError('NOT_AVAILABLE', error?.detail ?? 'It broke off without a reason.')
    }
    const { processed, total } = task
    const line = `${processed} of ${total}`
    // before it is known how much there is, there is nothing to say
    if (line !== shown && total > 0) progress(line, { task_id, processed, total })
    shown = line
    await sleep(clock, LOOK_MS)
  }
}
