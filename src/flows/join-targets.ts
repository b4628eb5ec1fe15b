// What `join` takes, and the list of what a node is to join at its next start.

import { decodeInvite, INVITE_PREFIX, isInvite } from '../../protocols/invite.ts'
import { WireError } from '../../protocols/wire-error.ts'
import { saidAs } from '../base/cause.ts'
import { NodeError } from '../base/errors.ts'
import { callOf } from '../base/how-called.ts'
import { removeQuietly } from '../store/regular-file.ts'
import { readSmallFile, writeFileAtomic } from '../store/small-file.ts'

export type TargetKind = 'multiaddr' | 'url' | 'invite'

export const JOIN_FILE = 'join.json'
export const JOINS_MAX = 64
/** An invite bounds itself. */
const ADDRESS_CHARACTERS_MAX = 1024
const FILE_BYTES_MAX = 512 * 1024

/** Errors: BAD_INVITE for an invite that is cut or mistyped, BAD_REQUEST for anything else. */
export function targetKind(text: string): TargetKind {
  if (isInvite(text)) {
    requireInvite(text)
    return 'invite'
  }
  if (text.length <= ADDRESS_CHARACTERS_MAX) {
    if (/^\/[a-z0-9]+\/\S+\/tcp\/\d+(\/\S*)?$/.test(text)) return 'multiaddr'
    if (/^https?:\/\//i.test(text) && URL.canParse(text)) return 'url'
  }
  if (mayBeInvite(text)) {
    throw new NodeError(
      'BAD_INVITE',
      `This is no whole invite: it begins with ${INVITE_PREFIX}, and nothing stands before it. Copy the line again without quotes or words around it.`,
      saidAs('invite_broken')
    )
  }
  throw new NodeError(
    'BAD_REQUEST',
    `${JSON.stringify(text.slice(0, 80))} is no address of a node. Give http://HOST:8000, an address such as /ip4/192.168.1.5/tcp/4001/p2p/12D3KooW…, or the line that \`${callOf('invite')}\` prints.`,
    saidAs('address_strange', { text: text.slice(0, 80) })
  )
}

/** The targets that wait for the next start; none if the file is missing or can't be used. */
export function readJoinList(file: string): string[] {
  try {
    const text = readSmallFile(file, FILE_BYTES_MAX)?.toString()
    const { targets } = JSON.parse(text ?? '{}')
    if (!Array.isArray(targets)) return []
    return targets.filter((one) => typeof one === 'string').slice(0, JOINS_MAX)
  } catch {
    return []
  }
}

/**
 * The targets in the place of those that waited; none takes the file away. It may hold invites, so
 * only its owner may read it. Errors: BAD_REQUEST if there are too many; DISK_FULL, DISK_FAULT.
 */
export async function writeJoinList(file: string, targets: readonly string[]): Promise<void> {
  const once = [...new Set(targets)]
  if (once.length === 0) return removeQuietly(file)
  if (once.length > JOINS_MAX) {
    throw new NodeError(
      'BAD_REQUEST',
      `${once.length} servers would wait to be joined, and ${JOINS_MAX} can. One is enough: the node learns the others from it.`,
      saidAs('joins_many', { max: JOINS_MAX })
    )
  }
  await writeFileAtomic(file, `${JSON.stringify({ targets: once }, null, 2)}\n`, { mode: 0o600 })
}

/**
 * Whether a text may hold the secret of a mesh, as an invite with a quote before it: then it is
 * never shown.
 */
export function mayBeInvite(text: string): boolean {
  return !/^(\/|https?:)/i.test(text) && /invite:|[1-9A-HJ-NP-Za-km-z]{60}/i.test(text)
}

function requireInvite(text: string): void {
  try {
    decodeInvite(text)
  } catch (cause) {
    if (!(cause instanceof WireError)) throw cause
    throw new NodeError(
      'BAD_INVITE',
      `T${cause.message.slice(1)}. Copy the whole line again, or make a new one with \`${callOf('invite')}\`.`,
      saidAs('invite_broken'),
      { cause }
    )
  }
}
