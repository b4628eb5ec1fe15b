// tumesh adopt: a running node takes in the images of folders of its server.

import { resolve } from 'node:path'
import { sleep } from '../base/clock.ts'
import { NodeError } from '../base/errors.ts'
import type { AnswerOf } from '../client/plan-request.ts'
import { callNode } from './node-client.ts'
import type { Order } from './order.ts'
import type { Terminal } from './terminal.ts'

const ASK_MS = 1000
/** Refused files that are named; all are in the file of the node. */
const SHOWN_MAX = 100

interface Account {
  readonly new: number
  readonly held: number
  readonly refused: number
  readonly waiting: number
  readonly refused_file: string | null
}

/**
 * Says what became of them when all are taken in: exit code 1 if something was refused. Throws a
 * sentence if it failed.
 */
export async function runAdopt(
  { words, options, target, isJson }: Order,
  { out, clock, folder, progress }: Terminal
): Promise<number> {
  const folders = words.map((name) => resolve(folder, name))
  const body = { folders, link: options.link === true }
  const { task_id } = await callNode(target, 'POST /api/adopt', { body })
  const begun = `The node takes them in (task ${task_id}); it goes on if this command is ended.`
  progress(begun, { task_id, processed: 0 })
  let before = -1
  for (;;) {
    const path = { id: task_id }
    const task = await callNode(target, 'GET /file-sync/api/file-sync/tasks/{id}', { path })
    if (task.status !== 'running') return tell(task, isJson, out)
    const { processed } = task
    if (processed !== before) progress(`${processed} files`, { task_id, processed })
    before = processed
    await sleep(clock, ASK_MS)
  }
}

type Task = AnswerOf<'GET /file-sync/api/file-sync/tasks/{id}'>

function tell(task: Task, isJson: boolean, out: Terminal['out']): number {
  const lines = task.errors.map(({ subject, detail }) => `✗ ${subject}: ${detail}\n`)
  if (!isJson) out(lines.slice(0, SHOWN_MAX).join(''))
  if (task.status === 'failed') {
    const why = task.errors.at(-1)?.detail ?? 'the node does not say why'
    throw new NodeError(
      'NOT_AVAILABLE',
      `It broke off: ${why} Run it again: what is held is passed over.`
    )
  }
  const account = task.result as Account
  out(isJson ? `${JSON.stringify({ ...account, errors: task.errors })}\n` : textOf(account))
  return account.refused > 0 ? 1 : 0
}

function textOf({ new: added, held, refused, waiting, refused_file }: Account): string {
  const more = [
    ...(waiting > 0 ? [`  ${waiting} are still being written; they come by themselves.`] : []),
    ...(refused_file === null ? [] : [`  All that were refused: ${refused_file}`])
  ]
  const first = `✓ ${added} new, ${held} held already, ${refused} refused`
  return `${[first, ...more].join('\n')}\n`
}
