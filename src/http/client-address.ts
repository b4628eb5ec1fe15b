// Where a request comes from: the other end of its connection, or, for the proxies that a person
// has named, whom they say that they speak for.

import type { IncomingMessage } from 'node:http'
import { type BlockList, isIP } from 'node:net'
import { addressOf, isListed } from './plan-access.ts'

/** An IP address; empty if the connection is gone. */
export function clientAddress(
  { socket, headers }: Pick<IncomingMessage, 'socket' | 'headers'>,
  proxies: BlockList
): string {
  let address = addressOf(socket.remoteAddress)
  const said = headers['x-forwarded-for']?.toString()
  if (said === undefined || !isListed(proxies, address)) return address ?? ''
  // each proxy adds the one before it at the end: what comes before a stranger's word is his own
  for (const hop of said.split(',').reverse()) {
    const named = addressOf(hop.trim().replace(/^\[(.*)\](?::\d+)?$/, '$1'))
    if (named === undefined || isIP(named) === 0) break
    address = named
    if (!isListed(proxies, address)) break
  }
  return address ?? ''
}
