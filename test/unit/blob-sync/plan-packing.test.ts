import { expect, test } from 'vitest'
import { type Compress, mayPay, packsFor, pays } from '../../../src/blob-sync/plan-packing.ts'

const head = (text: string) => Buffer.from(text.padEnd(64, '.'), 'latin1')

test.each([
  ['jpeg', '\xff\xd8\xff\xe0', false],
  ['png', '\x89PNG\r\n\x1a\n', false],
  ['gif', 'GIF89a', false],
  ['webp', 'RIFF\x10\0\0\0WEBPVP8 ', false],
  ['avif', '\0\0\0\x1cftypavif', false],
  ['heic', '\0\0\0\x18ftypheic', false],
  ['bmp', 'BM', true],
  ['tiff', 'II*\0', true],
  ['svg', '<svg xmlns="http://www.w3.org/2000/svg">', true],
  ['what nobody knows', 'raw', true]
])('of %s it is known whether to look closer', (_, start, expected) => {
  expect(mayPay(head(start))).toBe(expected)
})

test.each<[Compress, boolean, boolean]>([
  ['remote', true, true],
  ['remote', false, false],
  ['always', false, true],
  ['never', true, false]
])('%s, to a server that is remote: %s', (compress, isRemote, expected) => {
  expect(packsFor(compress, isRemote)).toBe(expected)
})

test('a fifth must be saved', () => {
  expect([pays(1000, 800), pays(1000, 801)]).toEqual([true, false])
})
