import fc from 'fast-check'
import { expect, test } from 'vitest'
import { SetSum } from '../../../src/index/set-sum.ts'

function sumOf(members: readonly (string | readonly [string, string | Uint8Array])[]): SetSum {
  const sum = new SetSum()
  for (const member of members) {
    if (typeof member === 'string') sum.add(member)
    else sum.add(...member)
  }
  return sum
}

test('the order of the members does not count, nor where one is divided', () => {
  fc.assert(
    fc.property(fc.array(fc.string()), fc.nat(), (members, at) => {
      const cut = (text: string) => [text.slice(0, at), text.slice(at)] as const
      expect(sumOf(members).isSame(sumOf(members.toReversed().map(cut)))).toBe(true)
    })
  )
})

test('a member more, less, twice or changed by a bit does', () => {
  const bytes = fc.uint8Array({ minLength: 1, maxLength: 200 })
  fc.assert(
    fc.property(fc.array(bytes, { minLength: 1 }), fc.nat(), fc.nat(), (members, of, bit) => {
      const before = sumOf(members.map((member) => ['', member] as const))
      const at = of % members.length
      const changed = (members[at] as Uint8Array).slice()
      const byte = bit % changed.length
      changed[byte] = (changed[byte] as number) ^ (1 << (bit % 8))
      const others = [
        members.with(at, changed),
        members.toSpliced(at, 1),
        [...members, members[at] as Uint8Array],
        members.toSpliced(at, 1, changed, new Uint8Array(0))
      ]
      for (const other of others) {
        expect(sumOf(other.map((member) => ['', member] as const)).isSame(before)).toBe(false)
      }
    })
  )
})
