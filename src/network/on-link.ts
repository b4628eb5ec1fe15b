// Which addresses belong to the local network: nodes without a secret meet only there.

import { BlockList, isIP } from 'node:net'

/** The part of os.networkInterfaces() that counts. */
export type Interfaces = Readonly<
  Record<string, readonly { readonly cidr: string | null }[] | undefined>
>

const LOOPBACK = blockList(['127.0.0.0/8', '::1/128'])
const PRIVATE = blockList([
  '127.0.0.0/8',
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '169.254.0.0/16',
  '::1/128',
  'fc00::/7',
  'fe80::/10'
])

/**
 * Whether an IP address is private, link-local or loopback and lies in the subnet of one of our own
 * interfaces: then no router stands between.
 */
export function isOnLink(address: string, interfaces: Interfaces): boolean {
  if (!contains(PRIVATE, address)) return false
  const subnets = Object.values(interfaces).flatMap((all) => all ?? [])
  return contains(blockList(subnets.flatMap(({ cidr }) => (cidr === null ? [] : [cidr]))), address)
}

/** Whether an IP address is one that only a local network can route to. */
export function isPrivate(address: string): boolean {
  return contains(PRIVATE, address)
}

export function isLoopback(address: string): boolean {
  return contains(LOOPBACK, address)
}

/** IPv4 addresses that IPv6 carries are taken for what they are. */
function contains(list: BlockList, address: string): boolean {
  const [plain = ''] = address.split('%', 1) // without a zone
  const version = isIP(plain)
  return version !== 0 && list.check(plain, version === 6 ? 'ipv6' : 'ipv4')
}

function blockList(cidrs: readonly string[]): BlockList {
  const list = new BlockList()
  for (const cidr of cidrs) {
    const [network = '', prefix] = cidr.split('/')
    list.addSubnet(network, Number(prefix), isIP(network) === 6 ? 'ipv6' : 'ipv4')
  }
  return list
}
