// A live node among enemies: strangers that talk nonsense to its ports, and a member that has gone
// bad. Whatever they send, images go in and out all the while, and memory stays what it was.

import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ByteStream } from '../../protocols/byte-stream.ts'
import { frameOf } from '../../protocols/frame.ts'
import { BLOBS_ID, ENTRIES_ID, HELLO_ID, LANE_ID, SECRET_ID } from '../../protocols/ids.ts'
import { systemClock, systemRandom } from '../../src/base/clock.ts'
import { silentLog } from '../../src/base/log.ts'
import { createAdmission } from '../../src/network/admission.ts'
import { createIdentity } from '../../src/network/identity.ts'
import { Libp2pNetwork } from '../../src/network/libp2p-network.ts'
import { makeSvg } from '../fixtures/make-images.ts'
import { eventually } from '../support/eventually.ts'
import { bytesAt, put, send } from '../support/http-client.ts'
import { freePort } from '../support/proxies.ts'
import { type RealNode, Workbench } from '../support/real-node.ts'

const SECRET = new Uint8Array(32).fill(7)
const never = new AbortController().signal
/** What a node may grow by; it takes images in meanwhile. */
const GROWTH_BYTES_MAX = 150 * 2 ** 20
const PROTOCOLS = [HELLO_ID, SECRET_ID, ENTRIES_ID, BLOBS_ID, LANE_ID]

let bench: Workbench
let node: RealNode
let lanePort: number
let address: string
const enemies: Libp2pNetwork[] = []

beforeAll(async () => {
  bench = new Workbench()
  writeFileSync(bench.path('secret'), Buffer.from(SECRET).toString('hex'))
  lanePort = await freePort()
  const flags = ['--cluster', 'test', '--secret-file', bench.path('secret')]
  flags.push('--p2p-host', '127.0.0.1', '--lane-port', String(lanePort))
  node = await bench.start('a', { flags })
  address = (await send(`${node.url}/api/storage-status`)).body.node.addresses[0]
}, 60_000)
afterAll(async () => {
  await Promise.all(enemies.map((enemy) => enemy.stop()))
  await bench.cleanUp()
})

let images = 0
/** It takes an image, gives it back, and is not much larger than it was. */
async function isWell(before: number): Promise<void> {
  const bytes = makeSvg({ seed: ++images })
  expect((await put(node.url, `${images}.svg`, bytes)).status).toBe(201)
  expect(await bytesAt(`${node.url}/images/${images}.svg`)).toEqual({ status: 200, bytes })
  expect(node.child.exitCode).toBeNull()
  expect(memory() - before).toBeLessThan(GROWTH_BYTES_MAX)
}

