// tumesh audit: who did what on a node.

import type { AnswerOf } from '../client/plan-request.ts'
import { callNode } from './node-client.ts'
import type { Order } from './order.ts'
import { columns, type Terminal } from './terminal.ts'

type AuditLine = AnswerOf<'GET /api/audit'>['lines'][number]

/** The newest last, as a log is read. */
export async function runAudit(
  { target, options: { limit = '100', action }, isJson }: Order,
  { out }: Terminal
): Promise<undefined> {
  const query = { limit: Number(limit), ...(typeof action === 'string' && { action }) }
  const answer = await callNode(target, 'GET /api/audit', { query })
  const lines = answer.lines.toReversed()
  if (isJson) out(lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
  else out(lines.length === 0 ? 'Nothing was written down.\n' : columns(lines.map(rowOf)))
}

function rowOf({ at, action, by, from, status, about = {} }: AuditLine): string[] {
  const what = Object.entries(about).map(([name, value]) => `${name}=${textOf(value)}`)
  const failed = status !== undefined && status >= 400 ? [`refused: ${status}`] : []
  return [at, action, from === undefined ? by : `${by} at ${from}`, [...failed, ...what].join(' ')]
}

function textOf(value: unknown): string {
  return Array.isArray(value) ? value.join(',') : String(value)
}
