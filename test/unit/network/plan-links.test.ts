import { expect, test } from 'vitest'
import { planLinks } from '../../../src/network/plan-links.ts'

const ids = { own: 'a', peer: 'b' }
const back = { own: 'b', peer: 'a' }

test('of dials that cross, both sides keep the one of the lower id, whichever they saw first', () => {
  for (const [first, second] of [
    [true, false],
    [false, true]
  ] as const) {
    const [older, newer] = [
      { dialled: first, openedMs: 100 },
      { dialled: second, openedMs: 140 }
    ]
    const keptByA = planLinks(older, newer, ids) === 'older' ? older : newer
    expect(keptByA.dialled).toBe(true)
    const keptByB = planLinks(older, newer, back) === 'older' ? older : newer
    expect(keptByB.dialled).toBe(false)
  }
})

test('a peer that dials long after has lost the older connection, and is met anew', () => {
  const older = { dialled: true, openedMs: 0 }
  const newer = { dialled: false, openedMs: 5_001 }
  expect(planLinks(older, newer, ids)).toBe('anew')
  expect(planLinks(older, { ...newer, dialled: true }, ids)).toBe('anew')
  expect(planLinks({ ...older, dialled: false }, { ...newer, dialled: true }, back)).toBe('anew')
})

test('of two that the same side dialled the newer stays', () => {
  const older = { dialled: false, openedMs: 0 }
  expect(planLinks(older, { dialled: false, openedMs: 1 }, ids)).toBe('newer')
})
