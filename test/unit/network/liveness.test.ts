import { expect, test } from 'vitest'
import { systemRandom } from '../../../src/base/clock.ts'
import { silentLog } from '../../../src/base/log.ts'
import { CounterTable } from '../../../src/network/counters.ts'
import { startLiveness } from '../../../src/network/liveness.ts'
import { PeerLink } from '../../../src/network/peer-link.ts'
import { FakeConnection } from '../../support/fake-connection.ts'
import { FakeStream } from '../../support/fake-stream.ts'
import { ManualClock } from '../../support/manual-clock.ts'

function watching() {
  const clock = new ManualClock()
  const connection = new FakeConnection('b', 'outbound')
  const link = new PeerLink(connection.asConnection, new CounterTable(), clock)
  const parts = { clock, random: systemRandom, log: silentLog }
  const loop = startLiveness({ ...parts, links: () => [link] })
  return { clock, connection, link, loop }
}

test('a peer that says nothing is pinged, and given up after 25 seconds', async () => {
  const { clock, connection, loop } = watching()
  await clock.pass(9_999)
  expect(connection.streams).toHaveLength(0)
  await clock.pass(15_000)
  expect(connection.streams).toHaveLength(1)
  expect(connection.fault).toBeUndefined()
  await clock.pass(5_001)
  expect(connection.fault?.message).toContain('does not answer')
  await loop.stop()
})

test('a peer that answers pings stays, and each ping ends', async () => {
  const { clock, connection, link, loop } = watching()
  for (let round = 0; round < 10; round++) {
    await clock.pass(5_000)
    for (const stream of connection.streams.filter(({ status }) => status === 'open')) {
      stream.receive(new Uint8Array(32))
      await clock.pass(1)
      expect(stream.writeStatus).toBe('closed')
      stream.receiveEnd()
    }
  }
  expect(link.peer.latencyMs).toBeLessThan(5_000)
  expect(connection.fault).toBeUndefined()
  expect(connection.streams.length).toBeGreaterThan(2)
  await loop.stop()
})

test('a peer that sends or takes bytes is not pinged', async () => {
  const { clock, connection, link, loop } = watching()
  const [up, down] = [new FakeStream(), new FakeStream()]
  up.window = 0
  const writing = link.adopt(up.asStream).write(new Uint8Array(100 * 65_536))
  const source = link.adopt(down.asStream).source[Symbol.asyncIterator]()
  for (let round = 0; round < 8; round++) {
    if (round % 2 === 0) up.drain(65_536)
    else {
      const next = source.next()
      down.receive(new Uint8Array(1))
      await next
    }
    await clock.pass(5_000)
  }
  expect([connection.streams.length, connection.fault]).toEqual([0, undefined])
  up.receiveReset()
  await expect(writing).rejects.toThrow()
  await loop.stop()
})

test('bytes that only lie in a buffer here are no sign of life', async () => {
  const { clock, connection, link, loop } = watching()
  const stream = link.adopt(new FakeStream().asStream)
  for (let round = 0; round < 6; round++) {
    await stream.write(new Uint8Array(100))
    await clock.pass(5_000)
  }
  expect(connection.fault).toBeDefined()
  await loop.stop()
})
