import { expect, test } from 'vitest'
import { Turns } from '../../../src/base/turns.ts'

const never = new AbortController().signal

test('runs a few at a time, in their order, and not too many wait', async () => {
  const turns = new Turns({ runningMax: 2, waitingMax: 2 })
  const started: number[] = []
  const ends = Array.from({ length: 4 }, () => Promise.withResolvers<void>())
  const all = ends.map(({ promise }, n) =>
    turns.run(async () => {
      started.push(n)
      await promise
      if (n === 0) throw new Error('broken')
      return n
    }, never)
  )
  const outcomes = Promise.allSettled(all)
  await expect(turns.run(async () => 5, never)).rejects.toMatchObject({ code: 'BUSY' })
  expect(started).toEqual([0, 1])
  ends[0]?.resolve()
  await expect(all[0]).rejects.toThrow('broken')
  expect(started).toEqual([0, 1, 2])
  for (const end of ends) end.resolve()
  expect((await outcomes).map(({ status }) => status)).toEqual([
    'rejected',
    'fulfilled',
    'fulfilled',
    'fulfilled'
  ])
  expect(await turns.run(async () => 6, never)).toBe(6)
})

test('who gives up waiting loses no turn of others', async () => {
  const turns = new Turns({ runningMax: 1, waitingMax: 2 })
  const end = Promise.withResolvers<void>()
  const abort = new AbortController()
  const running = turns.run(() => end.promise, never)
  const leaving = turns.run(async () => 'left', abort.signal)
  const staying = turns.run(async () => 'stayed', never)
  abort.abort(new Error('gone'))
  await expect(leaving).rejects.toThrow('gone')
  await expect(turns.run(async () => 0, abort.signal)).rejects.toThrow('gone')
  end.resolve()
  await running
  expect(await staying).toBe('stayed')
  expect(await turns.run(async () => 'next', never)).toBe('next')
})
