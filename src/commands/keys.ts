// tumesh keys: makes, lists and revokes the keys of a running node.

import { callOf } from '../base/how-called.ts'
import type { AnswerOf, Asked } from '../client/plan-request.ts'
import { callNode, type NodeTarget } from './node-client.ts'

type Scopes = Asked<'POST /api/keys'>['body']['scopes']

export type KeysOrder =
  | { readonly do: 'add'; readonly name: string; readonly scopes: Scopes }
  | { readonly do: 'list' }
  | { readonly do: 'revoke'; readonly id: string }

type KeyLine = AnswerOf<'GET /api/keys'>['keys'][number]

/** Carries the order out; the text to print, or, for programs, the answer of the node. */
export async function runKeys(
  order: KeysOrder,
  target: NodeTarget,
  isJson: boolean
): Promise<string> {
  const { answer, text } = await carryOut(order, target)
  return isJson ? `${JSON.stringify(answer)}\n` : text
}

async function carryOut(
  order: KeysOrder,
  target: NodeTarget
): Promise<{ readonly answer: unknown; readonly text: string }> {
  switch (order.do) {
    case 'add': {
      const { name, scopes } = order
      const answer = await callNode(target, 'POST /api/keys', { body: { name, scopes } })
      const { key, id } = answer
      const note = `This is shown once; keep it. To revoke it: ${callOf('keys', `revoke ${id}`)}`
      return { answer, text: `${key}\n\n${note}\n` }
    }
    case 'list': {
      const answer = await callNode(target, 'GET /api/keys')
      const lines = answer.keys.map((key) => `${lineOf(key)}\n`).join('')
      return { answer, text: lines || 'There are no keys.\n' }
    }
    case 'revoke': {
      const path = { id: order.id }
      const answer = await callNode(target, 'DELETE /api/keys/{id}', { path })
      return { answer, text: `${answer.message}\n` }
    }
    default:
      return order satisfies never
  }
}

function lineOf({ id, name, scopes, created_at }: KeyLine): string {
  return `${id}  ${name.padEnd(20)} ${scopes.join(',').padEnd(16)} ${created_at}`
}
