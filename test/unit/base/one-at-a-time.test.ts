import { expect, test } from 'vitest'
import { oneAtATime } from '../../../src/base/one-at-a-time.ts'
import { settled } from '../../support/microtasks.ts'

test('who asks while it runs shares the next run, which begins afterwards', async () => {
  const ends: (() => void)[] = []
  let running = 0
  const read = oneAtATime(async () => {
    expect(++running).toBe(1)
    await new Promise<void>((resolve) => ends.push(resolve))
    running--
  })
  const first = read()
  await settled()
  const others = [read(), read(), read()]
  await settled()
  expect(ends).toHaveLength(1)
  ends[0]?.()
  await first
  await settled()
  expect(ends).toHaveLength(2)
  ends[1]?.()
  await Promise.all(others)
})

test('a run that fails fails for who asked for it alone', async () => {
  let runs = 0
  const read = oneAtATime(async () => {
    if (++runs === 1) throw new Error('the disk is broken')
  })
  await expect(read()).rejects.toThrow('the disk is broken')
  await read()
  expect(runs).toBe(2)
})
