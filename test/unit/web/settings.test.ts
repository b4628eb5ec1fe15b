import { expect, it } from 'vitest'
import { CONFIG_KEYS } from '../../../config/schema.ts'

const web = new URL('../../../src/web/', import.meta.url)
const { readRate, writeRate } = await import(new URL('limits.js', web).href)
const { inWords } = await import(new URL('settings.js', web).href)
const { meanings, unsets } = await import(new URL('settings-zh.js', web).href)

it.each([
  ['', null],
  ['  ', null],
  ['5MB', 5_000_000],
  ['5 mb/s', 5_000_000],
  ['1.5MiB', 1_572_864],
  ['500KiB', 512_000],
  ['70000', 70_000],
  ['64KiB', 65_536],
  ['65535', undefined],
  ['0', undefined],
  ['-5MB', undefined],
  ['5 parsecs', undefined],
  ['MB', undefined]
])('the rate %j is %j bytes a second', (text, bytes) => {
  expect(readRate(text)).toBe(bytes)
})

it.each([65_536, 65_537, 5_000_000, 512_000, 3 * 2 ** 30, 1_234_567])(
  'a rate of %i is written so that nothing of it is lost',
  (bytes) => {
    expect(readRate(writeRate(bytes))).toBe(bytes)
  }
)

it('every key of the configuration is explained in Chinese, and what holds without it', () => {
  expect(Object.keys(meanings).sort()).toEqual(CONFIG_KEYS.map(({ path }) => path).sort())
  const used = new Set(CONFIG_KEYS.flatMap(({ unset }) => unset ?? []))
  expect(Object.keys(unsets).sort()).toEqual([...used].sort())
  for (const words of [...Object.values(meanings), ...Object.values(unsets)]) {
    expect(words).toMatch(/[\u4e00-\u9fff]/)
  }
})

it('a key of a later version is explained as the node does', () => {
  expect(inWords('What it is', undefined, { name: 'zh' })).toBe('What it is')
  expect(inWords('What it is', '是什么', { name: 'en' })).toBe('What it is')
  expect(inWords('What it is', '是什么', { name: 'zh' })).toBe('是什么')
  expect(inWords(null, undefined, { name: 'zh' })).toBe('–')
})
