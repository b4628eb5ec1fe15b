import { expect, test } from 'vitest'
import { CounterTable } from '../../../src/network/counters.ts'

test('counts by peer, and forgets the one that was silent longest', () => {
  const counters = new CounterTable()
  counters.received('a', 5)
  counters.sent('a', 7)
  counters.fault('b')
  expect(counters.get('a')).toEqual({ bytesIn: 5, bytesOut: 7, faults: 0 })
  expect(counters.get('b').faults).toBe(1)
  expect(counters.get('c')).toEqual({ bytesIn: 0, bytesOut: 0, faults: 0 })
  expect(counters.total).toEqual({ bytesIn: 5, bytesOut: 7 })
  for (let id = 0; id < 999; id++) {
    counters.received(`peer ${id}`, 1)
    counters.received('a', 1)
  }
  expect(counters.get('a').bytesIn).toBe(1004)
  expect(counters.get('b').faults).toBe(0)
})
