import { describe, expect, test } from 'vitest'
import { keyOf, planAttempt, planWait } from '../../../src/network/plan-redial.ts'

describe('waiting before the next dial', () => {
  test('doubles from one second to a minute', () => {
    const waits = [0, 1, 2, 3, 4, 5, 6, 7, 1000].map((failures) => planWait(failures, 0))
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60].map((seconds) => seconds * 1000))
  })

  test('is shortened by chance, to half at most', () => {
    expect(planWait(3, 0.5)).toBe(6_000)
    expect(planWait(6, 0.999)).toBeGreaterThan(30_000)
  })
})

describe('the next attempt', () => {
  const member = { id: 'b', addresses: ['/ip4/10.0.0.1/tcp/1', '/ip4/10.0.0.2/tcp/1'] }
  const before = { failures: 5, nextMs: 99_000, addresses: member.addresses.join(' ') }

  test('is at once for somebody new', () => {
    expect(planAttempt(member, undefined)).toEqual({ failures: 0, nextMs: 0 })
  })

  test('waits for its time at the same addresses', () => {
    expect(planAttempt(member, before)).toMatchObject({ failures: 5, nextMs: 99_000 })
  })

  test('is at once when the addresses have changed', () => {
    const moved = { ...member, addresses: ['/ip4/10.0.0.1/tcp/2'] }
    expect(planAttempt(moved, before)).toEqual({ failures: 0, nextMs: 0 })
  })
})

test('a member without an id is known by its addresses', () => {
  expect(keyOf({ id: 'b', addresses: ['x'] })).toBe('b')
  expect(keyOf({ id: undefined, addresses: ['x', 'y'] })).toBe('x y')
})
