// tumesh block, unblock, blocks: takes bytes out of the mesh, and lets them in again.

import type { AnswerOf } from '../client/plan-request.ts'
import { callNode, type NodeTarget } from './node-client.ts'
import type { Order } from './order.ts'
import { columns, type Terminal, UsageError } from './terminal.ts'

type Block = AnswerOf<'GET /api/blocks'>['blocks'][number]

const isHash = (word: string) => /^[0-9a-f]{64}$/i.test(word)

export async function runBlock(
  { words: [word = ''], options: { reason }, target, isJson }: Order,
  { out }: Terminal
): Promise<undefined> {
  if (reason === undefined) throw new UsageError('Say why: --reason TEXT.')
  const named = isHash(word) ? { sha256: word } : { path: word }
  const body = { ...named, reason: String(reason) }
  const answer = await callNode(target, 'POST /api/blocks', { body })
  out(isJson ? `${JSON.stringify(answer)}\n` : `${answer.message}\n`)
}

export async function runUnblock(
  { words: [word = ''], target, isJson }: Order,
  { out }: Terminal
): Promise<undefined> {
  const hash = isHash(word) ? word : await hashOf(target, word)
  const answer = await callNode(target, 'DELETE /api/blocks/{hash}', { path: { hash } })
  out(isJson ? `${JSON.stringify(answer)}\n` : `${answer.message}\n`)
}

async function hashOf(target: NodeTarget, path: string): Promise<string> {
  const file = await callNode(target, 'GET /file-sync/api/file-sync/file/{path}', {
    path: { path }
  })
  return String(file.sha256)
}

export async function runBlocks({ target, isJson }: Order, { out }: Terminal): Promise<undefined> {
  const { blocks } = await callNode(target, 'GET /api/blocks')
  if (isJson) out(`${JSON.stringify(blocks)}\n`)
  else if (blocks.length === 0) out('Nothing is blocked.\n')
  else out(columns(blocks.map((one) => [one.sha256, one.blocked_at, one.node, about(one)])))
}

function about({ reason, paths: [first, ...more] }: Block): string {
  if (first === undefined) return reason
  return `${reason} (${first}${more.length > 0 ? ` and ${more.length} more` : ''})`
}
