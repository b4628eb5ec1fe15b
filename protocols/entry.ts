// An entry of the index: the author's bytes, and a view on them.
//
// The bytes are what is stored, hashed and relayed. Everything else here is read from them, so an
// entry written by a newer program keeps the fields that this one does not know.

import { hash as digest } from 'node:crypto'
import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import { EntrySchema } from './entries/messages_pb.ts'
import {
  type ContentHash,
  HASH_BYTES,
  hashBytes,
  hashFromBytes,
  MD5_BYTES,
  type Md5,
  md5FromBytes
} from './hash.ts'
import { type ImagePath, PATH_BYTES_MAX, pathFault } from './path.ts'
import { type EntryMessage, readEntryFields } from './read-entry-fields.ts'
import type { Version } from './version.ts'
import { WireError } from './wire-error.ts'

/** Kinds known to this program. Others are stored and passed on unread. */
export const KIND_IMAGE = 1
export const KIND_RECORD = 2

export const ENTRY_BYTES_MAX = 8 * 1024
export const RECORD_VALUE_BYTES_MAX = 4 * 1024
export const SOURCE_URL_BYTES_MAX = 2 * 1024
const MEDIA_TYPE_BYTES_MAX = 128
const WRITER_BYTES_MAX = 128

/** What an author says about a path. */
export interface EntryFields {
  readonly kind: number
  readonly path: string
  readonly deleted: boolean
  readonly version: Version
  /** Peer id of the author. */
  readonly writer: string
  /** The version of this path that the author saw and replaced. */
  readonly replaces?: Version | undefined
  /** Present in live images only, as are md5, bytes and mediaType. */
  readonly hash?: ContentHash | undefined
  readonly md5?: Md5 | undefined
  readonly bytes: number
  readonly mediaType: string
  readonly width?: number | undefined
  readonly height?: number | undefined
  readonly sourceUrl?: string | undefined
  readonly createdMs: number
  /** Records only. */
  readonly value?: Uint8Array | undefined
}

/** An entry with the author's bytes and their SHA-256. */
export interface Entry extends EntryFields {
  readonly raw: Uint8Array
  /** SHA-256 of `raw`: the identity of this entry, and what the time tree adds up. */
  readonly id: Uint8Array
}

/** A live image: path, hash and MD5 are there. */
export interface ImageEntry extends Entry {
  readonly path: ImagePath
  readonly deleted: false
  readonly hash: ContentHash
  readonly md5: Md5
}

export function isImage(entry: Entry | undefined): entry is ImageEntry {
  return entry !== undefined && entry.kind === KIND_IMAGE && !entry.deleted
}

/**
 * An entry that deletes an image. Only these are ever collected; deleted records, and whatever a
 * newer program deletes, are kept like all else.
 */
export function isTombstone({ kind, deleted }: Pick<EntryFields, 'kind' | 'deleted'>): boolean {
  return kind === KIND_IMAGE && deleted
}

/** Writes an entry as its author. Throws WireError if it is not well formed. */
export function encodeEntry(fields: EntryFields): Entry {
  const message = create(EntrySchema, {
    kind: fields.kind,
    path: fields.path,
    deleted: fields.deleted,
    version: fields.version,
    writer: fields.writer,
    bytes: BigInt(fields.bytes),
    mediaType: fields.mediaType,
    createdMs: BigInt(fields.createdMs),
    ...(fields.hash !== undefined && { hash: hashBytes(fields.hash) }),
    ...(fields.md5 !== undefined && { md5: hashBytes(fields.md5) }),
    ...(fields.replaces !== undefined && { replaces: fields.replaces }),
    ...(fields.width !== undefined && { width: fields.width }),
    ...(fields.height !== undefined && { height: fields.height }),
    ...(fields.sourceUrl !== undefined && { sourceUrl: fields.sourceUrl }),
    ...(fields.value !== undefined && { value: fields.value })
  })
  return decodeEntry(toBinary(EntrySchema, message))
}

