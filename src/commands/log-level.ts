// tumesh log-level: shows and sets how much a node logs, as a whole and part by part.

import { LOG_LEVELS } from '../base/log.ts'
import { LOG_PART_TEXTS, LOG_PARTS } from '../base/log-levels.ts'
import type { AnswerOf, Asked } from '../client/plan-request.ts'
import { callNode } from './node-client.ts'
import type { Order } from './order.ts'
import { columns, type Terminal, UsageError } from './terminal.ts'

type Levels = AnswerOf<'POST /api/settings'>
type Levelling = Asked<'POST /api/settings'>['body']

/** The word that takes back what was set. */
const CONFIGURED = 'configured'

export async function runLogLevel(
  { words, target, isJson }: Order,
  { out }: Terminal
): Promise<number> {
  const order = orderOf(words)
  if (order === undefined) {
    const levels = [...LOG_LEVELS, CONFIGURED].join(', ')
    throw new UsageError(
      `Say a level (${levels}), for one part: its name before.\nParts: ${LOG_PARTS.join(', ')}.`
    )
  }
  const answer = await callNode(target, 'POST /api/settings', { body: order })
  if (isJson) out(`${JSON.stringify(answer)}\n`)
  else out(`${table(answer)}${words.length > 0 ? `${answer.message}\n` : ''}`)
  return 0
}

/** Undefined if the words are none. An order that changes nothing tells how it is. */
function orderOf(words: readonly string[]): Levelling | undefined {
  if (words.length === 0) return {}
  const [name = '', word = name] = words
  const level = levelOf(word)
  if (level === undefined) return undefined
  if (words.length === 1) return { log_level: level }
  return LOG_PARTS.some((part) => part === name) ? { log_levels: { [name]: level } } : undefined
}

function levelOf(word: string): Levelling['log_level'] {
  if (word === CONFIGURED) return null
  return LOG_LEVELS.find((level) => level === word)
}

function table({ log_level, log_levels }: Levels): string {
  const row = (part: keyof typeof LOG_PART_TEXTS) => [
    ...[part, log_levels[part] ?? `${log_level} (as the rest)`, LOG_PART_TEXTS[part]]
  ]
  return columns([['', log_level, 'What is logged'], ...LOG_PARTS.map(row)])
}
