import { expect, test } from 'vitest'
import { WorldLevel } from '../../sim/index-world/world-level.ts'

async function levelOf(...batches: readonly (readonly [string, string | undefined, boolean])[]) {
  const level = new WorldLevel()
  await level.open()
  for (const [key, value, sync] of batches) {
    const operation =
      value === undefined
        ? ({ type: 'del', key } as const)
        : ({ type: 'put', key, value: Buffer.from(value) } as const)
    await level.batch([operation], { sync } as object)
  }
  return level
}

const textOf = (rows: ReadonlyMap<string, Uint8Array>) =>
  Object.fromEntries([...rows].map(([key, value]) => [key, Buffer.from(value).toString()]))

test('a power cut takes what was not synced, or a share of it', async () => {
  const level = await levelOf(
    ['a', '1', true],
    ['a', '2', false],
    ['b', '3', false],
    ['a', undefined, false],
    ['c', '4', false]
  )
  expect(textOf(level.rows)).toEqual({ b: '3', c: '4' })
  expect(textOf(level.left(1))).toEqual({ b: '3', c: '4' })
  expect(textOf(level.left(0.5))).toEqual({ a: '2', b: '3' })
  expect(textOf(level.left(0))).toEqual({ a: '1' })
})

test('a synced batch keeps all that came before it', async () => {
  const level = await levelOf(['a', '1', false], ['b', '2', true])
  expect(textOf(level.left(0))).toEqual({ a: '1', b: '2' })
})

test('what is read is what the rows say, also of a copy', async () => {
  const level = await WorldLevel.of((await levelOf(['é', '1', true])).rows)
  expect(Buffer.from(level.getSync('é') ?? []).toString()).toBe('1')
  expect(await level.keys().all()).toEqual(['é'])
})

test('a batch that fails is not there, or only after the next opening', async () => {
  const level = await levelOf(['a', '1', true])
  level.failNext(new Error('full'), true)
  await expect(level.batch([{ type: 'put', key: 'b', value: Buffer.from('2') }])).rejects.toThrow()
  expect(textOf(level.rows)).toEqual({ a: '1' })
  await level.close()
  await level.open()
  expect(textOf(level.left(0))).toEqual({ a: '1', b: '2' })
})

test('nothing is written once its node is dead', async () => {
  const level = await levelOf(['a', '1', true])
  level.die()
  void level.batch([{ type: 'put', key: 'b', value: Buffer.from('2') }])
  await new Promise((resolve) => setImmediate(resolve))
  expect(textOf(level.rows)).toEqual({ a: '1' })
})
