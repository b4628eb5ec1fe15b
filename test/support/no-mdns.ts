// Multicast DNS belongs to network namespaces that tests make themselves. This watches the network
// of the machine while the tests run, and fails the run if a process of this user searches there.

import { readFileSync } from 'node:fs'

const MDNS_PORT = 5353
const WATCH_MS = 100

/** Inodes of this user's UDP sockets on the port of mDNS, in a text like /proc/net/udp. */
export function mdnsSockets(table: string, uid: number): string[] {
  return table
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local = '', , , , , , owner]) => {
      return Number.parseInt(local.split(':')[1] ?? '', 16) === MDNS_PORT && Number(owner) === uid
    })
    .map((fields) => fields[9] ?? '')
}

function openNow(): string[] {
  const uid = process.getuid?.() ?? 0
  return ['/proc/net/udp', '/proc/net/udp6'].flatMap((file) => {
    try {
      return mdnsSockets(readFileSync(file, 'utf8'), uid)
    } catch {
      return [] // not Linux, or no IPv6
    }
  })
}

const before = new Set(openNow())
const seen = new Set<string>()
let watch: NodeJS.Timeout | undefined

/** Before all tests. */
export function setup(): void {
  watch = setInterval(() => {
    for (const inode of openNow()) if (!before.has(inode)) seen.add(inode)
  }, WATCH_MS)
}

/** After all tests. */
export function teardown(): void {
  clearInterval(watch)
  if (seen.size === 0) return
  throw new Error(
    `a test let a node search by mDNS outside a network namespace (${seen.size} sockets on port ${MDNS_PORT}); start it with --no-mdns`
  )
}
