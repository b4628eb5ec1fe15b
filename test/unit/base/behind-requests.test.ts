import { expect, test } from 'vitest'
import { BehindRequests } from '../../../src/base/behind-requests.ts'
import { othersTurn } from '../../../src/base/clock.ts'
import { RequestCount } from '../../../src/base/request-count.ts'

function start() {
  const requests = new RequestCount()
  const done: number[] = []
  const behind = new BehindRequests<number>(requests, (n) => done.push(n))
  const ask = (times: number) => {
    for (let n = 0; n < times; n++) requests.note()
  }
  return { done, behind, ask }
}

const upTo = (count: number) => Array.from({ length: count }, (_, n) => n)

test('where nobody asks all is done at once', () => {
  const { done, behind } = start()
  behind.add(upTo(100))
  behind.add([100])
  expect(done).toEqual(upTo(101))
})

test('while many ask a turn does a piece for twenty of them, in order', async () => {
  const { done, behind, ask } = start()
  ask(64)
  behind.add(upTo(50))
  expect(done).toEqual(upTo(3))
  ask(64)
  await othersTurn()
  expect(done).toEqual(upTo(6))
  behind.add([50])
  ask(7)
  await othersTurn()
  expect(done).toEqual(upTo(7))
  behind.flush()
  expect(done).toEqual(upTo(51))
})

test('who takes long to ask again is waited for a little, and not for ever', async () => {
  const { done, behind, ask } = start()
  ask(1)
  behind.add(upTo(200))
  for (let turn = 0; turn < 5; turn++) await othersTurn()
  expect(done.length).toBeLessThanOrEqual(6)
  for (let turn = 0; turn < 20; turn++) await othersTurn()
  expect(done).toEqual(upTo(200))
  behind.add([200])
  expect(done).toHaveLength(201)
})
