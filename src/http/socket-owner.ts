// Whose process is at the other end of a loopback connection, by the system's own table of
// connections (Linux).

import type { Socket } from 'node:net'
import { endianness } from 'node:os'
import { SharedRead } from '../base/shared-read.ts'

export interface Endpoint {
  /** IPv4, or ::1. */
  readonly address: string
  readonly port: number
}

/** Of a row after its two addresses: state, queues, timer, retransmits, uid, timeout, inode. */
const UID_COLUMN = 4
const INODE_COLUMN = 6
const ROW_CHARS_MAX = 200

/**
 * The uid that opened the socket from `near` to `far`, by the text of /proc/net/tcp and tcp6;
 * undefined if no living process has such a socket. One text search: the table may have thousands
 * of rows.
 */
export function ownerOf(table: string, near: Endpoint, far: Endpoint): number | undefined {
  const from = hexForms(near)
  const to = hexForms(far)
  for (const [form, local] of from.entries()) {
    const row = ` ${local} ${to[form]} `
    for (let at = table.indexOf(row); at !== -1; at = table.indexOf(row, at + 1)) {
      const start = at + row.length
      const columns = table
        .slice(start, start + ROW_CHARS_MAX)
        .split('\n', 1)[0]
        ?.trim()
        .split(/\s+/)
      // A socket that its process has closed says uid 0, whoever had it; it has no inode either.
      if (!/^[1-9]\d*$/.test(columns?.[INODE_COLUMN] ?? '')) continue
      const uid = columns?.[UID_COLUMN] ?? ''
      if (/^\d+$/.test(uid)) return Number(uid)
    }
  }
  return undefined
}

/** As the tables write it. An IPv4 connection may stand in tcp, or mapped in tcp6. */
function hexForms({ address, port }: Endpoint): string[] {
  const end = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  if (address === '::1') return [`${'0'.repeat(24)}${word([0, 0, 0, 1])}${end}`]
  const parts = address.split('.').map(Number)
  if (parts.length !== 4 || !parts.every((part) => part >= 0 && part <= 255)) return []
  const mapped = `${'0'.repeat(16)}${word([0, 0, 255, 255])}${word(parts)}${end}`
  return [`${word(parts)}${end}`, mapped]
}

/** Four bytes as the kernel prints them: one number in the machine's own order. */
function word(bytes: readonly number[]): string {
  const ordered = endianness() === 'LE' ? bytes.toReversed() : bytes
  return Buffer.from(ordered).toString('hex').toUpperCase()
}

/** IPv6 sockets, in which IPv4 connections may stand as well, have their own. */
export const SOCKET_TABLES = ['tcp', 'tcp6'] as const
export type SocketTable = (typeof SOCKET_TABLES)[number]

export interface SocketOwnerParts {
  /** Both tables as one text, empty if they can't be read; undefined on a system that has none. */
  readonly readTables: () => string | undefined
  /** One of them, without holding the event loop: most connections are in the first. */
  readonly readTableSoon: (name: SocketTable) => Promise<string | undefined>
  /** The node's own user; undefined on a system without such numbers. */
  readonly ownUid: number | undefined
}

/**
 * Whether the process at the other end runs as the node's own user; undefined where the system has
 * no table. Found out once per connection, when first asked: a socket does not change hands.
 */
export class SocketOwners {
  readonly #parts: SocketOwnerParts
  readonly #known = new WeakMap<Socket, boolean | undefined>()
  readonly #tables: readonly SharedRead<string | undefined>[]

  constructor(parts: SocketOwnerParts) {
    this.#parts = parts
    this.#tables = SOCKET_TABLES.map((name) => new SharedRead(() => parts.readTableSoon(name)))
  }

  /** Reads the tables at once where it is not known: `learn` is the better way. */
  isOwn(socket: Socket, near: Endpoint, far: Endpoint): boolean | undefined {
    if (this.#known.has(socket)) return this.#known.get(socket)
    const { ownUid, readTables } = this.#parts
    const tables = ownUid === undefined ? undefined : readTables()
    const isOwn = tables === undefined ? undefined : ownerOf(tables, near, far) === ownUid
    this.#known.set(socket, isOwn)
    return isOwn
  }

  /** Undefined if it is known, or a promise of that. */
  learn(socket: Socket, near: Endpoint, far: Endpoint): Promise<void> | undefined {
    if (this.#known.has(socket) || this.#parts.ownUid === undefined) return undefined
    return this.#find(near, far).then((isOwn) => {
      if (!this.#known.has(socket)) this.#known.set(socket, isOwn)
    })
  }

  async #find(near: Endpoint, far: Endpoint): Promise<boolean | undefined> {
    for (const table of this.#tables) {
      const text = await table.soon()
      if (text === undefined) return undefined
      const uid = ownerOf(text, near, far)
      if (uid !== undefined) return uid === this.#parts.ownUid
    }
    return false
  }
}
