import { expect, test } from 'vitest'
import { RecentRows } from '../../../src/index/recent-rows.ts'

test('what was set last is known, absence included, and the oldest is forgotten', () => {
  const rows = new RecentRows()
  rows.set('gone', undefined)
  rows.set('a', 1)
  rows.set('a', 2)
  expect([rows.has('gone'), rows.get('gone'), rows.get('a'), rows.has('b')]).toEqual([
    true,
    undefined,
    2,
    false
  ])
  for (let n = 0; n < 1024; n++) rows.set(`x${n}`, n)
  expect(rows.get('a')).toBe(2)
  for (let n = 0; n < 1025; n++) rows.set(`y${n}`, n)
  expect([rows.has('a'), rows.get('y1024'), rows.get('y0')]).toEqual([false, 1024, 0])
})

test('nothing is kept of a key while it is held', () => {
  const rows = new RecentRows()
  rows.set('old', 1)
  for (let n = 0; n < 1024; n++) rows.set(`x${n}`, n)
  rows.set('young', 2)
  for (const key of ['old', 'young', 'young']) rows.hold(key)
  expect(['old', 'young'].map((key) => rows.has(key))).toEqual([false, false])
  rows.set('young', 3)
  rows.release('young')
  rows.set('young', 4)
  expect(rows.has('young')).toBe(false)
  rows.release('young')
  rows.set('young', 5)
  expect(rows.get('young')).toBe(5)
  rows.clear()
  expect([rows.has('x1'), rows.has('old')]).toEqual([false, false])
})
