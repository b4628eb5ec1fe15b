// Keys by which callers show who they are: made once, shown once, kept hashed as records that all
// nodes share.

import { hash, timingSafeEqual } from 'node:crypto'
import { KIND_RECORD } from '../../protocols/entry.ts'
import { saidAs } from '../base/cause.ts'
import { type Random, randomHex } from '../base/clock.ts'
import { NodeError } from '../base/errors.ts'
import type { ImageIndex } from '../index/image-index.ts'
import { readEntry } from '../index/read-entry.ts'
import { entryKey } from '../index/tables.ts'
import { isRevoked, noteRevoked, KEY_PREFIX as PREFIX } from './key-revocations.ts'
import type { FlowParts } from './parts.ts'

export const KEY_SCOPES = ['read', 'write', 'admin'] as const
export type KeyScope = (typeof KEY_SCOPES)[number]

export interface KeyFacts {
  readonly id: string
  readonly name: string
  readonly scopes: readonly KeyScope[]
  readonly createdMs: number
}

interface KeyRecord extends Omit<KeyFacts, 'id'> {
  /** SHA-256 of the key, hex. A key is 256 random bits, so a slow hash would protect nothing. */
  readonly digest: string
  /** Shows that whoever made the key knew the secret of the mesh. */
  readonly seal?: string | undefined
}

/**
 * Seals a text with the secret of the mesh, hex; undefined while there is none, when anybody on the
 * local network may join, and could make a key.
 */
export interface Seal {
  (text: string): string | undefined
  /** The same with the secret of before, while that still holds. */
  former(text: string): string | undefined
}

/** Under it the index of this node alone has the hashes of keys that were made here. */
const OWN_PREFIX = 'key-made-here/'
const OWN_NOTED = 'keys-made-here-noted'
export const KEYS_MAX = 1000
/** Each member may make as many; beyond a few members the first ones are enough to see that. */
const KEYS_LISTED_MAX = 10 * KEYS_MAX
/** The last that a date can hold. */
const TIME_MS_MAX = 8.64e15

/** A new key; its text is told here and never again. Errors: VALIDATION when there are too many. */
export async function createKey(
  { index, random, seal }: { index: ImageIndex; random: Random; seal: Seal },
  name: string,
  scopes: readonly KeyScope[]
): Promise<{ facts: KeyFacts; key: string }> {
  if ((await listKeys(index)).length >= KEYS_MAX) {
    throw new NodeError(
      'VALIDATION',
      `There are ${KEYS_MAX} keys already. Revoke some first.`,
      saidAs('keys_many', { max: KEYS_MAX })
    )
  }
  const id = randomHex(random, 6)
  const key = `tumesh_${id}_${Buffer.from(random.bytes(32)).toString('base64url')}`
  const entry = await index.change((tx) => {
    const record: KeyRecord = { name, scopes, createdMs: tx.nowMs, digest: hash('sha256', key) }
    const text = textOf(id, record)
    tx.setMeta(OWN_PREFIX + id, hash('sha256', text))
    const sealed = { ...record, seal: seal(text) }
    return tx.putRecord(PREFIX + id, Buffer.from(JSON.stringify(sealed)))
  })
  return { facts: { id, name, scopes, createdMs: entry.createdMs }, key }
}

/** All keys, without what could be used as one. */
export async function listKeys(index: ImageIndex): Promise<KeyFacts[]> {
  const keys: KeyFacts[] = []
  for await (const { name: path, value } of index.records(PREFIX)) {
    const id = path.slice(PREFIX.length)
    const record = readRecord(value)
    if (record === undefined || isRevoked(index, id)) continue
    const { name, scopes, createdMs } = record
    keys.push({ id, name, scopes, createdMs })
    if (keys.length >= KEYS_LISTED_MAX) break
  }
  return keys
}

/** For good, on all nodes. False if there is no such key. */
export async function revokeKey(index: ImageIndex, id: string): Promise<boolean> {
  if (index.record(PREFIX + id) === undefined) return false
  await index.change((tx) => {
    tx.setMeta(OWN_PREFIX + id, undefined)
    noteRevoked(tx, id)
    tx.deleteRecord(PREFIX + id)
  })
  return true
}

/** Once: keys of an index that no stranger could reach yet count as made here. */
export async function noteOwnKeys(index: ImageIndex): Promise<void> {
  if (index.meta(OWN_NOTED) === true) return
  const own: [string, string][] = []
  for await (const { name, value } of index.records(PREFIX)) {
    const id = name.slice(PREFIX.length)
    const record = readRecord(value)
    if (record !== undefined) own.push([OWN_PREFIX + id, hash('sha256', textOf(id, record))])
  }
  await index.change((tx) => {
    for (const [name, text] of own) tx.setMeta(name, text)
    tx.setMeta(OWN_NOTED, true)
  })
}

/**
 * Who a key belongs to; undefined if it is none, or was revoked. One that was made elsewhere opens
 * this node only if its maker knew the secret of the mesh.
 */
