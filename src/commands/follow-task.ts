// Waits for work that a node does in the background, and shows how far it is.

import { sleep } from '../base/clock.ts'
import { NodeError } from '../base/errors.ts'
import { API } from './addresses.ts'
import { callNode, type NodeTarget } from './node-client.ts'
import type { Terminal } from './terminal.ts'

const LOOK_MS = 1000

type Answer = Readonly<Record<string, unknown>>

/**
 * What the task comes to, or the answer itself if there is none. Throws NOT_AVAILABLE with the
 * reason if it failed.
 */
export async function followTask(
  target: NodeTarget,
  answer: Answer,
  { err, clock }: Pick<Terminal, 'err' | 'clock'>
): Promise<Answer> {
  const { task_id } = answer
  if (typeof task_id !== 'string') return answer
  let shown = ''
  for (;;) {
    const task = await callNode(target, 'GET', `${API}/tasks/${task_id}`)
    if (task.status === 'completed') return task.result as Answer
    if (task.status === 'failed') {
      const [error] = (task.errors as { detail: string }[]).slice(-1)
      throw new NodeError('NOT_AVAILABLE', error?.detail ?? 'It broke off without a reason.')
    }
    const progress = `${task.processed} of ${task.total}`
    if (progress !== shown) err(`${progress}\n`)
    shown = progress
    await sleep(clock, LOOK_MS)
  }
}
