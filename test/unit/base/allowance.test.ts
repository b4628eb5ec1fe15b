import { expect, test } from 'vitest'
import { Allowance } from '../../../src/base/allowance.ts'

const turns = () => new Promise((resolve) => setImmediate(resolve))

test('many small ones run at one time, few large ones, in the order of asking', async () => {
  const allowance = new Allowance(10)
  const ends: (() => void)[] = []
  const begun: number[] = []
  const run = (bytes: number) =>
    allowance.run(bytes, () => {
      begun.push(bytes)
      return new Promise<void>((resolve) => ends.push(resolve))
    })
  const all = [4, 5, 6, 1, 99].map(run)
  await turns()
  expect(begun).toEqual([4, 5])
  ends[0]?.()
  await turns()
  expect(begun).toEqual([4, 5])
  ends[1]?.()
  await turns()
  expect(begun).toEqual([4, 5, 6, 1])
  for (const end of ends) end()
  await turns()
  expect(begun.at(-1)).toBe(99)
  ends.at(-1)?.()
  await Promise.all(all)
})

test('a task that fails gives its bytes back', async () => {
  const allowance = new Allowance(10)
  await expect(allowance.run(10, () => Promise.reject(new Error('no')))).rejects.toThrow('no')
  expect(await allowance.run(10, async () => 'done')).toBe('done')
})
