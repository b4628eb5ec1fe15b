import { expect, test } from 'vitest'
import type { ContentHash } from '../../../protocols/hash.ts'
import { Transfers } from '../../../src/blob-sync/transfers.ts'
import { ManualClock } from '../../support/manual-clock.ts'

const hash = 'ab'.repeat(32) as ContentHash

test('a transfer is listed from its first byte to its last, however it ends', async () => {
  const clock = new ManualClock()
  const transfers = new Transfers(clock)
  const start = { hash, peerId: 'p', bytesDone: 500, bytes: 2500 }
  async function* body() {
    yield new Uint8Array(1000)
    throw new Error('broken')
  }
  const coming = transfers.counted(start, body())
  expect(transfers.list()).toEqual([])
  await coming.next()
  clock.advance(1000)
  const [one] = transfers.list()
  expect(one).toMatchObject({ ...start, bytesDone: 1500, startedAtMs: clock.now() - 1000 })
  expect(one?.rate).toBeGreaterThan(500)
  expect(transfers.rate).toBeGreaterThan(500)
  await expect(coming.next()).rejects.toThrow('broken')
  expect(transfers.list()).toEqual([])
  expect(transfers.received).toEqual({ blobs: 0, bytes: 1000 })
  transfers.arrived()
  expect(transfers.received.blobs).toBe(1)
})
