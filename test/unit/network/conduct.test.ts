import { beforeEach, expect, test } from 'vitest'
import { WireError } from '../../../protocols/wire-error.ts'
import { silentLog } from '../../../src/base/log.ts'
import { isViolation } from '../../../src/network/conduct.ts'
import { CounterTable } from '../../../src/network/counters.ts'
import { ManualClock } from '../../support/manual-clock.ts'

const BAD = new WireError('TOO_LARGE', 'a frame of 2 GiB')
let clock: ManualClock
let table: CounterTable
let rested: string[]
beforeEach(() => {
  clock = new ManualClock()
  table = new CounterTable({ clock, log: silentLog })
  rested = []
  table.onRest = (id) => rested.push(id)
})
const violate = (times: number) => {
  for (let n = 0; n < times; n++) table.fault('p', BAD)
}

test('a few violations are forgiven, then the peer rests, each time for twice as long', () => {
  violate(4)
  expect([rested, table.rests('p')]).toEqual([[], false])
  let restMs = 10_000
  for (let n = 0; n < 8; n++) {
    violate(n === 0 ? 1 : 5)
    expect([rested.length, table.rests('p'), table.rests('other')]).toEqual([n + 1, true, false])
    clock.advance(restMs - 1)
    expect(table.rests('p')).toBe(true)
    clock.advance(1)
    expect(table.rests('p')).toBe(false)
    restMs = Math.min(2 * restMs, 600_000)
  }
  expect(table.get('p').faults).toBe(4 + 1 + 7 * 5)
})

test('after an hour without any it begins anew', () => {
  violate(5)
  clock.advance(3_600_001)
  violate(4)
  expect(table.rests('p')).toBe(false)
  violate(1)
  clock.advance(10_000)
  expect(table.rests('p')).toBe(false)
})

test('what breaks off, and troubles of our own, are counted and are no violation', () => {
  for (let n = 0; n < 100; n++) {
    table.fault('p', new WireError('TRUNCATED', 'it ended'))
    table.fault('p', new Error('the disk failed'))
    table.fault('p')
  }
  expect([table.get('p').faults, rested]).toEqual([300, []])
  expect([isViolation(BAD), isViolation(undefined)]).toEqual([true, false])
})

test('no number of peers makes it grow', () => {
  for (let n = 0; n < 3000; n++) for (let k = 0; k < 5; k++) table.fault(`p${n}`, BAD)
  expect([table.rests('p0'), table.rests('p2999')]).toEqual([false, true])
})
