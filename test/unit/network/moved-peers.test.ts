import { multiaddr } from '@multiformats/multiaddr'
import { beforeEach, expect, test } from 'vitest'
import { systemRandom } from '../../../src/base/clock.ts'
import { silentLog } from '../../../src/base/log.ts'
import { type Asked, MovedPeers } from '../../../src/network/moved-peers.ts'
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
  let heard = true
  const link: Asked = {
    connection: { remoteAddr: before, abort: () => void calls.push('given up') },
    takeHeard: () => {
      const was = heard
      heard = false
      return was
    },
    pingQuietly: () => {
      calls.push('pinged')
      heard = isAlive
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
