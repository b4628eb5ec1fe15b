// Who belongs to the mesh: a record for each member, written by itself and known to all.

import { type Entry, KIND_RECORD } from '../../protocols/entry.ts'
import { plainLine } from '../../protocols/message.ts'
import { versionMs } from '../../protocols/version.ts'
import type { ImageIndex } from '../index/image-index.ts'
import { readEntry } from '../index/read-entry.ts'
import { readRecords } from '../index/read-records.ts'
import { entryKey } from '../index/tables.ts'
import type { Transaction } from '../index/transaction.ts'

export interface Member {
  readonly id: string
  readonly name: string
  /** The id of its index; undefined where another node has written its record. */
  readonly database?: string | undefined
  /** Multiaddrs under which it was last seen to listen, each with its id at the end. */
  readonly addresses: readonly string[]
  /** Whether it was removed and brought back: what it has not heard may be forgotten elsewhere. */
  readonly returned?: boolean
  /** Which removal that was, by its version; nodes of earlier versions do not say so. */
  readonly removedMs?: number
  /** Until when it said that it would be switched off. */
  readonly awayUntilMs?: number | undefined
}

const PREFIX = 'member/'
/** More than any mesh has: whoever is in the mesh can write records, and as many as he likes. */
export const MEMBERS_MAX = 1000
const ID = /^[A-Za-z0-9_-]{1,128}$/
const NAME_CHARACTERS_MAX = 63
const ADDRESSES_MAX = 16
const ADDRESS_CHARACTERS_MAX = 256

/** The name of its record. */
export function memberRecord(id: string): string {
  return PREFIX + id
}

/** Writes the record of a member, if it is not so already: this node's own one. */
export async function announce(index: ImageIndex, member: Member): Promise<void> {
  const { id } = member
  const have = index.record(PREFIX + id)
  if (have !== undefined && recordOf(member, readMember(id, have) ?? {}).equals(have)) return
  await index.change((tx) => tx.putRecord(PREFIX + id, recordOf(member, returnOf(tx, id))))
}

/**
 * Writes the record of one who was removed then and belongs to the mesh again, because a person
 * says so: also where its own one of before, which does not know of that, is there again.
 */
export async function bringBack(
  index: ImageIndex,
  member: Member,
  removedMs: number
): Promise<void> {
  await index.change((tx) => {
    const before = returnOf(tx, member.id).removedMs ?? removedMs
    const back = { returned: true, removedMs: Math.max(before, removedMs) }
    return tx.putRecord(PREFIX + member.id, recordOf(member, back))
  })
}

function recordOf(
  { name, database, addresses, awayUntilMs }: Member,
  { returned, removedMs }: Return
): Buffer {
  const about = {
    name,
    database,
    addresses: addresses.slice(0, ADDRESSES_MAX),
    ...(awayUntilMs !== undefined && { away_until_ms: awayUntilMs }),
    ...(returned && { returned, removed_ms: removedMs })
  }
  return Buffer.from(JSON.stringify(about))
}

type Return = Pick<Member, 'returned' | 'removedMs'>

/** What its record says of that if it is written now. */
function returnOf(tx: Transaction, id: string): Return {
  const { deleted, value, version } = entryOf(tx, id) ?? {}
  if (deleted && version !== undefined) return { returned: true, removedMs: versionMs(version) }
  return (value && readMember(id, value)) ?? {}
}

/**
 * Ids of nodes that were removed from the mesh, and are met no more, with the times of their
 * removals; at most MEMBERS_MAX.
 */
export async function listRemoved(index: ImageIndex): Promise<Map<string, number>> {
  const removed = new Map<string, number>()
  for await (const { name, version } of index.deletedRecords(PREFIX)) {
    removed.set(name.slice(PREFIX.length), versionMs(version))
    if (removed.size === MEMBERS_MAX) break
  }
  return removed
}

/** Stands for the members that could not be read because there are too many. */
const OTHERS = '(more members than are read)'

/**
 * All other members by their ids, with the index that each says it has. Deletions are kept until
 * these have heard of them, so it is complete: one whose record is damaged, or not to be
 * understood, or has not come though it was sent entries, is among them, and where there are too
 * many something stands for the rest.
 */
