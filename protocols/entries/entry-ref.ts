// The name of an entry in 24 bytes: its version and a hash of whose path it is. In this order the
// wire tells of entries.

import { hash as digest } from 'node:crypto'
import type { Entry } from '../entry.ts'
import { badMessage } from '../message.ts'
import type { Version } from '../version.ts'

export interface EntryRef {
  readonly version: Version
  /** The first 16 bytes of the SHA-256 of "kind/path", 32 hex digits. */
  readonly pathHash: string
}

export const REF_BYTES = 24
const VERSION_BYTES = 8
const PATH_HASH_DIGITS = 32

export function refOf({ kind, path, version }: Pick<Entry, 'kind' | 'path' | 'version'>): EntryRef {
  return { version, pathHash: digest('sha256', `${kind}/${path}`).slice(0, PATH_HASH_DIGITS) }
}

/** Positive if `a` is newer, 0 if both name the same. */
export function compareRefs(a: EntryRef, b: EntryRef): number {
  if (a.version !== b.version) return a.version > b.version ? 1 : -1
  if (a.pathHash === b.pathHash) return 0
  return a.pathHash > b.pathHash ? 1 : -1
}

export function encodeRefs(refs: readonly EntryRef[]): Uint8Array {
  const bytes = Buffer.alloc(refs.length * REF_BYTES)
  for (const [at, { version, pathHash }] of refs.entries()) {
    bytes.writeBigUInt64BE(version, at * REF_BYTES)
    bytes.write(pathHash, at * REF_BYTES + VERSION_BYTES, 'hex')
  }
  return bytes
}

/** Throws WireError BAD_MESSAGE. */
export function decodeRefs(bytes: Uint8Array): EntryRef[] {
  if (bytes.byteLength % REF_BYTES !== 0) throw badMessage(`refs have ${REF_BYTES} bytes each`)
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Array.from({ length: bytes.byteLength / REF_BYTES }, (_, at) => ({
    version: view.readBigUInt64BE(at * REF_BYTES),
    pathHash: view.toString('hex', at * REF_BYTES + VERSION_BYTES, (at + 1) * REF_BYTES)
  }))
}

/** The ref of a cursor, undefined if there is none. Throws WireError BAD_MESSAGE. */
export function decodeCursor(bytes: Uint8Array): EntryRef | undefined {
  const refs = decodeRefs(bytes)
  if (refs.length > 1) throw badMessage('a cursor is one ref')
  return refs[0]
}
