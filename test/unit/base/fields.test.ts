import { describe, expect, test } from 'vitest'
import type { z } from 'zod'
import {
  booleanField,
  choiceField,
  durationField,
  hostField,
  integerField,
  listField,
  nameField,
  pathField,
  portField,
  reserveField,
  sizeField
} from '../../../src/base/fields.ts'

/** The value, or the message of the refusal. */
function read(field: z.ZodType, value: unknown): unknown {
  const { data, error } = field.safeParse(value)
  return error ? error.issues.map(({ message }) => message).join() : data
}

describe('sizeField', () => {
  test.each([
    ['100MB', 100_000_000],
    ['100MiB', 104_857_600],
    ['1.5 kb', 1500],
    ['7', 7],
    [7, 7]
  ])('reads %j as %d bytes', (text, bytes) => {
    expect(read(sizeField(1), text)).toBe(bytes)
  })

  test.each(['5m', '10 potatoes', '-1', '', '0', 0, 1.2e300, Number.NaN, null, [], {}, true])(
    'refuses %j',
    (value) => {
      expect(read(sizeField(1), value)).toMatch(/^must be a size/)
    }
  )
})

describe('durationField', () => {
  test.each([
    ['30s', 30_000],
    ['200ms', 200],
    ['1.5h', 5_400_000],
    [60, 60_000],
    ['5', 5_000],
    [0.5, 500]
  ])('reads %j as %d ms, bare numbers as seconds', (text, ms) => {
    expect(read(durationField(0), text)).toBe(ms)
  })

  test.each(['1h30m', 'abc', '50ms', '25d', null])('refuses %j between 100ms and 24d', (value) => {
    expect(read(durationField(100), value)).toMatch(/^must be a time .* from 100ms to 24d$/)
  })

  test('takes longer times where no timer waits for them', () => {
    expect(read(durationField(0, 400 * 86_400e3), '365d')).toBe(365 * 86_400e3)
  })
})

test('integerField takes whole numbers within its bounds, as numbers or text', () => {
  const field = integerField(1, 10)
  expect([1, '10'].map((value) => read(field, value))).toEqual([1, 10])
  for (const value of [0, 11, 1.5, '1e1', '0x1', ' 1', '', null, true]) {
    expect(read(field, value)).toBe('must be a whole number from 1 to 10')
  }
})

test('portField ends at 65535', () => {
  expect(read(portField(), 65_535)).toBe(65_535)
  expect(read(portField(), 65_536)).toBe('must be a whole number from 0 to 65535')
})

test('booleanField takes the words people use', () => {
  expect([true, 'Yes', 'on', 1, '1'].every((value) => read(booleanField(), value) === true)).toBe(
    true
  )
  expect([false, 'no', 'OFF', 0].every((value) => read(booleanField(), value) === false)).toBe(true)
  expect(read(booleanField(), 'maybe')).toBe('must be true or false')
})

test('choiceField names the choices', () => {
  const field = choiceField(['auto', 'copy', 'off'])
  expect(read(field, 'copy')).toBe('copy')
  expect(read(field, 'Copy')).toBe('must be auto, copy or off')
})

test('nameField keeps names safe for paths and host names', () => {
  expect(read(nameField(), 'server-a_1.x')).toBe('server-a_1.x')
  for (const value of ['', 'a b', 'a/b', 'ä', 'x'.repeat(64), 7]) {
    expect(read(nameField(), value)).toMatch(/^must be text of 1 to 63/)
  }
})

test('hostField takes addresses and host names, no URLs', () => {
  for (const host of ['0.0.0.0', '::', 'fe80::1%eth0', 'localhost']) {
    expect(read(hostField(), host)).toBe(host)
  }
  expect(read(hostField(), 'http://x')).toMatch(/^must be/)
})

test('pathField refuses what no system takes', () => {
  expect(read(pathField(), './my images')).toBe('./my images')
  expect(read(pathField(), 'a\0b')).toMatch(/^must be/)
  expect(read(pathField(), '')).toMatch(/^must be/)
})

describe('listField', () => {
  const field = listField('digits', (text) => (/^\d$/.test(text) ? Number(text) : undefined))

  test('takes lists, and text with commas', () => {
    expect(read(field, ['1', '2'])).toEqual([1, 2])
    expect(read(field, '1, 2,')).toEqual([1, 2])
    expect(read(field, [])).toEqual([])
  })

  test('refuses the whole for one wrong item', () => {
    for (const value of ['1,x', ['1', 2], [['1']], 1, null, { 0: '1' }]) {
      expect(read(field, value)).toBe('must be a list of digits')
    }
  })
})

describe('reserveField', () => {
  test.each([
    ['1GiB', 2 ** 30, undefined],
    ['5%', undefined, 0.05],
    ['1GiB, 5%', 2 ** 30, 0.05],
    ['2.5 %,10MB', 10_000_000, 0.025],
    [1000, 1000, undefined]
  ])('reads %j', (text, bytes, share) => {
    expect(read(reserveField(), text)).toEqual({ bytes, share })
  })

  test.each(['101%', '5%,6%', '1GB,2GB', '1GB,', '1GB 5%', '', null])('refuses %j', (value) => {
    expect(read(reserveField(), value)).toMatch(/^must be a size/)
  })
})
