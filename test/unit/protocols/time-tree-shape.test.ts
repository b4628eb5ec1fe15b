import { describe, expect, test } from 'vitest'
import {
  childIndex,
  childKey,
  childrenMax,
  LEAF_LEVEL,
  parseTreeKey,
  ROOT_KEY,
  treeKey,
  versionsOf
} from '../../../protocols/time-tree-shape.ts'
import { versionAt } from '../../../protocols/version.ts'
import { WireError } from '../../../protocols/wire-error.ts'
import { treeKeys } from '../../../src/index/time-tree.ts'

const times = [0, 1, 65_535, 65_536, 2 ** 24, 2 ** 32 - 1, 2 ** 32, 1_700_000_000_000, 2 ** 48 - 1]

describe('nodes of the time tree', () => {
  test.each(times)('of %i ms are those of the index', (ms) => {
    expect([0, 1, 2, 3].map((level) => treeKey(level, ms))).toEqual(treeKeys(versionAt(ms)))
  })

  test.each(times)('of %i ms lead down from the root, and cover it', (ms) => {
    let key = ROOT_KEY
    for (let level = 1; level <= LEAF_LEVEL; level++) {
      const next = treeKey(level, ms)
      expect(childKey(key, childIndex(next))).toBe(next)
      expect(childIndex(next)).toBeLessThan(childrenMax(key))
      key = next
      const { first, end } = versionsOf(key)
      expect(versionAt(ms) >= first && versionAt(ms) < end).toBe(true)
    }
    expect(childrenMax(key)).toBe(0)
  })

  test('names are parsed back, and nothing else is', () => {
    for (const ms of times) {
      for (const level of [0, 1, 2, 3]) expect(parseTreeKey(treeKey(level, ms))).toHaveLength(9)
    }
    const wrong = [
      '',
      '0',
      '000000001',
      '100010000',
      '201000000',
      '400000000',
      '30000000G',
      '3fFFFFFFF'
    ]
    for (const text of wrong) expect(() => parseTreeKey(text)).toThrow(WireError)
  })
})
