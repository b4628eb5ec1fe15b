// A hash that is blocked, as the record that says so.

import { type Entry, KIND_RECORD } from '../../protocols/entry.ts'
import { type ContentHash, parseHash } from '../../protocols/hash.ts'
import { plainLine } from '../../protocols/message.ts'

export interface Block {
  readonly hash: ContentHash
  /** Why, for people. */
  readonly reason: string
  /** Name of the node on which it was made. */
  readonly node: string
  readonly createdMs: number
}

export const BLOCK_PREFIX = 'block/'
export const REASON_CHARACTERS_MAX = 500
const NODE_CHARACTERS_MAX = 63
/** The last that a date can hold. */
const TIME_MS_MAX = 8.64e15

/** The hash that an entry blocks, or blocks no more; undefined for any other entry. */
export function blockedBy({ kind, path }: Pick<Entry, 'kind' | 'path'>): ContentHash | undefined {
  if (kind !== KIND_RECORD || !path.startsWith(BLOCK_PREFIX)) return undefined
  const text = path.slice(BLOCK_PREFIX.length)
  return /^[0-9a-f]{64}$/.test(text) ? parseHash(text) : undefined
}

export function blockValue(about: Omit<Block, 'hash'>): Uint8Array {
  return Buffer.from(JSON.stringify(about))
}

/** A record that was written wrongly still blocks. */
export function readBlock(hash: ContentHash, value: Uint8Array): Block {
  const text = (about: unknown, max: number) =>
    typeof about === 'string' ? plainLine(about.slice(0, max)).toWellFormed() : ''
  let said: { reason?: unknown; node?: unknown; createdMs?: unknown } | null = null
  try {
    said = JSON.parse(Buffer.from(value).toString())
  } catch {}
  const reason = text(said?.reason, REASON_CHARACTERS_MAX)
  const ms = said?.createdMs
  const createdMs = typeof ms === 'number' && ms >= 0 && ms <= TIME_MS_MAX ? ms : 0
  return { hash, reason, node: text(said?.node, NODE_CHARACTERS_MAX), createdMs }
}
