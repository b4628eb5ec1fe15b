import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  type Change,
  type ChangeGroup,
  ChangeGroups,
  Confirmations,
  confirmationText,
  GROUPS_MAX,
  readConfirmation
} from '../../../src/flows/plan-confirmations.ts'

const group = (writer: string, count: number, fromMs = 0, toMs = 1000): ChangeGroup => {
  return { writer, count, fromMs, toMs }
}
const NOW_MS = 1_700_000_000_000

const heard = (...groups: ChangeGroup[]) => {
  const all = new Confirmations()
  all.hear('a', 'x', { token: 't', groups }, 0)
  return all
}

test('lets nothing through before it has released a brake', () => {
  const all = heard(group('a', 2))
  expect(all.take({ writer: 'a', ms: 5 }, 0)).toBe(false)
  const unused = all.anew()
  expect(all.accept(unused)).toEqual([])
  expect(all.take({ writer: 'a', ms: 5 }, 0)).toBe(false)
  const used = all.anew()
  used.take({ writer: 'a', ms: 5 }, 0)
  expect(all.accept(used)).toEqual([{ by: 'a', from: 'x' }])
  const more = [1, 2].map(() => all.take({ writer: 'a', ms: 5 }, 0))
  expect(more).toEqual([true, false]) // one was used up by that
})

test('lets through so many changes of that writer between these versions, and none later', () => {
  const all = heard(group('a', 2, 10, 20)).anew()
  expect(all.take({ writer: 'b', ms: 15 }, 0)).toBe(false)
  expect(all.take({ writer: 'a', ms: 9 }, 0)).toBe(false)
  expect(all.take({ writer: 'a', ms: 21 }, 0)).toBe(false)
  expect([1, 2, 3].map(() => all.take({ writer: 'a', ms: 15 }, 0))).toEqual([true, true, false])
})

test('one that has grown lets through what it has grown by, and another one nothing', () => {
  const all = heard(group('a', 1)).anew()
  const take = () => all.take({ writer: 'a', ms: 5 }, 0)
  expect([take(), take()]).toEqual([true, false])
  all.hear('a', 'x', { token: 't', groups: [group('a', 1)] }, 0) // told again
  expect(take()).toBe(false)
  all.hear('a', 'x', { token: 't', groups: [group('a', 2)] }, 0)
  expect([take(), take()]).toEqual([true, false])
  all.hear('a', 'x', { token: 'u', groups: [group('a', 9)] }, 0)
  expect(take()).toBe(false)
})

test('is good for ten minutes', () => {
  const all = heard(group('a', 9)).anew()
  expect(all.take({ writer: 'a', ms: 5 }, 10 * 60_000 - 1)).toBe(true)
  expect(all.take({ writer: 'a', ms: 5 }, 10 * 60_000)).toBe(false)
  expect([all.areAny(10 * 60_000 - 1), all.areAny(10 * 60_000)]).toEqual([true, false])
})

test('what is confirmed of the future, or by nonsense, is not', () => {
  const read = (value: unknown) => readConfirmation(Buffer.from(JSON.stringify(value)), NOW_MS)
  const groups = [
    group('a', 5, 0, NOW_MS + 3_600_000),
    group('a', 5, 9, 8),
    group('', 5),
    group('a', -1),
    group('a', 1e9),
    group('a', 0.5),
    null,
    { writer: 'b', count: 1, fromMs: '0', toMs: 1 }
  ]
  expect(read({ token: 't', groups })).toEqual({ token: 't', groups: [] })
  for (const value of [null, 1, 'x', {}, { token: 't' }, { token: 1, groups: [] }]) {
    expect(read(value)).toBeUndefined()
  }
  expect(readConfirmation(Buffer.from('{'), NOW_MS)).toBeUndefined()
  expect(readConfirmation(undefined, NOW_MS)).toBeUndefined()
})

test('a confirmation of very many writers fits a record', () => {
  const groups = new ChangeGroups()
  for (let n = 0; n < 100; n++) groups.add({ writer: `${n}`.padEnd(60, 'x'), ms: NOW_MS + n })
  expect(groups.list()).toHaveLength(GROUPS_MAX)
  const text = confirmationText({ token: '0'.repeat(16), groups: groups.list() })
  expect(text.byteLength).toBeLessThan(4096)
  expect(readConfirmation(text, NOW_MS)?.groups).toEqual(groups.list())
})

const changeOf = fc.record({
  writer: fc.constantFrom('a', 'b'),
  ms: fc.integer({ min: 0, max: 50 })
})

test('never lets through more than was confirmed, and all of that, in whatever order', () => {
  fc.assert(
    fc.property(fc.array(changeOf), fc.array(changeOf), (meant: Change[], others: Change[]) => {
      const groups = new ChangeGroups()
      for (const change of meant) groups.add(change)
      const all = heard(...groups.list()).anew()
      expect(meant.every((change) => all.anew().take(change, 0))).toBe(true)
      const passed = [...others, ...meant].filter((change) => all.take(change, 0))
      for (const { writer, count } of groups.list()) {
        expect(passed.filter((one) => one.writer === writer).length).toBe(count)
      }
      expect(passed.length).toBe(meant.length)
    })
  )
})
