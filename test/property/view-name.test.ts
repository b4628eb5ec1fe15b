// A view name never leaves images/, always fits a disk, and depends on nothing but its input.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type ImagePath, PATH_BYTES_MAX, pathFault } from '../../protocols/path.ts'
import { isViewNameOf, planViewName } from '../../src/store/plan-view-name.ts'

// No character that a path refuses: filtering whole paths would hardly let one through.
const character = fc.oneof(
  fc.constantFrom(...'aAbz019._~-é图😀ﷺ'),
  fc.integer({ min: 0x4e00, max: 0x9fff }).map((code) => String.fromCodePoint(code))
)
const part = fc.oneof(
  fc.string({ unit: character, minLength: 1, maxLength: 20 }),
  fc.string({ unit: character, minLength: 80, maxLength: 300 }),
  fc.constantFrom('a', 'A', 'b.jpg', 'b~0123456789.jpg', '...x', 'é')
)
const path = fc
  .array(part, { minLength: 1, maxLength: 8 })
  .map((parts) => parts.join('/').normalize('NFC'))
  .filter((text) => pathFault(text) === undefined)
  .map((text) => text as ImagePath)
const taken = fc.uniqueArray(fc.nat(8)).map((positions) => new Set(positions))

test('view names stay inside, fit, and come out the same', () => {
  fc.assert(
    fc.property(path, taken, (path, taken) => {
      const name = planViewName(path, taken)
      const parts = name.split('/')
      expect(parts).toHaveLength(path.split('/').length)
      for (const [i, one] of parts.entries()) {
        expect(['', '.', '..']).not.toContain(one)
        expect(Buffer.byteLength(one)).toBeLessThanOrEqual(255)
        expect(one.isWellFormed()).toBe(true)
        if (taken.has(i)) expect(one).toMatch(/~[0-9a-f]{10}/)
      }
      expect(Buffer.byteLength(name)).toBeLessThan(PATH_BYTES_MAX + 8 * 16)
      expect(planViewName(path, new Set(taken))).toBe(name)
    })
  )
})

test('paths that differ get names that differ, whatever is in their way', () => {
  fc.assert(
    fc.property(path, path, taken, taken, (one, other, taken, others) => {
      fc.pre(one !== other)
      expect(planViewName(one, taken)).not.toBe(planViewName(other, others))
    })
  )
})

test('no path is the name of another, though it was made to look so', () => {
  fc.assert(
    fc.property(path, taken, taken, (path, taken, others) => {
      const name = planViewName(path, taken)
      fc.pre(name !== path && pathFault(name) === undefined)
      expect(planViewName(name as ImagePath, others)).not.toBe(name)
    })
  )
})

test('a name is known again as that of its path alone', () => {
  fc.assert(
    fc.property(path, path, taken, (path, other, taken) => {
      fc.pre(path !== other)
      const name = planViewName(path, taken)
      expect([isViewNameOf(name, path), isViewNameOf(name, other)]).toEqual([true, false])
    })
  )
})
