// A network in a process of its own, for tests. Prints one JSON line for each thing that happens;
// ends when its input does. node network-process.ts '{"keyHex", "host", "port", "mdns", "dial"}'

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { systemClock, systemRandom } from '../../src/base/clock.ts'
import { silentLog } from '../../src/base/log.ts'
import { createAdmission } from '../../src/network/admission.ts'
import { readIdentity } from '../../src/network/identity.ts'
import { Libp2pNetwork } from '../../src/network/libp2p-network.ts'
import { mdnsRouteFault } from '../../src/network/multicast-route.ts'

export interface NetworkProcessOptions {
  readonly keyHex: string
  readonly host: string
  readonly port?: number
  readonly mdns?: boolean
  readonly cluster?: string
  readonly dial?: readonly string[]
}

function say(line: Record<string, unknown>): void {
  process.stdout.write(`${JSON.stringify({ atMs: Math.round(performance.now()), ...line })}\n`)
}

/** Searching is allowed only on a local network that tests have made. */
function isOnTestNetwork(): boolean {
  const own = statSync('/proc/self/ns/net').ino
  const made = existsSync('/run/netns') ? readdirSync('/run/netns') : []
  return made.some(
    (name) => name.startsWith('tumesh-') && statSync(`/run/netns/${name}`).ino === own
  )
}

const options = JSON.parse(process.argv[2] as string) as NetworkProcessOptions
const { mdns = false } = options
if (mdns && !isOnTestNetwork()) throw new Error('mDNS is allowed on a test network only')
if (mdns) say({ routeFault: mdnsRouteFault(() => readFileSync('/proc/net/route', 'utf8')) ?? null })

const network = new Libp2pNetwork(
  { clock: systemClock, random: systemRandom, log: silentLog },
  {
    identity: readIdentity(Buffer.from(options.keyHex, 'hex'), 'the test'),
    admission: createAdmission(options.cluster ?? 'default', undefined),
    host: options.host,
    port: options.port,
    mdns
  }
)
network.onPeer(({ id, address, dialled }, event) => say({ event, id, address, dialled }))
await network.start()
say({ started: network.id, addresses: network.addresses(), port: network.port })
if (options.dial !== undefined) {
  await network.dial(options.dial, new AbortController().signal)
}
process.stdin.resume()
process.stdin.once('end', async () => {
  await network.stop()
  say({ stopped: network.id })
})
