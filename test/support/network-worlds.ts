// Worlds in which the contract of a network is tested: over libp2p on 127.0.0.1, and in memory.

import { systemClock, systemRandom } from '../../src/base/clock.ts'
import { silentLog } from '../../src/base/log.ts'
import { createAdmission } from '../../src/network/admission.ts'
import type { PeerCounters } from '../../src/network/counters.ts'
import { createIdentity } from '../../src/network/identity.ts'
import { Libp2pNetwork } from '../../src/network/libp2p-network.ts'
import { MemoryNetwork } from '../../src/network/memory-network.ts'
import { MemoryWire } from '../../src/network/memory-wire.ts'
import type { Network } from '../../src/network/network.ts'
import { eventually } from './eventually.ts'
import { ManualClock } from './manual-clock.ts'
import { SeededChance } from './seeded-chance.ts'

/** What both networks have beside the contract. */
export interface TestNetwork extends Network {
  counters(peerId: string): PeerCounters
  deny(peerId: string): Promise<void>
  allow(peerId: string): void
}

export interface NetworkWorld {
  /** Not started; its world stops it. */
  node(cluster?: string): Promise<TestNetwork>
  /** Runs a test: in memory it moves the time on. */
  run(test: () => Promise<void>): Promise<void>
  /** Waits until `check` no longer throws. */
  until(check: () => void): Promise<void>
  /** Lets things go on that nobody waits for. */
  pause(): Promise<void>
  /** An address at which nobody is. */
  readonly nowhere: string
  stop(): Promise<void>
}

const SECRET = new Uint8Array(32).fill(7)

function libp2pWorld(): NetworkWorld {
  const networks: Libp2pNetwork[] = []
  return {
    async node(cluster = 'test') {
      const { identity } = await createIdentity()
      const network = new Libp2pNetwork(
        { clock: systemClock, random: systemRandom, log: silentLog },
        {
          identity,
          admission: createAdmission(cluster, SECRET),
          host: '127.0.0.1',
          port: undefined,
          mdns: false
        }
      )
      networks.push(network)
      return network
    },
    run: (test) => test(),
    until: (check) => eventually(check),
    pause: () => new Promise((resolve) => setTimeout(resolve, 100)),
    nowhere: '/ip4/127.0.0.1/tcp/1',
    async stop() {
      await Promise.all(networks.map((network) => network.stop()))
    }
  }
}

function memoryWorld(seed = 1): NetworkWorld {
  const clock = new ManualClock()
  const wire = new MemoryWire({ clock, random: new SeededChance(seed) })
  const networks: MemoryNetwork[] = []
  const wait = (ms: number) =>
    new Promise<void>((resolve) => {
      clock.after(ms, resolve)
    })
  return {
    async node(cluster = 'test') {
      const id = `node-${networks.length}`
      const admission = createAdmission(cluster, SECRET)
      const network = new MemoryNetwork({ wire, log: silentLog }, { id, admission })
      networks.push(network)
      return network
    },
    run: (test) => clock.run(test),
    async until(check) {
      for (let left = 1_000; ; left--) {
        try {
          check()
          return
        } catch (error) {
          if (left === 0) throw error
          await wait(10)
        }
      }
    },
    pause: () => wait(100),
    nowhere: '/memory/nowhere',
    async stop() {
      await clock.run(async () => {
        await Promise.all(networks.map((network) => network.stop()))
      })
    }
  }
}

export const NETWORK_WORLDS = { libp2p: libp2pWorld, memory: () => memoryWorld() }
