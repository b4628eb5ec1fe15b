// The system's tables of TCP connections, where it has them.

import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { SOCKET_TABLES, type SocketTable } from './socket-owner.ts'

const fileOf = (name: SocketTable) => `/proc/self/net/${name}`
const hasTables = process.platform === 'linux'

/** Both tables as one text, empty if they can't be read; undefined on a system that has none. */
export function readSocketTables(): string | undefined {
  if (!hasTables) return undefined
  return SOCKET_TABLES.map((name) => {
    try {
      return readFileSync(fileOf(name), 'latin1')
    } catch {
      return '' // a kernel without IPv6 has no second one
    }
  }).join('')
}

/**
 * One of them, without holding the event loop: the kernel goes through all connections that there
 * could be, which takes it 10 to 50 ms on a large server.
 */
export async function readSocketTableSoon(name: SocketTable): Promise<string | undefined> {
  return hasTables ? readFile(fileOf(name), 'latin1').catch(() => '') : undefined
}
