import { expect, test } from 'vitest'
import { DueQueue } from '../../../src/base/due-queue.ts'
import { seededRandom } from '../../support/seeded-random.ts'

test.each([0, 1, 2, 3, 1000])('%i come out in the order in which they are due', (count) => {
  const random = seededRandom(count)
  const queue = new DueQueue<number>()
  const times = Array.from({ length: count }, () => Math.floor(random() * 100))
  for (const [item, atMs] of times.entries()) queue.put({ item, atMs })
  expect([queue.size, queue.first?.atMs]).toEqual([
    count,
    count > 0 ? Math.min(...times) : undefined
  ])
  const out = times.map(() => queue.take())
  expect(out.map((due) => due?.atMs)).toEqual(times.toSorted((a, b) => a - b))
  expect(new Set(out.map((due) => due?.item)).size).toBe(count)
  expect([queue.take(), queue.first, queue.size]).toEqual([undefined, undefined, 0])
})

test('some are put in while others are taken out', () => {
  const random = seededRandom(7)
  const queue = new DueQueue<string>()
  let all: number[] = []
  for (let n = 0; n < 2000; n++) {
    if (random() < 0.6) {
      const atMs = Math.floor(random() * 1000)
      queue.put({ item: 'x', atMs })
      all.push(atMs)
    } else {
      const least = all.length > 0 ? Math.min(...all) : undefined
      expect(queue.take()?.atMs).toBe(least)
      if (least !== undefined) all = all.toSpliced(all.indexOf(least), 1)
    }
  }
  expect(queue.size).toBe(all.length)
  queue.clear()
  expect(queue.take()).toBeUndefined()
})
