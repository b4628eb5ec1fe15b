// tumesh keys: makes, lists and revokes the keys of a running node.

import { callNode, type NodeTarget } from './node-client.ts'

export type KeysOrder =
  | { readonly do: 'add'; readonly name: string; readonly scopes: readonly string[] }
  | { readonly do: 'list' }
  | { readonly do: 'revoke'; readonly id: string }

interface KeyLine {
  readonly id: string
  readonly name: string
  readonly scopes: readonly string[]
  readonly created_at: string
}

/** Carries the order out; the text to print. */
export async function runKeys(order: KeysOrder, target: NodeTarget): Promise<string> {
  switch (order.do) {
    case 'add': {
      const { name, scopes } = order
      const made = await callNode(target, 'POST', '/api/keys', { name, scopes })
      return `${made.key}\n\nThis is shown once; keep it. To revoke it: keys revoke ${made.id}\n`
    }
    case 'list': {
      const { keys } = (await callNode(target, 'GET', '/api/keys')) as { keys?: KeyLine[] }
      if (keys === undefined || keys.length === 0) return 'There are no keys.\n'
      return keys.map((key) => `${lineOf(key)}\n`).join('')
    }
    case 'revoke': {
      const path = `/api/keys/${encodeURIComponent(order.id)}`
      return `${(await callNode(target, 'DELETE', path)).message}\n`
    }
    default:
      return order satisfies never
  }
}

function lineOf({ id, name, scopes, created_at }: KeyLine): string {
  return `${id}  ${name.padEnd(20)} ${scopes.join(',').padEnd(16)} ${created_at}`
}
