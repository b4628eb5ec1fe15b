// tumesh rm, mv, restore: what changes images, each with the sentence of the node.

import { callNode } from './node-client.ts'
import type { Order } from './order.ts'
import { failureOf, type Terminal } from './terminal.ts'

interface Answer {
  readonly message: string
}

/** Goes on after one that can't be deleted; the exit code is 1 then. */
export async function runRm(
  { words, options, target, isJson }: Order,
  { out, err }: Terminal
): Promise<number> {
  const deleted: object[] = []
  const failed: object[] = []
  for (const path of words) {
    const query = options.purge === true ? { purge: true } : {}
    try {
      const asked = { path: { path }, query }
      const answer = await callNode(target, 'DELETE /images/{path}', asked)
      deleted.push(answer)
      if (!isJson) out(`${answer.message}\n`)
    } catch (error) {
      failed.push({ path, ...failureOf(error) })
      if (!isJson) err(`${path}: ${(error as Error).message}\n`)
    }
  }
  if (isJson) out(`${JSON.stringify({ deleted, failed })}\n`)
  return failed.length > 0 ? 1 : 0
}

export function runPurge(order: Order, terminal: Terminal): Promise<number> {
  return runRm({ ...order, options: { ...order.options, purge: true } }, terminal)
}

export async function runMv(
  { words: [from = '', to = ''], target, isJson }: Order,
  { out }: Terminal
): Promise<undefined> {
  tell(out, isJson, await callNode(target, 'POST /api/move', { body: { from, to } }))
}

export async function runRestore(
  { words: [path = ''], options: { sha256 }, target, isJson }: Order,
  { out }: Terminal
): Promise<undefined> {
  const body = { path, ...(sha256 !== undefined && { sha256: String(sha256) }) }
  tell(out, isJson, await callNode(target, 'POST /api/restore', { body }))
}

function tell(out: Terminal['out'], isJson: boolean, answer: Answer): void {
  out(isJson ? `${JSON.stringify(answer)}\n` : `${answer.message}\n`)
}
