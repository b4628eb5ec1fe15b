// tumesh limits: how much may pass between this node and others.

import { formatSize, parseSize } from '../base/units.ts'
import { LIMIT_MIN, TRAFFIC_LIMITS, type TrafficLimit } from '../blob-sync/traffic.ts'
import { callNode } from './node-client.ts'
import type { Order } from './order.ts'
import { type Terminal, UsageError } from './terminal.ts'

export async function runLimits(
  { words, target, isJson }: Order,
  { out }: Terminal
): Promise<number> {
  const wishes = words.map(readWish)
  const fault = wishes.find((wish) => typeof wish === 'string')
  if (typeof fault === 'string') throw new UsageError(fault)
  const body = Object.fromEntries(wishes as [TrafficLimit, string | null][])
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

/** `receive_catch_up=5MB`, or `=off`; a sentence where it is none. */
function readWish(word: string): [TrafficLimit, string | null] | string {
  const [, name = '', size = ''] = /^([^=]+)=(.+)$/.exec(word) ?? []
  if (size === '') return 'Say NAME=SIZE, such as receive_catch_up=5MB, or NAME=off.'
  const limit = TRAFFIC_LIMITS.find((one) => one === name.replaceAll('-', '_'))
  if (limit === undefined)
    return `There is no limit ${name}: there are ${TRAFFIC_LIMITS.join(', ')}.`
  if (size === 'off') return [limit, null]
  const bytes = parseSize(size)
  if (bytes !== undefined && bytes >= LIMIT_MIN) return [limit, size]
  return `${size} is no limit: say bytes a second, such as 5MB, ${LIMIT_MIN} at least, or off.`
}
