// The system's tables of TCP connections, where it has them.

import { readFileSync } from 'node:fs'

const TABLES = ['/proc/self/net/tcp', '/proc/self/net/tcp6']

/** Both tables as one text, empty if they can't be read; undefined on a system that has none. */
export function readSocketTables(): string | undefined {
  if (process.platform !== 'linux') return undefined
  return TABLES.map((file) => {
    try {
      return readFileSync(file, 'latin1')
    } catch {
      return '' // a kernel without IPv6 has no second one
    }
  }).join('')
}
