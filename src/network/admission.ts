// Who may enter the mesh: the name and the secret of a cluster, and what follows from them. A hash
// of both opens the handshake, so that nobody without them can finish it or learn anything by it.

import { hash, scrypt } from 'node:crypto'
import { promisify } from 'node:util'
import { NodeError } from '../base/errors.ts'

/** A way into the mesh: under its name both sides of a handshake know which secret is meant. */
export interface Door {
  /** As it is negotiated. */
  readonly protocol: string
  readonly prologue: Uint8Array
  /** It opens for the secret of before, for a while. */
  readonly isFormer: boolean
}

export interface Admission {
  /** In the order in which this node asks for them. */
  readonly doors: readonly Door[]
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

/** A secret that took the place of another, and the one of before while it still opens. */
export interface Rotation {
  /** Made by a node, so nothing that is derived of it helps to guess it. */
  readonly isRotated?: boolean
  readonly former?: { readonly secret: Uint8Array; readonly isRotated: boolean } | undefined
}

export function createAdmission(
  cluster: string,
  secret: Uint8Array | undefined,
  { isRotated = false, former }: Rotation = {}
): Admission {
  const prologue = digestOf('tumesh', cluster, secret ?? new Uint8Array(0))
  const old = former && digestOf('tumesh', cluster, former.secret)
  const doors = [
    ...(isRotated ? [doorOf(nameOf(prologue), prologue)] : []),
    ...(former?.isRotated && old ? [doorOf(nameOf(old), old, true)] : []),
    // the one that everybody knows: for who has not heard of the new secret
    doorOf(NOISE, old ?? prologue, old !== undefined)
  ]
  return {
    doors,
    prologue,
    // who was away looks for it under the tag that it knows
    serviceTag: `_tumesh-${tagOf(old ?? prologue)}._udp.local`,
    onLinkOnly: secret === undefined
  }
}

/** Whether a connection that was encrypted under this name came by the secret of before. */
export function isFormerDoor(
  { doors }: Pick<Admission, 'doors'>,
  name: string | undefined
): boolean {
  return doors.find(({ protocol }) => protocol === name)?.isFormer ?? false
}

/** The one that a dial from `from` meets at `to`: undefined if it opens nothing. */
export function planDoor(from: readonly Door[], to: readonly Door[]): string | undefined {
  const mine = from.find(({ protocol }) => to.some((door) => door.protocol === protocol))
  const theirs = to.find(({ protocol }) => protocol === mine?.protocol)
  if (mine === undefined || theirs === undefined) return undefined
  return Buffer.compare(mine.prologue, theirs.prologue) === 0 ? mine.protocol : undefined
}

const NOISE = '/noise'

function doorOf(protocol: string, prologue: Uint8Array, isFormer = false): Door {
  return { protocol, prologue, isFormer }
}

/** Of a secret that is 32 random bytes: of a passphrase it would help to guess it. */
function nameOf(prologue: Uint8Array): string {
  return `${NOISE}/tumesh-${tagOf(prologue)}`
}

function tagOf(prologue: Uint8Array): string {
  const tag = Buffer.from(digestOf('tumesh service', prologue)).toString('hex')
  return tag.slice(0, TAG_DIGITS)
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
