// Where a node listens for others, and why it could not.

import { lookup } from 'node:dns/promises'
import { createServer, isIP } from 'node:net'
import { NodeError } from '../base/errors.ts'

/**
 * Multiaddrs to listen on. `::` means IPv4 as well, on the same port. Port 0 lets the system
 * choose. Throws ADDRESS_UNUSABLE if the host is not known.
 */
export async function listenAddresses(host: string, port: number): Promise<readonly string[]> {
  if (host === '::') {
    const shared = port === 0 ? await freePort(host) : port
    return [`/ip4/0.0.0.0/tcp/${shared}`, `/ip6/::/tcp/${shared}`]
  }
  const hosts = isIP(host) ? [host] : await addressesOf(host)
  return hosts.map((address) => `/ip${isIP(address)}/${address}/tcp/${port}`)
}

const NODES = { what: 'for other nodes', flag: '--p2p-port' }

/** What keeps a node from listening: PORT_TAKEN, ADDRESS_UNUSABLE, or the error as it is. */
export function listenError(
  error: unknown,
  host: string,
  port: number,
  { what, flag } = NODES
): unknown {
  const text = error instanceof Error ? error.message : ''
  if (/EADDRINUSE/.test(text)) {
    return new NodeError(
      'PORT_TAKEN',
      `Port ${port} ${what} is taken on ${host}. End the program that has it, or choose another with ${flag}.`,
      { host, port },
      { cause: error }
    )
  }
  if (/EADDRNOTAVAIL|EACCES|EAFNOSUPPORT|EINVAL/.test(text)) return unusable(host, error)
  return error
}

async function addressesOf(host: string): Promise<readonly string[]> {
  try {
    return (await lookup(host, { all: true })).map(({ address }) => address)
  } catch (cause) {
    throw unusable(host, cause)
  }
}

function unusable(host: string, cause: unknown): NodeError {
  return new NodeError(
    'ADDRESS_UNUSABLE',
    `This machine can't listen on ${host} for other nodes. Give an address that it has with --p2p-host, or 0.0.0.0 for all.`,
    { host },
    { cause }
  )
}

function freePort(host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, host, () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })
}
