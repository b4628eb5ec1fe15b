// tumesh keys: makes, lists and revokes the keys of a running node.

import type { AnswerOf, Asked } from '../client/plan-request.ts'
import { callNode, type NodeTarget } from './node-client.ts'

type Scopes = Asked<'POST /api/keys'>['body']['scopes']

export type KeysOrder =
  | { readonly do: 'add'; readonly name: string; readonly scopes: Scopes }
  | { readonly do: 'list' }
  | { readonly do: 'revoke'; readonly id: string }

type KeyLine = AnswerOf<'GET /api/keys'>['keys'][number]

/** Carries the order out; the text to print. */
export async function runKeys(order: KeysOrder, target: NodeTarget): Promise<string> {
  switch (order.do) {
    case 'add': {
      const { name, scopes } = order
      const made = await callNode(target, 'POST /api/keys', { body: { name, scopes } })
      return `${made.key}\n\nThis is shown once; keep it. To revoke it: keys revoke ${made.id}\n`
    }
    case 'list': {
      const { keys } = await callNode(target, 'GET /api/keys')
      if (keys.length === 0) return 'There are no keys.\n'
      return keys.map((key) => `${lineOf(key)}\n`).join('')
    }
    case 'revoke': {
      const path = { id: order.id }
      return `${(await callNode(target, 'DELETE /api/keys/{id}', { path })).message}\n`
    }
    default:
      return order satisfies never
  }
}

function lineOf({ id, name, scopes, created_at }: KeyLine): string {
  return `${id}  ${name.padEnd(20)} ${scopes.join(',').padEnd(16)} ${created_at}`
}
