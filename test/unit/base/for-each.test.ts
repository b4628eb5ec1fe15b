import { expect, test } from 'vitest'
import { forEachAtOnce } from '../../../src/base/for-each.ts'

const turn = () => new Promise((resolve) => setImmediate(resolve))

test('runs so many at once and no more', async () => {
  let running = 0
  let most = 0
  await forEachAtOnce([1, 2, 3, 4, 5, 6, 7], 3, async () => {
    most = Math.max(most, ++running)
    await turn()
    running--
  })
  expect([most, running]).toEqual([3, 0])
})

test.each(['the source', 'a task'])(
  'fails when %s does, after what is running has ended',
  async (who) => {
    let ended = 0
    async function* source() {
      yield 1
      yield 2
      if (who === 'the source') throw new Error('broken')
      yield 3
    }
    const work = forEachAtOnce(source(), 4, async (item) => {
      if (item === 3) throw new Error('broken')
      await turn()
      ended++
    })
    await expect(work).rejects.toThrow('broken')
    expect(ended).toBe(2)
  }
)
