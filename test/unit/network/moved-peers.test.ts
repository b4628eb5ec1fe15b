import { multiaddr } from '@multiformats/multiaddr'
import { beforeEach, expect, test } from 'vitest'
import { systemRandom } from '../../../src/base/clock.ts'
import { silentLog } from '../../../src/base/log.ts'
import { CounterTable } from '../../../src/network/counters.ts'
import { startLiveness } from '../../../src/network/liveness.ts'
import { type Asked, MovedPeers } from '../../../src/network/moved-peers.ts'
import { PeerLink } from '../../../src/network/peer-link.ts'
import { FakeConnection } from '../../support/fake-connection.ts'
import { ManualClock } from '../../support/manual-clock.ts'

const before = multiaddr('/ip4/192.168.7.9/tcp/4001')
const after = multiaddr('/ip4/192.168.7.30/tcp/4001')

let clock: ManualClock
let moved: MovedPeers
let calls: string[]
let isAlive: boolean
beforeEach(() => {
  clock = new ManualClock()
  calls = []
  let signsOfLife = 1
  const link: Asked = {
    connection: { remoteAddr: before, abort: () => void calls.push('given up') },
    get signsOfLife() {
      return signsOfLife
    },
    pingQuietly: () => {
      calls.push('pinged')
      if (isAlive) signsOfLife++
    }
  }
  const links = (id: string) => (id === 'B' ? [link] : [])
  moved = new MovedPeers({ clock, random: systemRandom, log: silentLog, links })
})
const find = (...addresses: (typeof before)[]) =>
  moved.found('B', addresses, () => void calls.push('dialled'))

test('who is found elsewhere and gives no sign of life is given up and dialled there', () => {
  isAlive = false
  find(after)
  find(after)
  clock.advance(2_999)
  expect(calls).toEqual(['pinged'])
  clock.advance(1)
  expect(calls).toEqual(['pinged', 'given up', 'dialled'])
})

test('who answers where it is connected stays there, whatever somebody says of it', () => {
  isAlive = true
  find(after)
  clock.advance(60_000)
  expect(calls).toEqual(['pinged'])
})

test('who is found where it is connected is not asked', () => {
  isAlive = false
  find(after, before)
  moved.found('C', [after], () => void calls.push('dialled'))
  clock.advance(60_000)
  expect(calls).toEqual([])
})

test('nothing is given up after a stop', () => {
  isAlive = false
  find(after)
  moved.stop()
  clock.advance(60_000)
  expect(calls).toEqual(['pinged'])
})

test('who answers stays, also where another one looks for signs of life meanwhile', async () => {
  const connection = new FakeConnection('B', 'outbound')
  const link = new PeerLink(connection.asConnection, new CounterTable(), clock)
  const parts = { clock, random: systemRandom, log: silentLog, links: () => [link] }
  const liveness = startLiveness(parts)
  await clock.pass(3_000)
  new MovedPeers(parts).found('B', [after], () => void calls.push('dialled'))
  await clock.pass(1)
  connection.streams[0]?.receive(new Uint8Array(32))
  await clock.pass(10_000)
  expect([connection.streams.length > 0, connection.fault, calls]).toEqual([true, undefined, []])
  await liveness.stop()
})
