// tumesh sign: an address that opens an image, or all below a prefix, for a while.

import { parseDuration } from '../base/units.ts'
import { callNode } from './node-client.ts'
import type { Order } from './order.ts'
import { type Terminal, UsageError } from './terminal.ts'

export async function runSign(
  { words: [word], options, target, isJson }: Order,
  { out }: Terminal
): Promise<undefined> {
  if (options.key === true) {
    const { key } = await callNode(target, 'GET /api/signing-key')
    out(`${isJson ? JSON.stringify({ key }) : key}\n`)
    return
  }
  if (word === undefined) throw new UsageError('Name the path of an image.')
  const ms = parseDuration(String(options.expires ?? '1h'))
  if (ms === undefined || ms < 1000) {
    throw new UsageError('--expires takes a time such as 90s, 2h or 7d.')
  }
  const named = options.prefix === true ? { prefix: word } : byName(word)
  const wish = { ...named, expires_in: Math.ceil(ms / 1000) }
  const answer = await callNode(target, 'POST /api/sign', { body: wish })
  const base = String(options.base ?? target.url).replace(/\/$/, '')
  const text = options.prefix === true ? answer.query : `${base}${answer.url}`
  out(`${isJson ? JSON.stringify(answer) : text}\n`)
}

function byName(word: string): { path: string } | { sha256: string } {
  return /^[0-9a-f]{64}$/i.test(word) ? { sha256: word } : { path: word }
}
