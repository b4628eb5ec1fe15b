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

/** Writes this node's own record, if it is not so already. */
export async function announceSelf(
  index: ImageIndex,
  { id, name, addresses }: Member
): Promise<void> {
  const value = Buffer.from(JSON.stringify({ name, addresses: addresses.slice(0, ADDRESSES_MAX) }))
  const have = index.record(PREFIX + id)
  if (have !== undefined && value.equals(have)) return
  await index.change((tx) => tx.putRecord(PREFIX + id, value))
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

/** Forgets a member; false if there is none. One that still runs announces itself again. */
export async function forgetMember(index: ImageIndex, id: string): Promise<boolean> {
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
