// Who belongs to the mesh: a record for each member, written by itself and known to all.

import type { ImageIndex } from '../index/image-index.ts'

export interface Member {
  readonly id: string
  readonly name: string
  /** Multiaddrs under which it was last seen to listen. */
  readonly addresses: readonly string[]
}

const PREFIX = 'member/'
const ADDRESSES_MAX = 16
const ADDRESS_CHARACTERS_MAX = 256

/**
 * Writes the record of a member, if it is not so already: this node's own one, or that of a member
 * who was removed and may come back.
 */
export async function announce(index: ImageIndex, { id, name, addresses }: Member): Promise<void> {
  const value = Buffer.from(JSON.stringify({ name, addresses: addresses.slice(0, ADDRESSES_MAX) }))
  const have = index.record(PREFIX + id)
  if (have !== undefined && value.equals(have)) return
  await index.change((tx) => tx.putRecord(PREFIX + id, value))
}

/** Ids of nodes that were removed from the mesh, and are met no more. */
export async function listRemoved(index: ImageIndex): Promise<string[]> {
  const removed: string[] = []
  for await (const name of index.deletedRecords(PREFIX)) removed.push(name.slice(PREFIX.length))
  return removed
}

/** All members that have announced themselves, this node included. */
export async function listMembers(index: ImageIndex): Promise<Member[]> {
  const members: Member[] = []
  for await (const { name: path, value } of index.records(PREFIX)) {
    const member = readMember(path.slice(PREFIX.length), value)
    if (member !== undefined) members.push(member)
  }
  return members
}

/** Removes a member: no node of the mesh meets it any more. False if there is none. */
export async function removeMember(index: ImageIndex, id: string): Promise<boolean> {
  return (await index.change((tx) => tx.deleteRecord(PREFIX + id))) !== undefined
}

/** A record that another program wrote wrongly names nobody. */
function readMember(id: string, value: Uint8Array): Member | undefined {
  try {
    const { name, addresses } = JSON.parse(Buffer.from(value).toString())
    if (typeof name !== 'string' || !Array.isArray(addresses)) return undefined
    const usable = addresses.filter(
      (one): one is string => typeof one === 'string' && one.length <= ADDRESS_CHARACTERS_MAX
    )
    return { id, name: name.slice(0, 63), addresses: usable.slice(0, ADDRESSES_MAX) }
  } catch {
    return undefined
  }
}
