// Two networks of which one has a connection that the other has lost, or is about to make a second.

import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { type Clock, systemClock, systemRandom } from '../../src/base/clock.ts'
import { silentLog } from '../../src/base/log.ts'
import { createAdmission } from '../../src/network/admission.ts'
import { createIdentity } from '../../src/network/identity.ts'
import { Libp2pNetwork } from '../../src/network/libp2p-network.ts'
import { eventually } from '../support/eventually.ts'

const never = new AbortController().signal
const admission = createAdmission('test', new Uint8Array(32).fill(7))

const cleanUps: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

/** A running network, and what it told of its peers. */
async function startNode(clock: Clock = systemClock) {
  const { identity } = await createIdentity()
  const node = new Libp2pNetwork(
    { clock, random: systemRandom, log: silentLog },
    { identity, admission, host: '127.0.0.1', port: undefined, mdns: false }
  )
  const told: string[] = []
  node.onPeer((_, event) => told.push(event))
  await node.start()
  cleanUps.push(() => node.stop())
  return { node, told }
}

async function placeOf(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanUps.push(() => new Promise((resolve) => server.close(resolve)))
  return `/ip4/127.0.0.1/tcp/${(server.address() as AddressInfo).port}`
}

/** An address at which somebody listens who never says a word. */
async function silence(): Promise<string> {
  const sockets: Socket[] = []
  const place = await placeOf(createServer((socket) => sockets.push(socket.on('error', () => {}))))
  cleanUps.push(() => sockets.forEach((socket) => void socket.destroy()))
  return place
}

/** A wire to a port that can swallow from now on what the connections of before send. */
async function makeWire(port: number) {
  let pairs: [Socket, Socket][] = []
  const server = createServer((client) => {
    const upstream = connect(port, '127.0.0.1')
    for (const [from, to] of [
      [client, upstream],
      [upstream, client]
    ] as const) {
      from.on('error', () => {}).pipe(to)
    }
    pairs.push([client, upstream])
    cleanUps.push(() => [client, upstream].forEach((socket) => void socket.destroy()))
  })
  const place = await placeOf(server)
  const swallow = () => {
    for (const [client, upstream] of pairs) {
      client.unpipe(upstream).resume()
      upstream.unpipe(client).resume()
    }
    pairs = []
  }
  return { place, swallow }
}

test('who has lost a connection that stands here is met anew over the next one', async () => {
  let laterMs = 0
  const clock = { ...systemClock, monotonicMs: () => systemClock.monotonicMs() + laterMs }
  const [one, other] = [await startNode(), await startNode(clock)]
  const wire = await makeWire(other.node.port as number)
  const addresses = [`${wire.place}/p2p/${other.node.id}`]
  await one.node.dial(addresses, never)
  await eventually(() => expect(other.told).toEqual(['up']))
  wire.swallow()
  laterMs = 20_000
  await one.node.hangUp(other.node.id)
  await one.node.dial(addresses, never)
  await eventually(() => expect(other.told).toEqual(['up', 'down', 'up']))
  expect(one.told).toEqual(['up', 'down', 'up'])
})

test('a dial that goes on when the peer has come by itself makes no second connection', async () => {
  const [one, other] = [await startNode(), await startNode()]
  const silent = [await silence(), await silence(), await silence()]
  const places = [...silent, `/ip4/127.0.0.1/tcp/${other.node.port}`]
  const dialling = one.node.dial(
    places.map((place) => `${place}/p2p/${other.node.id}`),
    never
  )
  await other.node.dial(one.node.addresses(), never)
  expect(await dialling).toMatchObject({ id: other.node.id, dialled: false })
  expect([one.told, other.told]).toEqual([['up'], ['up']])
})

test('a dial to the bare address of who is connected leaves that connection', async () => {
  let aheadMs = 0
  const clock: Clock = { ...systemClock, monotonicMs: () => systemClock.monotonicMs() + aheadMs }
  const [one, other] = [await startNode(clock), await startNode(clock)]
  const [address = ''] = other.node.addresses()
  const bare = address.replace(/\/p2p\/.*$/, '')
  for (const place of [address, bare, bare]) {
    expect(await one.node.dial([place], never)).toMatchObject({ id: other.node.id })
    aheadMs += 60_000
  }
  expect([one.told, other.told]).toEqual([['up'], ['up']])
})
