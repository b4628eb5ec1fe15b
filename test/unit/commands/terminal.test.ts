import { expect, test } from 'vitest'
import { columns, counted, lasting } from '../../../src/commands/terminal.ts'

test('columns stand below each other, wide characters too', () => {
  expect(
    columns([
      ['a', 'online', 'x'],
      ['图片', 'off', ''],
      ['long name', 'syncing', 'lacks 3']
    ])
  ).toBe('a          online   x\n图片       off\nlong name  syncing  lacks 3\n')
  expect(columns([])).toBe('')
})

test('counts and times read as people say them', () => {
  expect([counted(1, 'image'), counted(0, 'image'), counted(12_345, 'image')]).toEqual([
    ...['1 image', '0 images', '12,345 images']
  ])
  expect([0.4, 59, 60, 3599, 3600, 86_399, 90_000].map(lasting)).toEqual([
    ...['0 s', '59 s', '1 min', '59 min', '1 h 0 min', '23 h 59 min', '1 d 1 h']
  ])
})
