// tumesh keys: makes, lists and revokes the keys of a running node.

import { callOf } from '../base/how-called.ts'
import type { AnswerOf, Asked } from '../client/plan-request.ts'
import { callNode } from './node-client.ts'
import type { Order } from './order.ts'
import type { Terminal } from './terminal.ts'

type Scopes = Asked<'POST /api/keys'>['body']['scopes']
type KeyLine = AnswerOf<'GET /api/keys'>['keys'][number]

export async function runKeyAdd(
  { words: [name = ''], options: { scope }, target, isJson }: Order,
  { out }: Terminal
): Promise<undefined> {
  const body = { name, scopes: [scope as Scopes[number]] }
  const answer = await callNode(target, 'POST /api/keys', { body })
  const { key, id } = answer
  const note = `This is shown once; keep it. To revoke it: ${callOf('keys', `revoke ${id}`)}`
  out(isJson ? `${JSON.stringify(answer)}\n` : `${key}\n\n${note}\n`)
}

export async function runKeyList({ target, isJson }: Order, { out }: Terminal): Promise<undefined> {
  const answer = await callNode(target, 'GET /api/keys')
  const lines = answer.keys.map((key) => `${lineOf(key)}\n`).join('')
  out(isJson ? `${JSON.stringify(answer)}\n` : lines || 'There are no keys.\n')
}

export async function runKeyRevoke(
  { words: [id = ''], target, isJson }: Order,
  { out }: Terminal
): Promise<undefined> {
  const answer = await callNode(target, 'DELETE /api/keys/{id}', { path: { id } })
  out(isJson ? `${JSON.stringify(answer)}\n` : `${answer.message}\n`)
}

function lineOf({ id, name, scopes, created_at }: KeyLine): string {
  return `${id}  ${name.padEnd(20)} ${scopes.join(',').padEnd(16)} ${created_at}`
}
