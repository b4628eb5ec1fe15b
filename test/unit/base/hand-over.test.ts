import { expect, test } from 'vitest'
import { HandOver } from '../../../src/base/hand-over.ts'

test('Things arrive in their order, and each put waits until it is taken.', async () => {
  const things = new HandOver<number>()
  const log: string[] = []
  const putting = (async () => {
    for (const one of [1, 2, 3]) {
      await things.put(one)
      log.push(`put ${one}`)
    }
    things.end()
  })()
  for await (const one of things) log.push(`took ${one}`)
  await putting
  expect(log).toEqual(['took 1', 'put 1', 'took 2', 'put 2', 'took 3', 'put 3'])
})

test('Who leaves in the middle does not keep who puts waiting.', async () => {
  const things = new HandOver<number>()
  const putting = things.put(1)
  for await (const _ of things) break
  things.close()
  expect(await putting).toBe(false)
  expect(await things.put(2)).toBe(false)
})

test('A failure reaches the taker after what was put before.', async () => {
  const things = new HandOver<number>()
  const putting = things.put(1).then(() => things.end(new Error('broken')))
  const taken: number[] = []
  const taking = (async () => {
    for await (const one of things) taken.push(one)
  })()
  await expect(taking).rejects.toThrow('broken')
  await putting
  expect(taken).toEqual([1])
})