function memory(): number {
  const status = readFileSync(`/proc/${node.child.pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) * 1024
}

async function enemy(): Promise<Libp2pNetwork> {
  const { identity } = await createIdentity()
  const parts = { clock: systemClock, random: systemRandom, log: silentLog }
  const admission = createAdmission('test', SECRET)
  const options = { identity, admission, host: '127.0.0.1', port: 0, mdns: false }
  const network = new Libp2pNetwork(parts, options)
  enemies.push(network)
  await network.start()
  return network
}

const idOf = () => address.split('/p2p/')[1] ?? ''

/** Sends on a stream of its own; resolves when the node has broken it, or answered to the end. */
async function say(from: Libp2pNetwork, protocol: string, pieces: Iterable<Uint8Array>) {
  let stream: ByteStream | undefined
  try {
    stream = await from.open(idOf(), protocol, AbortSignal.timeout(5000))
    const read = (async () => {
      for await (const _ of stream.source);
    })()
    read.catch(() => {})
    for (const piece of pieces) await stream.write(piece)
    await stream.end()
    await Promise.race([read, new Promise((done) => setTimeout(done, 2000).unref())])
  } catch {
    // it was shown the door
  } finally {
    stream?.abort(new Error('enough'))
  }
}

const HUGE = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x0f)
function* endless(piece: Uint8Array, bytes: number): Generator<Uint8Array> {
  for (let sent = 0; sent < bytes; sent += piece.byteLength) yield piece
}
const ATTACKS: Readonly<Record<string, () => Iterable<Uint8Array>>> = {
  'a frame of four gigabytes': () => [HUGE, ...endless(new Uint8Array(65_536), 2 ** 20)],
  'a length that never ends': () => endless(new Uint8Array(65_536).fill(0xff), 2 ** 20),
  'noughts for ever': () => endless(new Uint8Array(65_536), 4 * 2 ** 20),
  'frames of garbage': () => Array.from({ length: 50 }, () => frameOf(randomBytes(1000))),
  'the beginning of a frame': () => [frameOf(randomBytes(1000)).subarray(0, 500)]
}

describe('strangers', () => {
  const knock = (port: number, bytes: Uint8Array) =>
    new Promise<void>((resolve) => {
      const socket: Socket = connectTcp(port, '127.0.0.1', () => socket.write(bytes))
      socket.setTimeout(1000, () => socket.destroy())
      socket.on('error', () => {})
      socket.on('data', () => {})
      socket.on('close', () => resolve())
    })

  test('that send garbage to any port, many at a time, are let go', async () => {
    const before = memory()
    const p2pPort = Number(/\/tcp\/(\d+)/.exec(address)?.[1])
    const texts = ['GET / HTTP/1.1\r\n\r\n', '\x16\x03\x01\x02\x00\x01', '/multistream/1.0.0\n']
    const words = [...texts.map((text) => Buffer.from(text, 'latin1')), randomBytes(100_000)]
    for (let round = 0; round < 3; round++) {
      const ports = [p2pPort, lanePort, node.port].flatMap((port) => Array(20).fill(port))
      await Promise.all(ports.map((port, n) => knock(port, words[n % words.length] as Buffer)))
      await isWell(before)
    }
  }, 60_000)

  test('that begin TLS without a key, or with a made-up one, get nothing', async () => {
    const before = memory()
    const tries = Array.from({ length: 30 }, (_, n) => {
      const psk = { identity: randomBytes(16).toString('hex'), psk: randomBytes(32) }
      const socket = connectTls({
        ...{ host: '127.0.0.1', port: lanePort, checkServerIdentity: () => undefined },
        ...(n % 2 === 0 && {
          ...{ ciphers: 'PSK-AES256-GCM-SHA384', maxVersion: 'TLSv1.2' as const },
          pskCallback: () => psk
        })
      })
      return new Promise<boolean>((resolve) => {
        socket.once('secureConnect', () => resolve(true))
        socket.once('error', () => resolve(false))
        socket.once('close', () => resolve(false))
      }).finally(() => socket.destroy())
    })
    expect((await Promise.all(tries)).filter(Boolean)).toEqual([])
    await isWell(before)
  }, 60_000)
})

describe('a member that has gone bad', () => {
  test.each(Object.keys(ATTACKS))(
    'and sends %s',
    async (name) => {
      const before = memory()
      const bad = await enemy()
      await bad.dial([address], never)
      await Promise.all(PROTOCOLS.map((protocol) => say(bad, protocol, ATTACKS[name]?.() ?? [])))
      await isWell(before)
    },
    60_000
  )

  test('and opens more streams than it may', async () => {
    const before = memory()
    const bad = await enemy()
    await bad.dial([address], never)
    const flood = Array.from({ length: 300 }, (_, n) =>
      say(bad, PROTOCOLS[n % PROTOCOLS.length] as string, [Uint8Array.of(1, 0)])
    )
    await Promise.all(flood)
    await isWell(before)
  }, 60_000)

  test('pays for it: it is counted, let go and not let in for a while; others are', async () => {
    const bad = await enemy()
    await bad.dial([address], never)
    for (let n = 0; n < 5; n++) await say(bad, HELLO_ID, [HUGE, new Uint8Array(1000)])
    await eventually(() => expect(bad.peers()).toEqual([]), { withinMs: 10_000 })
    await expect(bad.dial([address], never)).rejects.toMatchObject({ code: 'PEER_UNREACHABLE' })
    const good = await enemy()
    await good.dial([address], never)
    expect(good.peers()).toHaveLength(1)
    const { body } = await send(`${node.url}/metrics`)
    expect(body).toMatch(/^tumesh_server_faults\{/m)
    await isWell(memory())
  }, 60_000)
})
