// An invite: one line by which a node anywhere enters a mesh. It holds the secret of the mesh, or a
// ticket: a key with which the node that made it gives the secret out, for as long as it likes.
//
//   tumesh-invite:<base58 of checksum, version, secret or key, and the rest as packed lines>
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
  /** 32 bytes: the secret of the mesh, or the key of the ticket. */
  readonly secret: Uint8Array
  /** Undefined: the line holds the secret itself, and is good for ever. */
  readonly ticket?: Ticket | undefined
  /** Multiaddrs of members, each with the peer id at its end; at least one. */
  readonly addresses: readonly string[]
}

/** How the secret is got with a key (protocols/README.md). */
export interface Ticket {
  /** Of the lanes of the node that gives it. */
  readonly port: number
  /** By the clock of that node, which alone decides; whole seconds. */
  readonly expiresMs: number
}

export const INVITE_PREFIX = 'tumesh-invite:'
export const INVITE_ADDRESSES_MAX = 16
const ADDRESS_CHARACTERS_MAX = 256
/** The longest possible invite has about 5,900; a usual one 250. */
export const INVITE_CHARACTERS_MAX = 6144

const WITH_SECRET = 1
const WITH_TICKET = 2
/** Of a SHA-256. A slip goes unnoticed once in 2^64. */
const CHECKSUM_BYTES = 8
const TICKET = /^([1-9]\d{0,4}) ([1-9]\d{0,10})$/
const LINES_BYTES_MAX = 128 + INVITE_ADDRESSES_MAX * (ADDRESS_CHARACTERS_MAX + 1)

const ADDRESS = /^\/[a-z0-9]+\/[!-~]+\/p2p\/[A-Za-z0-9]+$/

/** Whether a text means to be an invite; decoding tells whether it is one. */
export function isInvite(text: string): boolean {
  return text.trimStart().startsWith(INVITE_PREFIX)
}

/** Throws WireError BAD_INVITE for what no invite can hold. */
export function encodeInvite(invite: Invite): string {
  const { cluster, secret, addresses, ticket } = invite
  check(invite)
  const about = ticket === undefined ? [] : [ticketLine(ticket)]
  const lines = deflateRawSync([cluster, ...about, ...addresses].join('\n'))
  const version = ticket === undefined ? WITH_SECRET : WITH_TICKET
  const content = Buffer.concat([Buffer.of(version), secret, lines])
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
  const [version] = content
  if (version !== WITH_SECRET && version !== WITH_TICKET) {
    throw bad('it is of another version of Tumesh')
  }
  const secret = content.subarray(1, 1 + SECRET_BYTES)
  const [cluster = '', ...lines] = unpack(content.subarray(1 + SECRET_BYTES)).split('\n')
  const ticket = version === WITH_TICKET ? { ticket: readTicket(lines.shift()) } : {}
  const invite = { cluster, secret, addresses: lines, ...ticket }
  check(invite)
  return invite
}

function ticketLine({ port, expiresMs }: Ticket): string {
  const line = `${port} ${Math.floor(expiresMs / 1000)}`
  readTicket(line)
  return line
}

function readTicket(line = ''): Ticket {
  const [, port, seconds] = TICKET.exec(line) ?? []
  if (port === undefined || Number(port) > 65_535) throw bad('its ticket is none')
  return { port: Number(port), expiresMs: Number(seconds) * 1000 }
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
