import { expect, test } from 'vitest'
import {
  type ClusterFacts,
  clusterText,
  planTaking,
  readClusterText
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
  const kept = readClusterText(clusterText(offer), 'f')
  expect({ ...kept, secret: Uint8Array.from(kept.secret) }).toEqual(offer)
  const list = JSON.stringify({ cluster: 'x', secret: ['07'.repeat(32)] })
  for (const text of ['', '{}', '{"cluster":"x","secret":"12"}', list]) {
    expect(() => readClusterText(text, '/data/cluster.json')).toThrow('/data/cluster.json')
  }
})
