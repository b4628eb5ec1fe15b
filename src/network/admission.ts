// Who may enter the mesh: the name and the secret of a cluster, and what follows from them. A hash
// of both opens the handshake, so that nobody without them can finish it or learn anything by it.

import { hash, scrypt } from 'node:crypto'
import { promisify } from 'node:util'
import { NodeError } from '../base/errors.ts'

export interface Admission {
  /** The first bytes of every handshake, never sent: equal on both sides or it fails. */
  readonly prologue: Uint8Array
  /** Under which the nodes of this cluster call each other on the local network. */
  readonly serviceTag: string
  /** Without a secret only addresses of the local network are met. */
  readonly onLinkOnly: boolean
}

const SECRET_BYTES = 32
/** Shorter ones are guessed too fast, even through scrypt. */
const PASSPHRASE_CHARACTERS_MIN = 12
const SECRET_CHARACTERS_MAX = 1024
/** 64 MiB and about half a second for each guess; every node must use the same numbers. */
const SCRYPT = { N: 2 ** 16, r: 8, p: 1, maxmem: 128 * 2 ** 20 }
/** A name of a service may have 15 characters: "tumesh-" and these. */
const TAG_DIGITS = 8

export function createAdmission(cluster: string, secret: Uint8Array | undefined): Admission {
  const prologue = digestOf('tumesh', cluster, secret ?? new Uint8Array(0))
  const tag = Buffer.from(digestOf('tumesh service', prologue)).toString('hex')
  return {
    prologue,
    serviceTag: `_tumesh-${tag.slice(0, TAG_DIGITS)}._udp.local`,
    onLinkOnly: secret === undefined
  }
}

/**
 * The secret that the text of a secret file holds: 32 bytes in hex or base64 as they are, anything
 * else as a passphrase, made expensive to guess. Space around it does not count. Throws BAD_CONFIG
 * if it is too short or too long.
 */
export async function readSecret(text: string, cluster: string): Promise<Uint8Array> {
  const secret = text.trim().normalize('NFC')
  const key = /^[0-9a-f]{64}$/i.test(secret) ? Buffer.from(secret, 'hex') : readBase64(secret)
  if (key !== undefined) return key
  if (secret.length < PASSPHRASE_CHARACTERS_MIN || secret.length > SECRET_CHARACTERS_MAX) {
    throw new NodeError(
      'BAD_CONFIG',
      `The secret has ${secret.length} characters; a passphrase needs ${PASSPHRASE_CHARACTERS_MIN} to ${SECRET_CHARACTERS_MAX}. Best are 32 random bytes in hex: openssl rand -hex 32`
    )
  }
  return derive(secret, digestOf('tumesh passphrase', cluster), SECRET_BYTES, SCRYPT)
}

const derive = promisify<string, Uint8Array, number, typeof SCRYPT, Buffer>(scrypt)

function readBase64(text: string): Uint8Array | undefined {
  if (!/^[A-Za-z0-9+/_-]{43}=?$/.test(text)) return undefined
  const bytes = Buffer.from(text, 'base64')
  return bytes.length === SECRET_BYTES ? bytes : undefined
}

/** SHA-256 over parts with their lengths, so that no two lists of parts are the same bytes. */
function digestOf(...parts: readonly (string | Uint8Array)[]): Uint8Array {
  const bytes = parts.flatMap((part) => {
    const content = Buffer.from(part)
    const length = Buffer.alloc(4)
    length.writeUInt32BE(content.length)
    return [length, content]
  })
  return hash('sha256', Buffer.concat(bytes), 'buffer')
}
