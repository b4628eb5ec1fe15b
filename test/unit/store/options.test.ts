import { expect, test } from 'vitest'
import {
  fileStorageOptions,
  fileStorageSection,
  reservedBytes
} from '../../../src/store/options.ts'

test('extensions come with or without dot, in any case', () => {
  const section = fileStorageSection.parse({ allowed_extensions: ['.JPG', 'Png', 'webp'] })
  expect(fileStorageOptions(section).allowedExtensions).toEqual(['jpg', 'png', 'webp'])
  expect(fileStorageSection.safeParse({ allowed_extensions: ['*.jpg'] }).success).toBe(false)
})

test('of a size and a share of the disk the smaller one is reserved', () => {
  const reserve = { bytes: 1000, share: 0.05 }
  expect(reservedBytes(reserve, 1_000_000)).toBe(1000)
  expect(reservedBytes(reserve, 10_000)).toBe(500)
  expect(reservedBytes({ bytes: undefined, share: 0.5 }, 3)).toBe(1)
  expect(reservedBytes({ bytes: 7, share: undefined }, 3)).toBe(7)
})
