import { describe, expect, test } from 'vitest'
import { CounterTable } from '../../../src/network/counters.ts'
import { PeerLink } from '../../../src/network/peer-link.ts'
import { PeerTable } from '../../../src/network/peer-table.ts'
import { FakeConnection } from '../../support/fake-connection.ts'
import { FakeStream } from '../../support/fake-stream.ts'
import { ManualClock } from '../../support/manual-clock.ts'

function setUp(ownId = 'a') {
  const clock = new ManualClock()
  const table = new PeerTable({ clock }, ownId)
  const seen: string[] = []
  table.onPeer(({ id, dialled }, event) => seen.push(`${event} ${id} ${dialled}`))
  const open = (peerId: string, direction: 'inbound' | 'outbound') => {
    const connection = new FakeConnection(peerId, direction)
    const link = new PeerLink(connection.asConnection, new CounterTable(), clock)
    table.add(link)
    return { connection, link }
  }
  return { clock, table, seen, open }
}

describe('connected peers', () => {
  test('come and go', () => {
    const { table, seen, open } = setUp()
    const { connection, link } = open('b', 'outbound')
    expect(table.get('b')).toBe(link)
    expect(table.find(connection.asConnection)).toBe(link)
    expect(table.peers()).toEqual([link.peer])
    table.remove(connection.asConnection)
    table.remove(connection.asConnection)
    expect([table.get('b'), table.peers()]).toEqual([undefined, []])
    expect(seen).toEqual(['up b true', 'down b true'])
  })

  test('of two that crossed, the one of the lower id is used and the other closed when idle', () => {
    const { table, seen, open, clock } = setUp('a')
    const first = open('b', 'inbound')
    const second = open('b', 'outbound')
    expect(table.get('b')).toBe(second.link)
    expect(table.links('b')).toHaveLength(2)
    clock.advance(4_999)
    expect(first.connection.streams).toHaveLength(0)
    clock.advance(1)
    expect(first.connection.streams).toHaveLength(1) // it is asked whether anybody is there
    clock.advance(2_999)
    expect(first.connection.closed).toBe(0)
    clock.advance(1)
    expect([first.connection.closed, second.connection.closed]).toEqual([1, 0])
    table.remove(first.connection.asConnection)
    expect(seen).toEqual(['up b true'].map((line) => line.replace('true', 'false')))
  })

  test('the side that dialled the loser closes it soon, but not while a stream is open', () => {
    const { open, clock } = setUp('c')
    const lost = open('b', 'outbound')
    const stream = new FakeStream()
    lost.link.adopt(stream.asStream)
    open('b', 'inbound')
    clock.advance(10_000)
    expect(lost.connection.closed).toBe(0)
    expect(stream.status).toBe('open')
    stream.loseConnection()
    clock.advance(1_000)
    expect(lost.connection.closed).toBe(1)
  })

  test('who connects anew has lost all that was before: it goes, and comes', () => {
    const { table, seen, open, clock } = setUp('a')
    const old = open('b', 'outbound')
    const crossed = open('b', 'inbound')
    const during: unknown[] = []
    table.onPeer((_, event) => during.push([event, table.get('b')]))
    const waiting = new FakeStream()
    old.link.adopt(waiting.asStream)
    clock.advance(6_000)
    const next = open('b', 'inbound')
    const inVain = () =>
      [old, crossed, next].map(({ connection }) => connection.fault !== undefined)
    expect(during).toEqual([
      ['down', undefined],
      ['up', next.link]
    ])
    expect([waiting.status, inVain()]).toEqual(['aborted', [false, false, false]])
    clock.advance(3_000)
    expect(inVain()).toEqual([true, true, false])
    table.remove(old.connection.asConnection)
    table.remove(crossed.connection.asConnection)
    clock.advance(10_000)
    expect([table.links('b'), next.connection.closed]).toEqual([[next.link], 0])
    expect(seen).toEqual(['up b true', 'down b true', 'up b false'])
  })

  test.each([
    ['inbound', 1_000],
    ['inbound', 6_000],
    ['outbound', 1_000],
    ['outbound', 6_000]
  ] as const)(
    'of two nodes with one identity both stay: the first is %s, the second comes after %i ms',
    async (direction, ms) => {
      const { table, open, clock } = setUp('a')
      const links = [open('b', direction)]
      for (const wait of [ms, 60_000]) {
        clock.advance(wait)
        links.push(open('b', 'inbound'))
        for (let n = 0; n < 20; n++) {
          clock.advance(1_000)
          for (const { connection } of links) await connection.answer()
        }
      }
      expect(new Set(table.links('b'))).toEqual(new Set(links.map(({ link }) => link)))
      for (const { connection } of links) {
        expect([connection.closed, connection.fault]).toEqual([0, undefined])
      }
    }
  )

  test('the one that is left is used when the better one breaks', () => {
    const { table, seen, open, clock } = setUp('a')
    const left = open('b', 'inbound')
    const better = open('b', 'outbound')
    table.remove(better.connection.asConnection)
    expect(table.get('b')).toBe(left.link)
    clock.advance(20_000)
    expect(left.connection.closed).toBe(0)
    table.remove(left.connection.asConnection)
    expect(seen).toEqual(['up b false', 'down b false'])
  })
})
