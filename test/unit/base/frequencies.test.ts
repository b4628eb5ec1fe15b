import { expect, test } from 'vitest'
import { Frequencies } from '../../../src/base/frequencies.ts'

test('a key is counted never too low, and hardly ever too high', () => {
  const asked = new Frequencies(2 ** 12)
  const times = (n: number) => 1 + (n % 5)
  for (let n = 0; n < 1000; n++) for (let k = 0; k < times(n); k++) asked.add(`/images/${n}.jpg`)
  const wrong = Array.from({ length: 1000 }, (_, n) => asked.of(`/images/${n}.jpg`) - times(n))
  expect(Math.min(...wrong)).toBe(0)
  expect(wrong.filter((by) => by > 0).length).toBeLessThan(30)
  expect(asked.of('/images/never.jpg')).toBeLessThanOrEqual(1)
})

test('it says how often the key came, up to a bound', () => {
  const asked = new Frequencies(2 ** 10)
  expect(Array.from({ length: 3 }, () => asked.add('a'))).toEqual([1, 2, 3])
  for (let n = 0; n < 100; n++) asked.add('a')
  expect(asked.of('a')).toBe(15)
})

test('what came long ago counts less and less', () => {
  const asked = new Frequencies(2 ** 8)
  for (let n = 0; n < 15; n++) asked.add('old')
  for (let n = 0; n < 2 ** 13; n++) asked.add(`k${n % 64}`)
  expect(asked.of('old')).toBeLessThan(4)
})
