import { expect, test } from 'vitest'
import { type Rows, WorldLevel } from '../../sim/index-world/world-level.ts'

const tableOf = (level: WorldLevel) => level.sublevel('t', { valueEncoding: 'utf8' })

/** Writes one row, or removes it. */
function write(level: WorldLevel, key: string, value: string | undefined, sync = true) {
  const batch = level.batch()
  const into = { sublevel: tableOf(level) }
  if (value === undefined) batch.del(key, into)
  else batch.put(key, value, into)
  return batch.write({ sync })
}

async function levelOf(...rows: readonly (readonly [string, string | undefined, boolean])[]) {
  const level = new WorldLevel()
  for (const row of rows) await write(level, ...row)
  return level
}

const read = (rows: Rows) => Object.fromEntries([...rows].map(([key, value]) => [key[3], value]))

test('a power cut takes what was not synced, or a share of it', async () => {
  const level = await levelOf(
    ['a', '1', true],
    ['a', '2', false],
    ['b', '3', false],
    ['a', undefined, false],
    ['c', '4', false]
  )
  expect(read(level.rows)).toEqual({ b: '3', c: '4' })
  expect(read(level.left(1))).toEqual({ b: '3', c: '4' })
  expect(read(level.left(0.5))).toEqual({ a: '2', b: '3' })
  expect(read(level.left(0))).toEqual({ a: '1' })
})

test('a synced batch keeps all that came before it', async () => {
  const level = await levelOf(['a', '1', false], ['b', '2', true])
  expect(read(level.left(0))).toEqual({ a: '1', b: '2' })
})

test('what is read is what the rows say, also of a copy, which is another one', async () => {
  const level = await levelOf(['a', '1', true])
  const copy = new WorldLevel(level.rows)
  await write(level, 'a', '2')
  expect(tableOf(copy).getSync('a')).toBe('1')
  expect(tableOf(level).getSync('a')).toBe('2')
  expect(tableOf(level).getSync('b')).toBeUndefined()
})

test('a batch that fails is not there, or only after the next opening', async () => {
  const level = await levelOf(['a', '1', true])
  level.failNext(new Error('full'), true)
  await expect(write(level, 'b', '2')).rejects.toThrow('full')
  expect(read(level.rows)).toEqual({ a: '1' })
  await level.close()
  expect(() => tableOf(level).getSync('a')).toThrow('not open')
  await level.open()
  expect(read(level.left(0))).toEqual({ a: '1', b: '2' })
})

test('nothing is written once its node is dead', async () => {
  const level = await levelOf(['a', '1', true])
  level.die()
  void write(level, 'b', '2')
  await new Promise((resolve) => setImmediate(resolve))
  expect(read(level.rows)).toEqual({ a: '1' })
})

test('ranges are in the order of their keys, and end where they say', async () => {
  const keys = ['d', 'a', 'c', 'e', 'b', 'c\0']
  const level = await levelOf(...keys.map((key) => [key, key, true] as const))
  await write(level, 'e', undefined)
  const table = tableOf(level)
  expect(await table.keys({}).all()).toEqual(['a', 'b', 'c', 'c\0', 'd'])
  expect(await table.values({ gte: 'b', lt: 'd' }).all()).toEqual(['b', 'c', 'c\0'])
  expect(await table.keys({ gt: 'b', lte: 'd' }).all()).toEqual(['c', 'c\0', 'd'])
  expect(await table.keys({ lt: 'c', reverse: true, limit: 1 }).all()).toEqual(['b'])
  expect(await table.keys({ gte: 'x' }).all()).toEqual([])
  const pages = table.iterator({ gte: 'c' })
  expect([await pages.nextv(2), await pages.nextv(2), await pages.nextv(2)]).toEqual([
    [
      ['c', 'c'],
      ['c\0', 'c\0']
    ],
    [['d', 'd']],
    []
  ])
})

test('a snapshot shows what was there when it was made', async () => {
  const level = await levelOf(['a', '1', true])
  const snapshot = level.snapshot()
  const table = tableOf(level)
  await write(level, 'a', '2')
  await write(level, 'b', '3')
  expect(await table.values({ snapshot }).all()).toEqual(['1'])
  expect(await table.getMany(['a', 'b'], { snapshot })).toEqual(['1', undefined])
  expect(await table.getMany(['a', 'b'])).toEqual(['2', '3'])
  await snapshot.close()
})

test('values are what they would be after a restart', async () => {
  const level = new WorldLevel()
  const table = level.sublevel('j', { valueEncoding: 'json' })
  const batch = level.batch()
  const value = { n: 1, none: undefined }
  batch.put('a', value, { sublevel: table })
  await batch.write({ sync: true })
  value.n = 2
  expect(Object.keys(table.getSync('a') as object)).toEqual(['n'])
  expect(table.getSync('a')).toEqual({ n: 1 })
})
