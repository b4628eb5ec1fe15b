// Nodes that find each other by themselves, as real processes on a local network of their own.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createIdentity } from '../../src/network/identity.ts'
import { eventually } from '../support/eventually.ts'
import { type Host, LocalNetwork, localNetworkObstacle } from '../support/local-network.ts'
import type { NetworkProcessOptions } from '../support/network-process.ts'

const SCRIPT = fileURLToPath(new URL('../support/network-process.ts', import.meta.url))
/** What is promised for two nodes that start, and for one that returns. */
const FOUND_MS = 5_000
const FOUND_AGAIN_MS = 10_000

interface Key {
  readonly id: string
  readonly keyHex: string
}

interface Line {
  readonly event?: 'up' | 'down'
  readonly id?: string
  readonly address?: string
  readonly dialled?: boolean
  readonly started?: string
  readonly port?: number
  readonly routeFault?: string | null
}

class Running {
  readonly lines: Line[] = []
  readonly #child: ChildProcess

  constructor(child: ChildProcess) {
    this.#child = child
    const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })
    lines.on('line', (line) => this.lines.push(JSON.parse(line) as Line))
  }

  events(id: string): readonly Line[] {
    return this.lines.filter((line) => line.id === id)
  }

  /** Whether it is connected with a node. */
  sees(id: string): boolean {
    return this.events(id).at(-1)?.event === 'up'
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    this.#child.kill(signal)
    await once(this.#child, 'exit')
  }
}

const obstacle = localNetworkObstacle()

describe('nodes on a local network', { timeout: 60_000 }, () => {
  let network: LocalNetwork
  let running: Running[]

  beforeEach((context) => {
    context.skip(obstacle !== undefined, obstacle)
    network = new LocalNetwork()
    running = []
  })

  afterEach(async () => {
    if (obstacle !== undefined) return
    await Promise.all(running.map((one) => one.end('SIGKILL')))
    network.cleanUp()
  })

  async function makeKey(): Promise<Key> {
    const { identity, bytes } = await createIdentity()
    return { id: identity.peerId, keyHex: Buffer.from(bytes).toString('hex') }
  }

  async function start(host: Host, key: Key, more: Partial<NetworkProcessOptions> = {}) {
    const options = { keyHex: key.keyHex, host: '0.0.0.0', mdns: true, ...more }
    const line = [
      'netns',
      'exec',
      host.namespace,
      process.execPath,
      SCRIPT,
      JSON.stringify(options)
    ]
    const one = new Running(spawn('ip', line, { stdio: ['pipe', 'pipe', 'inherit'] }))
    running.push(one)
    await eventually(() =>
      expect(one.lines.at(-1)?.started ?? one.lines.at(-2)?.started).toBe(key.id)
    )
    return one
  }

  test('find each other within 5 seconds, by one connection', async () => {
    const [one, other] = [await makeKey(), await makeKey()]
    const a = await start(network.host(), one)
    const b = await start(network.host(), other)
    const bothSee = () => expect([a.sees(other.id), b.sees(one.id)]).toEqual([true, true])
    await eventually(bothSee, { withinMs: FOUND_MS })
    expect(a.lines[0]?.routeFault).toBeNull()
    await new Promise((resolve) => setTimeout(resolve, 1_500))
    expect([a.events(other.id).length, b.events(one.id).length]).toEqual([1, 1])
  })

  test('do not find nodes of another cluster', async () => {
    const [one, other, third] = [await makeKey(), await makeKey(), await makeKey()]
    const a = await start(network.host(), one, { cluster: 'home' })
    const b = await start(network.host(), other, { cluster: 'work' })
    const c = await start(network.host(), third, { cluster: 'home' })
    await eventually(() => expect(c.sees(one.id)).toBe(true), { withinMs: FOUND_MS })
    expect([a.events(other.id), b.events(one.id), b.events(third.id)]).toEqual([[], [], []])
  })

  test('say what is missing where no route leads to the others', async () => {
    const [one, other] = [await makeKey(), await makeKey()]
    const a = await start(network.host({ multicastRoute: false }), one)
    const b = await start(network.host({ multicastRoute: false }), other)
    for (const { lines } of [a, b]) {
      expect(lines[0]?.routeFault).toContain('ip route add 224.0.0.0/4 dev eth0')
    }
    await new Promise((resolve) => setTimeout(resolve, 2_000))
    expect([a.events(other.id), b.events(one.id)]).toEqual([[], []])
  })

  test('find a node again within 10 seconds that returns on another port', async () => {
    const [one, other] = [await makeKey(), await makeKey()]
    const host = network.host()
    const a = await start(network.host(), one)
    const before = await start(host, other)
    await eventually(() => expect(a.sees(other.id)).toBe(true), { withinMs: FOUND_MS })
    await before.end('SIGKILL')
    await eventually(() => expect(a.sees(other.id)).toBe(false))
    const b = await start(host, other)
    const ports = [before, b].map(({ lines }) => lines.find(({ started }) => started)?.port)
    expect(ports[0]).not.toBe(ports[1])
    const bothSee = () => expect([a.sees(other.id), b.sees(one.id)]).toEqual([true, true])
    await eventually(bothSee, { withinMs: FOUND_AGAIN_MS })
  })

  test('find a node again within 10 seconds that lost its power and returns elsewhere', async () => {
    const [one, other] = [await makeKey(), await makeKey()]
    const host = network.host()
    const a = await start(network.host(), one)
    const before = await start(host, other)
    await eventually(() => expect(a.sees(other.id)).toBe(true), { withinMs: FOUND_MS })
    network.plug(host, false)
    await before.end('SIGKILL')
    const moved = network.move(host, 99)
    network.plug(moved, true)
    const b = await start(moved, other)
    await eventually(() => expect(b.sees(one.id)).toBe(true), { withinMs: FOUND_AGAIN_MS })
    expect(a.sees(other.id)).toBe(true)
  })

  test('find each other within 10 seconds of the cable being plugged in', async () => {
    const [one, other] = [await makeKey(), await makeKey()]
    const host = network.host()
    network.plug(host, false)
    const a = await start(network.host(), one)
    const b = await start(host, other)
    network.plug(host, true)
    const bothSee = () => expect([a.sees(other.id), b.sees(one.id)]).toEqual([true, true])
    await eventually(bothSee, { withinMs: FOUND_AGAIN_MS })
  })
})
