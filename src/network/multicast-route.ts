// Whether questions to the local network can leave this machine at all: without a route they are
// dropped, and no error is seen anywhere.

/** 224.0.0.251, where nodes ask for each other. */
const GROUP = 0xe0_00_00_fb
const FLAG_UP = 0x1
const FLAG_REJECT = 0x200

/**
 * A sentence with the remedy if no route leads to the multicast group; undefined if one does, or if
 * there is no network at all or no table to read. `readRoutes` gives the text of /proc/net/route on
 * Linux, undefined elsewhere.
 */
export function mdnsRouteFault(readRoutes: () => string | undefined): string | undefined {
  const routes = (readRoutes() ?? '').split('\n').slice(1).flatMap(readRoute)
  const networks = routes.filter(({ network }) => network !== 'lo')
  if (networks.length === 0) return undefined
  if (networks.some(({ to, mask }) => (GROUP & mask) >>> 0 === to)) return undefined
  const [{ network }] = networks as [Route]
  return `Nodes of the local network can't be found: neither a default route nor one for multicast is set. Run: ip route add 224.0.0.0/4 dev ${network} (or turn the search off with --no-mdns).`
}

interface Route {
  readonly network: string
  readonly to: number
  readonly mask: number
}

/** The numbers stand in hex, in the byte order of the machine: little-endian wherever Node runs. */
function readRoute(line: string): readonly Route[] {
  const [network, to, , flags, , , , mask] = line.trim().split(/\s+/)
  if (network === undefined || to === undefined || mask === undefined) return []
  const bits = Number.parseInt(flags ?? '', 16)
  if ((bits & FLAG_UP) === 0 || (bits & FLAG_REJECT) !== 0) return []
  return [{ network, to: readNumber(to), mask: readNumber(mask) }]
}

function readNumber(hex: string): number {
  return /^[0-9A-Fa-f]{8}$/.test(hex) ? Buffer.from(hex, 'hex').readUInt32LE() : Number.NaN
}
