// tumesh secret: which servers have the secret of the mesh, and a new one in its place.

import { parseDuration } from '../base/units.ts'
import { callNode } from './node-client.ts'
import type { Order } from './order.ts'
import { type Terminal, UsageError } from './terminal.ts'

export async function runSecret(
  { words: [what], options, target, isJson }: Order,
  { out }: Terminal
): Promise<number> {
  const { window } = options
  if ((what !== undefined && what !== 'rotate') || (what === undefined && window !== undefined)) {
    throw new UsageError('Say nothing, or rotate with --window 24h.')
  }
  const ms = typeof window === 'string' ? parseDuration(window) : undefined
  if (typeof window === 'string' && ms === undefined) {
    throw new UsageError(
      `--window ${window} is no time: say 24h, or 0s to let nobody in by the secret of before.`
    )
  }
  const answer =
    what === undefined
      ? await callNode(target, 'GET /api/secret')
      : await callNode(target, 'POST /api/secret', {
          body: ms === undefined ? {} : { window: Math.ceil(ms / 1000) }
        })
  const made = what === undefined ? '' : 'The mesh has a new secret. '
  out(isJson ? `${JSON.stringify(answer)}\n` : `${made}${answer.message}\n`)
  return 0
}