export function findKey(index: ImageIndex, key: string, seal: Seal): KeyFacts | undefined {
  const [, id] = /^tumesh_([0-9a-f]{12})_[A-Za-z0-9_-]{43}$/.exec(key) ?? []
  const record = id === undefined ? undefined : recordOf(index, id, seal)
  if (id === undefined || record === undefined) return undefined
  const { name, scopes, createdMs, digest } = record
  const same = timingSafeEqual(hash('sha256', key, 'buffer'), Buffer.from(digest, 'hex'))
  return same ? { id, name, scopes, createdMs } : undefined
}

/** What the key with this id may do, whoever has it; undefined if there is none any more. */
export function scopesOf(
  index: ImageIndex,
  id: string,
  seal: Seal
): readonly KeyScope[] | undefined {
  return /^[0-9a-f]{12}$/.test(id) ? recordOf(index, id, seal)?.scopes : undefined
}

/** Undefined for one that its maker could not have made. */
function recordOf(index: ImageIndex, id: string, seal: Seal): KeyRecord | undefined {
  if (isRevoked(index, id)) return undefined
  const value = index.record(PREFIX + id)
  const record = value === undefined ? undefined : readRecord(value)
  if (record === undefined) return undefined
  const text = textOf(id, record)
  const isOwn = index.meta(OWN_PREFIX + id) === hash('sha256', text)
  return isOwn || isSealed(record, text, seal) ? record : undefined
}

/** The records of keys that are sealed with the secret of the mesh, or with the one of before. */
export async function sealedKeys(index: ImageIndex, seal: Seal): Promise<readonly SealedKey[]> {
  const sealed: SealedKey[] = []
  for await (const { name, value } of index.records(PREFIX)) {
    if (isRevoked(index, name.slice(PREFIX.length))) continue
    if (isSealedKey(name, value, seal)) sealed.push({ name, value })
    if (sealed.length >= KEYS_LISTED_MAX) break
  }
  return sealed
}

export interface SealedKey {
  readonly name: string
  readonly value: Uint8Array
}

/** Seals them with the secret that holds now, unless somebody has changed them; how many. */
export async function resealKeys(
  index: ImageIndex,
  seal: Seal,
  keys: readonly SealedKey[]
): Promise<number> {
  let count = 0
  for (const { name, value } of keys) {
    const record = readRecord(value)
    const now = record && seal(textOf(name.slice(PREFIX.length), record))
    if (record === undefined || now === undefined || isSame(record.seal, now)) continue
    await index.change((tx) => {
      const row = readEntry(tx.ledger.rows.get('entry', entryKey(KIND_RECORD, name)))
      if (row?.value === undefined || Buffer.compare(row.value, value) !== 0) return
      // just after what it replaces: one that was revoked elsewhere since then stays so
      tx.putRecord(name, Buffer.from(JSON.stringify({ ...record, seal: now })), 0)
      count++
    })
  }
  return count
}

/** Keys that come sealed with the secret of before, from who did not have the new one yet. */
export function resealHeard({ index, log }: Pick<FlowParts, 'index' | 'log'>, seal: Seal): void {
  index.onNews((news) => {
    if (seal.former('') === undefined) return
    const keys = news.flatMap(({ entry: { kind, path: name, value } }) =>
      kind === KIND_RECORD && value !== undefined && isSealedKey(name, value, seal)
        ? [{ name, value }]
        : []
    )
    if (keys.length === 0) return
    resealKeys(index, seal, keys).catch((error) =>
      log.error({ err: error }, 'keys could not be sealed with the new secret of the mesh')
    )
  })
}

function isSealedKey(name: string, value: Uint8Array, seal: Seal): boolean {
  const record = name.startsWith(PREFIX) ? readRecord(value) : undefined
  return record !== undefined && isSealed(record, textOf(name.slice(PREFIX.length), record), seal)
}

function isSealed(record: KeyRecord | undefined, text: string, seal: Seal): boolean {
  return isSame(record?.seal, seal(text)) || isSame(record?.seal, seal.former(text))
}

/** What a seal covers: the scopes too. */
function textOf(id: string, { name, scopes, createdMs, digest }: KeyRecord): string {
  return JSON.stringify(['tumesh key', id, name, scopes, createdMs, digest])
}

function isSame(one: string | undefined, other: string | undefined): boolean {
  if (one === undefined || other === undefined || one.length !== other.length) return false
  return timingSafeEqual(Buffer.from(one), Buffer.from(other))
}

/** A record that another program wrote wrongly opens nothing. */
function readRecord(value: Uint8Array): KeyRecord | undefined {
  try {
    const { name, scopes, createdMs, digest, seal } = JSON.parse(Buffer.from(value).toString())
    const known = KEY_SCOPES.filter((scope) => Array.isArray(scopes) && scopes.includes(scope))
    // a list of one text would pass for it in a pattern
    if (typeof name !== 'string' || typeof digest !== 'string') return undefined
    if (!/^[0-9a-f]{64}$/.test(digest)) return undefined
    const isTime = typeof createdMs === 'number' && createdMs >= 0 && createdMs <= TIME_MS_MAX
    const sealed = typeof seal === 'string' && /^[0-9a-f]{64}$/.test(seal) ? seal : undefined
    return { name, scopes: known, createdMs: isTime ? createdMs : 0, digest, seal: sealed }
  } catch {
    return undefined
  }
}
