import { expect, test } from 'vitest'
import { RateBucket } from '../../../src/base/rate-bucket.ts'
import { ManualClock } from '../../support/manual-clock.ts'

test('without a limit nothing waits', () => {
  const bucket = new RateBucket(new ManualClock(), undefined)
  bucket.take(1e12)
  expect([bucket.waitMs, bucket.perSecond]).toEqual([0, undefined])
})

test('what was taken too early is waited for', () => {
  const clock = new ManualClock()
  const bucket = new RateBucket(clock, 1000)
  expect(bucket.waitMs).toBe(0)
  bucket.take(2500)
  expect(bucket.waitMs).toBe(2500)
  clock.advance(2499)
  expect(bucket.waitMs).toBe(1)
  clock.advance(1)
  expect(bucket.waitMs).toBe(0)
})

test('who was quiet for long has a second of it at once, not more', () => {
  const clock = new ManualClock()
  const bucket = new RateBucket(clock, 1000)
  clock.advance(3_600_000)
  bucket.take(1500)
  expect(bucket.waitMs).toBe(500)
})

test('another limit forgives debts, the same one does not', () => {
  const clock = new ManualClock()
  const bucket = new RateBucket(clock, 1000)
  bucket.take(60_000)
  bucket.perSecond = 1000
  expect(bucket.waitMs).toBe(60_000)
  bucket.perSecond = 2000
  expect(bucket.waitMs).toBe(0)
  bucket.take(2000)
  expect(bucket.waitMs).toBe(1000)
})
