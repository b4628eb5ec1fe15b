// The tables of the index in level, their keys and value encodings. The only place that knows the
// layout on disk.
//
//   entry    kind/path                      -> the author's bytes
//   version  version, hash of kind/path     -> the author's bytes  what changed when; ranges of it
// are what the tree sums. Up to format 3 a row had the key of the entry: see version-encoding.ts
//   tree     level, prefix                  -> counts and sums
//   id       hash of path, path             -> ''                  live images
//   hash     hash, path                     -> ''                  live images, but for the one
// that the row of the blob names
//   late     generation, first row         -> places of images    look-ups by id and MD5 that are
// made later: see late-look-ups.ts
//   source   hash of source URL, path       -> ''                  live images
//   md5      md5, hash                      -> ''                  blobs with a row
//   blob     hash                           -> BlobRow
//   want     version, hash                  -> ''
//   past     kind/path NUL version, id      -> local ms, author's bytes
//   age      local ms, key of past          -> ''
//   review   path                           -> ReviewRow
//   view     path                           -> ViewRow
//   intent   step/subject                   -> IntentRow
//   meta     name                           -> JSON

import { hash as digest } from 'node:crypto'
import type { AbstractLevel, AbstractSublevel } from 'abstract-level'
import type { Entry } from '../../protocols/entry.ts'
import type { ContentHash, Md5 } from '../../protocols/hash.ts'
import { type Version, versionKey } from '../../protocols/version.ts'
import { BLOB_ENCODING } from './blob-encoding.ts'
import { NODE_ENCODING } from './time-tree.ts'
import { VERSION_ENCODING } from './version-encoding.ts'

type Format = string | Buffer | Uint8Array
export type Database = AbstractLevel<Format, string, Uint8Array>
export type Table<V> = AbstractSublevel<Database, Format, string, V>

const ENCODINGS = {
  entry: 'view',
  version: VERSION_ENCODING,
  tree: NODE_ENCODING,
  id: 'utf8',
  late: 'view',
  hash: 'utf8',
  source: 'utf8',
  md5: 'utf8',
  blob: BLOB_ENCODING,
  want: 'utf8', // up to format 2 with a value, which nobody needs
  past: 'view',
  age: 'utf8',
  review: 'json',
  view: 'json',
  intent: 'json',
  meta: 'json'
} as const

export type TableName = keyof typeof ENCODINGS
export type Tables = Readonly<Record<TableName, Table<unknown>>>

/** The tables of a database that is open. */
export async function openTables(db: Database): Promise<Tables> {
  const tables: Partial<Record<TableName, Table<unknown>>> = {}
  for (const name of Object.keys(ENCODINGS) as TableName[]) {
    tables[name] = db.sublevel<string, unknown>(name, { valueEncoding: ENCODINGS[name] })
  }
  // before that, reads would throw
  await Promise.all(Object.values(tables).map((table) => table.open()))
  return tables as Tables
}

/** After every key that starts with `prefix`, which is not empty: its last character counted up. */
export function endOf(prefix: string): string {
  const characters = [...prefix.replace(/\u{10FFFF}+$/u, '')]
  const last = characters.pop()?.codePointAt(0) ?? 0
  const next = last === 0xd7ff ? 0xe000 : last + 1 // surrogates are no characters
  return characters.join('') + String.fromCodePoint(next)
}

export function entryKey(kind: number, path: string): string {
  return `${kind}/${path}`
}

/** The first 64 bits of SHA-256, 16 hex digits. */
function shortHash(text: string): string {
  return digest('sha256', text).slice(0, 16)
}

/** Where an entry lies in the order of versions; `pathHash` as the wire has it, 32 hex digits. */
export function versionRowKey(version: Version, pathHash: string): string {
  return versionKey(version) + pathHash
}

export const keys = {
  version: (version: Version, entry: string) =>
    versionRowKey(version, digest('sha256', entry).slice(0, 32)),
  id: (path: string) => shortHash(path) + path,
  hash: (hash: ContentHash, path: string) => hash + path,
  source: (url: string, path: string) => sourcePrefix(url) + path,
  md5: (md5: Md5, hash: ContentHash) => md5 + hash,
  /** `version` as a key has it. */
  want: (version: string, hash: ContentHash) => version + hash,
  // two writers may give one path the same version
  past: (entry: string, { version, id }: Pick<Entry, 'version' | 'id'>) =>
    `${entry}\0${versionKey(version)}${Buffer.from(id.subarray(0, ID_BYTES)).toString('hex')}`,
  age: (sinceMs: number, past: string) => msKey(sinceMs) + past
}

/** Of the hash of an entry, that are enough to tell entries of one version apart. */
const ID_BYTES = 8

export const VERSION_LENGTH = 16
export const ID_HASH_LENGTH = 16
export const HASH_LENGTH = 64
export const MD5_LENGTH = 32
export const SOURCE_LENGTH = 32
export const MS_LENGTH = 12

export function sourcePrefix(url: string): string {
  return digest('sha256', url).slice(0, SOURCE_LENGTH)
}

/** 12 hex digits that sort like the milliseconds. */
export function msKey(ms: number): string {
  return Math.max(0, Math.trunc(ms)).toString(16).padStart(MS_LENGTH, '0')
}

/**
 * The first 53 bits of SHA-256 of the path: the numeric id of gallery pages, the same on every
 * node.
 */
export function imageIdOf(path: string): number {
  return Number(BigInt(`0x${shortHash(path)}`) >> 11n)
}

/** The keys of table `id` that share a numeric id: from (inclusive), to (exclusive). */
export function idRange(id: number): { gte: string; lt: string } {
  const first = BigInt(id) << 11n
  const after = first + 2048n
  return {
    gte: first.toString(16).padStart(ID_HASH_LENGTH, '0'),
    lt: after >> 64n > 0n ? 'g' : after.toString(16).padStart(ID_HASH_LENGTH, '0')
  }
}
