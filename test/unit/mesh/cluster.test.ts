import { expect, test } from 'vitest'
import {
  type ClusterFacts,
  clusterText,
  factsAfter,
  offerOf,
  planTaking,
  readClusterText,
  sumOf
} from '../../../src/mesh/cluster.ts'

const secretOf = (byte: number) => new Uint8Array(32).fill(byte)
const offer = { cluster: 'default', secret: secretOf(5), decidedMs: 1000 }
const open: ClusterFacts = { name: 'default', secret: undefined, isFixed: false, decidedMs: 0 }

test.each<[string, Partial<ClusterFacts>, string]>([
  ['has none', {}, 'take'],
  ['has the same', { secret: secretOf(5), decidedMs: 7 }, 'same'],
  ['has the same, set by hand', { secret: secretOf(5), isFixed: true }, 'same'],
  ['has another, set by hand', { secret: secretOf(9), isFixed: true }, 'refuse'],
  ['has the same under another name', { name: 'x', secret: secretOf(5), decidedMs: 7 }, 'take'],
  ['has an older one', { secret: secretOf(9), decidedMs: 999 }, 'take'],
  ['has a newer one', { secret: secretOf(1), decidedMs: 1001 }, 'keep'],
  ['has a smaller one of the same moment', { secret: secretOf(1), decidedMs: 1000 }, 'take'],
  ['has a greater one of the same moment', { secret: secretOf(9), decidedMs: 1000 }, 'keep']
])('a node that %s', (_, facts, taking) => {
  expect(planTaking({ ...open, ...facts }, offer)).toBe(taking)
})

test('of two decisions both sides choose the same one', () => {
  const sides = [offer, { ...offer, secret: secretOf(6) }, { ...offer, decidedMs: 999 }]
  for (const a of sides) {
    for (const b of sides) {
      const facts = { ...open, secret: b.secret, decidedMs: b.decidedMs }
      const back = { ...open, secret: a.secret, decidedMs: a.decidedMs }
      const takings = [planTaking(facts, a), planTaking(back, b)].toSorted()
      expect([
        ['keep', 'take'],
        ['same', 'same']
      ]).toContainEqual(takings)
    }
  }
})

test('what is kept is read again; what is none is named with its file', () => {
  const once = { ...open, secret: secretOf(5), decidedMs: 1000 }
  const former = { secret: secretOf(4), untilMs: 7, isRotated: true }
  for (const facts of [once, { ...once, isRotated: true }, { ...once, isRotated: true, former }]) {
    const kept = readClusterText(clusterText(facts), 'f')
    expect(clusterText(kept)).toBe(clusterText(facts))
    expect([kept.name, kept.decidedMs, kept.isFixed]).toEqual(['default', 1000, false])
    expect(Uint8Array.from(kept.secret ?? [])).toEqual(secretOf(5))
  }
  const list = JSON.stringify({ cluster: 'x', secret: ['07'.repeat(32)] })
  for (const text of ['', '{}', '{"cluster":"x","secret":"12"}', list]) {
    expect(() => readClusterText(text, '/data/cluster.json')).toThrow('/data/cluster.json')
  }
})

test('the secret of before opens on where that is meant, and nowhere else', () => {
  const mine = { ...open, secret: secretOf(4), decidedMs: 5 }
  const rotation = { formerUntilMs: 200, former: sumOf(secretOf(4)) }
  const former = { secret: secretOf(4), untilMs: 200, isRotated: false }
  const after = factsAfter(mine, { ...offer, rotation }, 100)
  expect(after).toMatchObject({ secret: secretOf(5), isRotated: true, former })
  expect(offerOf(after)).toEqual({ ...offer, rotation })
  const again = { ...offer, rotation: { formerUntilMs: 300, former: sumOf(secretOf(5)) } }
  expect(factsAfter(after, again, 100).former).toMatchObject({ isRotated: true })
  // of two decisions at once both meant the one of before
  const other = { ...after, secret: secretOf(6), decidedMs: 999 }
  expect(factsAfter(other, { ...offer, rotation }, 100)).toMatchObject({
    ...{ secret: secretOf(5), former }
  })
  for (const [facts, taken, nowMs] of [
    [mine, { ...offer, rotation }, 200],
    [mine, { ...offer, rotation: { ...rotation, former: sumOf(secretOf(9)) } }, 100],
    [{ ...mine, name: 'x' }, { ...offer, rotation }, 100],
    [{ ...mine, secret: undefined }, { ...offer, rotation }, 100],
    [mine, offer, 100]
  ] as const) {
    expect(factsAfter(facts, taken, nowMs).former).toBeUndefined()
  }
})
