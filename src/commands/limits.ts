// tumesh limits: how much may pass between this node and others.

import { formatSize } from '../base/units.ts'
import type { Order } from './catalog.ts'
import { callNode } from './node-client.ts'
import type { Terminal } from './terminal.ts'

export async function runLimits(
  { words, target, isJson }: Order,
  { out, err }: Terminal
): Promise<number> {
  const pairs = words.map((word) => /^([a-z_-]+)=(.+)$/.exec(word))
  if (pairs.includes(null)) {
    err('Say NAME=SIZE, such as receive_catch_up=5MB, or NAME=off.\n')
    return 2
  }
  const body = Object.fromEntries(
    pairs.map((pair) => [pair?.[1]?.replaceAll('-', '_'), pair?.[2] === 'off' ? null : pair?.[2]])
  )
  const { limits, ...answer } =
    words.length === 0
      ? await callNode(target, 'GET /api/limits')
      : await callNode(target, 'PUT /api/limits', { body })
  if (isJson) {
    out(`${JSON.stringify({ ...answer, limits })}\n`)
    return 0
  }
  for (const [name, value] of Object.entries(limits)) {
    out(`${name.padEnd(20)} ${value === null ? 'no limit' : `${formatSize(value)}/s`}\n`)
  }
  if (words.length > 0) out('Until this node ends; the configuration keeps what it says.\n')
  return 0
}
