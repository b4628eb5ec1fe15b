// tumesh adopt: a running node takes in the images of folders of its server.

import { resolve } from 'node:path'
import { type Clock, sleep } from '../base/clock.ts'
import { NodeError } from '../base/errors.ts'
import type { AnswerOf } from '../client/plan-request.ts'
import { callNode, type NodeTarget } from './node-client.ts'

export interface AdoptOrder {
  readonly folders: readonly string[]
  readonly link: boolean
}

export interface AdoptOutput {
  readonly clock: Clock
  /** Relative names count from here. */
  readonly folder: string
  readonly progress: (line: string) => void
  readonly done: (line: string) => void
}

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

/** Resolves when all is taken in, and says what became of it. Throws a sentence if it failed. */
export async function runAdopt(
  { folders, link }: AdoptOrder,
  node: NodeTarget,
  { clock, folder, progress, done }: AdoptOutput
): Promise<void> {
  const absolute = folders.map((name) => resolve(folder, name))
  const { task_id } = await callNode(node, 'POST /api/adopt', { body: { folders: absolute, link } })
  progress(`The node takes them in (task ${task_id}); it goes on if this command is ended.`)
  let before = -1
  for (;;) {
    const path = { id: task_id }
    const task = await callNode(node, 'GET /file-sync/api/file-sync/tasks/{id}', { path })
    if (task.status !== 'running') return tell(task, done)
    if (task.processed !== before) progress(`${task.processed} files`)
    before = task.processed
    await sleep(clock, ASK_MS)
  }
}

type Task = AnswerOf<'GET /file-sync/api/file-sync/tasks/{id}'>

function tell(task: Task, done: (line: string) => void): void {
  for (const { subject, detail } of task.errors.slice(0, SHOWN_MAX)) done(`✗ ${subject}: ${detail}`)
  if (task.status === 'failed') {
    const why = task.errors.at(-1)?.detail ?? 'the node does not say why'
    throw new NodeError(
      'NOT_AVAILABLE',
      `It broke off: ${why} Run it again: what is held is passed over.`
    )
  }
  const account = task.result as Account
  const { refused_file, refused, waiting } = account
  done(`✓ ${account.new} new, ${account.held} held already, ${refused} refused`)
  if (waiting > 0) done(`  ${waiting} are still being written; they come by themselves.`)
  if (refused_file !== null) done(`  All that were refused: ${refused_file}`)
}
