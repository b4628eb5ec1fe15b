import { expect, test } from 'vitest'
import { planHistory } from '../../sim/index-world/plan-history.ts'
import { kindOf, shorten, textOf } from '../../sim/index-world/shorten.ts'

const history = { ...planHistory(1), breakage: 0.03, overtake: true }
const wanted = [3, 17, 30].map((at) => history.steps[at]?.salt)

test('leaves what a fault needs, and makes it simpler', async () => {
  const { history: short } = await shorten(
    history,
    async ({ steps, overtake }) =>
      overtake && wanted.every((salt) => steps.some((step) => step.salt === salt)),
    500
  )
  expect(short.steps.map(({ salt }) => salt)).toEqual(wanted)
  expect(short.steps.every(({ ms }) => ms === 0)).toBe(true)
  expect(short).toMatchObject({ overtake: true, breakage: 0 })
})

test('tries no more than it may', async () => {
  let runs = 0
  const fails = async () => ++runs < 0
  expect(await shorten(history, fails, 7)).toEqual({ history, runs: 7 })
})

test('what it prints is read as the same history', () => {
  expect(JSON.parse(textOf(history))).toEqual(history)
})

test('two faults are alike whoever they are about', () => {
  const one = 'n1 has acknowledged b.svg (deleted by n0, 1699999982442.10), and has it no longer'
  const two = 'n12 has acknowledged c/d.svg (cdce by n3, 1700.0), and has it no longer\nmore'
  expect(kindOf(one)).toBe(kindOf(two))
  expect(kindOf(one)).not.toBe(kindOf('n1 still remembers 1 deletions'))
})
