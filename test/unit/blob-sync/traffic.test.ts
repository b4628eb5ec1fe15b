import { expect, test } from 'vitest'
import { PURPOSES, Traffic } from '../../../src/blob-sync/traffic.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { microtasks } from '../../support/microtasks.ts'

function begin() {
  const clock = new ManualClock()
  const traffic = new Traffic({ clock })
  traffic.isRemote = (peerId) => peerId.startsWith('far')
  const never = new AbortController().signal
  return { clock, traffic, never }
}

test('without limits nothing waits', () => {
  const { traffic } = begin()
  for (const purpose of PURPOSES) traffic.asked(purpose, 'far', 1e12)
  expect(PURPOSES.map((purpose) => traffic.waitMs(purpose))).toEqual([0, 0, 0, 0])
  expect([traffic.waitMsOf('far'), traffic.send('far', 1e12)]).toEqual([0, undefined])
})

test('one purpose waits, others do not', () => {
  const { traffic } = begin()
  traffic.change({ receive_catch_up: 100_000 })
  traffic.asked('catch_up', 'a', 300_000)
  traffic.asked('new', 'a', 300_000)
  expect([traffic.waitMs('catch_up'), traffic.waitMs('new')]).toEqual([3000, 0])
  expect(traffic.waitMsOf('a')).toBe(0)
})

test('one server waits for its own bytes, all that are remote for those of each other', () => {
  const { traffic } = begin()
  traffic.change({ receive_per_server: 100_000, receive_remote: 200_000 })
  traffic.asked('reads', 'near', 50_000)
  traffic.asked('catch_up', 'far-1', 400_000)
  expect(traffic.waitMsOf('near')).toBe(500)
  expect(traffic.waitMsOf('far-1')).toBe(4000)
  expect(traffic.waitMsOf('far-2')).toBe(2000)
  expect(traffic.waitMsOf('near-2')).toBe(0)
})

test('what is sent waits for what was sent before it', async () => {
  const { clock, traffic } = begin()
  traffic.change({ send_remote: 100_000 })
  const sent: string[] = []
  const send = async (peerId: string, bytes: number) => {
    await traffic.send(peerId, bytes)
    sent.push(`${peerId} ${bytes}`)
  }
  await send('near', 1e9)
  await send('far-1', 200_000)
  const waiting = send('far-2', 1)
  await microtasks(20)
  expect(sent).toEqual(['near 1000000000', 'far-1 200000'])
  clock.advance(1999)
  await microtasks(20)
  expect(sent).toHaveLength(2)
  clock.advance(1)
  await waiting
  expect(sent).toHaveLength(3)
})

test('a limit that ends lets go what waited, soon', async () => {
  const { clock, traffic, never } = begin()
  traffic.change({ receive_reads: 100_000 })
  let heard = 0
  traffic.onChange(() => heard++)
  traffic.asked('reads', 'a', 100_000_000)
  const turn = traffic.readersTurn(never)
  traffic.change({ receive_reads: undefined })
  expect(heard).toBe(1)
  clock.advance(1000)
  await turn
  expect(traffic.limits.receive_reads).toBeUndefined()
})

test('who sends on a stream that breaks waits no longer and takes no share', async () => {
  const { clock, traffic } = begin()
  traffic.change({ send_per_server: 100_000 })
  const broken = new AbortController()
  await traffic.send('a', 200_000)
  const waiting = traffic.send('a', 500_000, broken.signal)
  const fault = new Error('the peer is gone')
  broken.abort(fault)
  await expect(waiting).rejects.toBe(fault)
  await expect(traffic.send('a', 1, broken.signal)).rejects.toBe(fault)
  clock.advance(2000)
  await traffic.send('a', 1)
})