export async function memberDatabases(tx: Transaction): Promise<Map<string, string | undefined>> {
  const databases = new Map<string, string | undefined>()
  const { records, isAll } = await readRecords(tx.ledger.rows, PREFIX, MEMBERS_MAX)
  for (const { name, value } of records) {
    const id = name.slice(PREFIX.length)
    if (id === tx.writer || !ID.test(id)) continue
    databases.set(id, value && readMember(id, value)?.database)
  }
  for (const id of tx.shared.met) {
    if (!databases.has(id) && id !== tx.writer && !hasRecord(tx, id)) databases.set(id, undefined)
  }
  if (!isAll) databases.set(OTHERS, undefined)
  return databases
}

/** Whether there is a record of a member, or one that says that it was removed. */
export function hasRecord(tx: Transaction, id: string): boolean {
  return tx.ledger.rows.get('entry', entryKey(KIND_RECORD, PREFIX + id)) !== undefined
}

/** Whether a node was a member, and was removed: also if it has been brought back since. */
export function wasRemoved(tx: Transaction, id: string): boolean {
  return returnOf(tx, id).returned === true
}

function entryOf(tx: Transaction, id: string): Entry | undefined {
  return readEntry(tx.ledger.rows.get('entry', entryKey(KIND_RECORD, PREFIX + id)))
}

/** Members that have announced themselves, this node included; at most MEMBERS_MAX. */
export async function listMembers(index: ImageIndex): Promise<Member[]> {
  const members: Member[] = []
  for await (const { name: path, value } of index.records(PREFIX)) {
    const member = readMember(path.slice(PREFIX.length), value)
    if (member !== undefined && members.push(member) === MEMBERS_MAX) break
  }
  return members
}

/**
 * Removes a member: no node of the mesh meets it any more. False if there is none. One whose record
 * never came is only not waited for any more.
 */
export function removeMember(index: ImageIndex, id: string): Promise<boolean> {
  return index.change((tx) => {
    const wasMet = tx.shared.part(id)
    return tx.deleteRecord(PREFIX + id) !== undefined || wasMet
  })
}

/**
 * The same of one who was removed and whose record is there again, written by itself before it
 * heard of that. False of one who was brought back from that by a person, as its record says.
 */
export function removeAgain(index: ImageIndex, id: string, removedMs: number): Promise<boolean> {
  return index.change((tx) => {
    const value = entryOf(tx, id)?.value
    const member = value && readMember(id, value)
    if (member === undefined || isBack(member, removedMs)) return false
    return tx.deleteRecord(PREFIX + id) !== undefined
  })
}

/** Not if it was brought back from an earlier removal only. */
function isBack({ returned, removedMs = Number.POSITIVE_INFINITY }: Return, ms: number): boolean {
  return returned === true && removedMs >= ms
}

/**
 * A record that another program wrote wrongly names nobody. Addresses of another node, or of none,
 * are left out: whoever writes records would have all nodes dial whatever he likes.
 */
export function readMember(id: string, value: Uint8Array): Member | undefined {
  try {
    const about = JSON.parse(Buffer.from(value).toString())
    const { name, database, addresses, returned, removed_ms: removedMs } = about
    const { away_until_ms: awayUntilMs } = about
    if (!ID.test(id) || typeof name !== 'string' || !Array.isArray(addresses)) return undefined
    const usable = addresses.filter(
      (one): one is string =>
        typeof one === 'string' &&
        one.length <= ADDRESS_CHARACTERS_MAX &&
        one.startsWith('/') &&
        one.endsWith(`/p2p/${id}`) &&
        plainLine(one) === one
    )
    const shown = plainLine(name.slice(0, NAME_CHARACTERS_MAX)).toWellFormed()
    return {
      id,
      name: shown,
      database: typeof database === 'string' ? database : undefined,
      addresses: usable.slice(0, ADDRESSES_MAX),
      ...(returned === true && { returned }),
      ...(returned === true && Number.isSafeInteger(removedMs) && { removedMs }),
      ...(Number.isSafeInteger(awayUntilMs) && awayUntilMs > 0 && { awayUntilMs })
    }
  } catch {
    return undefined
  }
}