/**
 * Reads an entry from disk or wire. Throws WireError TOO_LARGE or BAD_ENTRY; nothing else, whatever
 * the bytes.
 */
export function decodeEntry(raw: Uint8Array): Entry {
  if (raw.byteLength > ENTRY_BYTES_MAX) {
    throw new WireError(
      'TOO_LARGE',
      `an entry has at most ${ENTRY_BYTES_MAX} bytes, not ${raw.byteLength}`
    )
  }
  const message = readEntryFields(raw) ?? readAnyFields(raw)
  const fault = messageFault(message)
  if (fault !== undefined) throw new WireError('BAD_ENTRY', `entry ${fault}`)
  return viewOf(message, raw)
}

function readAnyFields(raw: Uint8Array): EntryMessage {
  try {
    return fromBinary(EntrySchema, raw)
  } catch (cause) {
    throw new WireError('BAD_ENTRY', 'the bytes are not a version 1 entry', { cause })
  }
}

function messageFault(m: EntryMessage): string | undefined {
  if (m.kind === 0) return 'without a kind'
  if (m.version === 0n) return 'without a version'
  if (m.writer === '' || isLonger(m.writer, WRITER_BYTES_MAX)) return 'without a proper writer'
  if (m.path === '' || isLonger(m.path, PATH_BYTES_MAX)) return 'without a proper path'
  if (m.bytes > BigInt(Number.MAX_SAFE_INTEGER)) return 'with an impossible length'
  if (m.createdMs > BigInt(Number.MAX_SAFE_INTEGER)) return 'with an impossible time'
  if (isLonger(m.sourceUrl, SOURCE_URL_BYTES_MAX)) return 'with a source URL that is too long'
  if (isLonger(m.mediaType, MEDIA_TYPE_BYTES_MAX)) return 'with a media type that is too long'
  if (m.value.byteLength > RECORD_VALUE_BYTES_MAX) return 'with a value that is too long'
  return m.kind === KIND_IMAGE ? imageFault(m) : undefined
}

/** Whether a text has more bytes than that. A character has three at most. */
function isLonger(text: string, bytesMax: number): boolean {
  return 3 * text.length > bytesMax && Buffer.byteLength(text) > bytesMax
}

function imageFault(m: EntryMessage): string | undefined {
  const fault = pathFault(m.path)
  if (fault !== undefined) return `whose path ${fault}`
  if (m.deleted) return m.hash.byteLength === 0 ? undefined : 'that is deleted and has a hash'
  if (m.hash.byteLength !== HASH_BYTES) return 'whose hash is not a SHA-256'
  if (m.md5.byteLength !== MD5_BYTES) return 'whose MD5 is not one'
  return undefined
}

function viewOf(m: EntryMessage, raw: Uint8Array): Entry {
  return {
    kind: m.kind,
    path: m.path,
    deleted: m.deleted,
    version: m.version,
    writer: m.writer,
    replaces: m.replaces,
    hash: m.hash.byteLength === HASH_BYTES ? hashFromBytes(m.hash) : undefined,
    md5: m.md5.byteLength === MD5_BYTES ? md5FromBytes(m.md5) : undefined,
    bytes: Number(m.bytes),
    mediaType: m.mediaType,
    width: m.width,
    height: m.height,
    sourceUrl: m.sourceUrl === '' ? undefined : m.sourceUrl,
    createdMs: Number(m.createdMs),
    value: m.value.byteLength === 0 ? undefined : m.value,
    raw,
    // twice as fast as asking for bytes
    id: Buffer.from(digest('sha256', raw), 'hex')
  }
}

/**
 * Whether `challenger` wins over `holder` for their common path: the higher (version, writer, id).
 * A total order, so every node comes to the same entry whatever it hears first.
 */
export function wins(challenger: Entry, holder: Entry): boolean {
  if (challenger.version !== holder.version) return challenger.version > holder.version
  if (challenger.writer !== holder.writer) return challenger.writer > holder.writer
  return Buffer.compare(challenger.id, holder.id) > 0
}
