// An invite: one line by which a node anywhere enters a mesh. Who has it has the secret.
//
//   tumesh-invite:<base58 of checksum, version, secret, and the rest as packed lines>
//
// Letters and digits alone go unharmed through shells and chats, and a double click selects them
// all.

import { hash } from 'node:crypto'
import { deflateRawSync, inflateRawSync } from 'node:zlib'
import { base58btc } from 'multiformats/bases/base58'
import { CLUSTER_NAME, SECRET_BYTES } from './secret/limits.ts'
import { WireError } from './wire-error.ts'

export interface Invite {
  readonly cluster: string
  /** 32 bytes. */
  readonly secret: Uint8Array
  /** Multiaddrs of members, each with the peer id at its end; at least one. */
  readonly addresses: readonly string[]
}

export const INVITE_PREFIX = 'tumesh-invite:'
export const INVITE_ADDRESSES_MAX = 16
const ADDRESS_CHARACTERS_MAX = 256
/** The longest possible invite has about 5,900; a usual one 250. */
export const INVITE_CHARACTERS_MAX = 6144

const VERSION = 1
/** Of a SHA-256. A slip goes unnoticed once in 2^64. */
const CHECKSUM_BYTES = 8
const LINES_BYTES_MAX = 64 + INVITE_ADDRESSES_MAX * (ADDRESS_CHARACTERS_MAX + 1)

const ADDRESS = /^\/[a-z0-9]+\/[!-~]+\/p2p\/[A-Za-z0-9]+$/

/** Whether a text means to be an invite; decoding tells whether it is one. */
export function isInvite(text: string): boolean {
  return text.trimStart().startsWith(INVITE_PREFIX)
}

/** Throws WireError BAD_INVITE for what no invite can hold. */
export function encodeInvite(invite: Invite): string {
  const { cluster, secret, addresses } = invite
  check(invite)
  const lines = deflateRawSync([cluster, ...addresses].join('\n'))
  const content = Buffer.concat([Buffer.of(VERSION), secret, lines])
  return INVITE_PREFIX + base58btc.baseEncode(Buffer.concat([checksumOf(content), content]))
}

/**
 * Reads an invite, also where a chat has broken it into lines. Throws WireError BAD_INVITE, whose
 * sentence never shows any of it.
 */
export function decodeInvite(text: string): Invite {
  const line = text.length > 2 * INVITE_CHARACTERS_MAX ? '' : text.replace(/\s+/g, '')
  if (!line.startsWith(INVITE_PREFIX) || line.length > INVITE_CHARACTERS_MAX) {
    throw bad(`it begins with ${INVITE_PREFIX} and has ${INVITE_CHARACTERS_MAX} characters at most`)
  }
  const bytes = fromBase58(line.slice(INVITE_PREFIX.length))
  const content = bytes.subarray(CHECKSUM_BYTES)
  if (!checksumOf(content).equals(bytes.subarray(0, CHECKSUM_BYTES))) {
    throw bad('it is cut or mistyped')
  }
  if (content[0] !== VERSION) throw bad('it is of another version of Tumesh')
  const secret = content.subarray(1, 1 + SECRET_BYTES)
  const [cluster = '', ...addresses] = unpack(content.subarray(1 + SECRET_BYTES)).split('\n')
  const invite = { cluster, secret, addresses }
  check(invite)
  return invite
}

function check({ cluster, secret, addresses }: Invite): void {
  if (!CLUSTER_NAME.test(cluster)) throw bad('the name of its cluster is none')
  if (secret.byteLength !== SECRET_BYTES) throw bad(`its secret has not ${SECRET_BYTES} bytes`)
  if (addresses.length < 1 || addresses.length > INVITE_ADDRESSES_MAX) {
    throw bad(`it names ${addresses.length} addresses, not 1 to ${INVITE_ADDRESSES_MAX}`)
  }
  const usable = (one: string) => one.length <= ADDRESS_CHARACTERS_MAX && ADDRESS.test(one)
  if (!addresses.every(usable)) throw bad('one of its addresses is none')
}

function checksumOf(content: Uint8Array): Buffer {
  const bytes = Buffer.concat([Buffer.from(INVITE_PREFIX), content])
  return Buffer.from(hash('sha256', bytes, 'buffer').subarray(0, CHECKSUM_BYTES))
}

function fromBase58(text: string): Buffer {
  try {
    return Buffer.from(base58btc.baseDecode(text))
  } catch {
    throw bad('it is cut or mistyped')
  }
}

function unpack(bytes: Uint8Array): string {
  try {
    return inflateRawSync(bytes, { maxOutputLength: LINES_BYTES_MAX }).toString()
  } catch {
    throw bad('what it holds can not be read')
  }
}

function bad(what: string): WireError {
  return new WireError('BAD_INVITE', `this is no whole invite: ${what}`)
}
