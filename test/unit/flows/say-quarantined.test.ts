import { expect, test } from 'vitest'
import { sayQuarantined } from '../../../src/flows/say-quarantined.ts'

test('what was set aside is told once it is many files, or large', () => {
  expect(sayQuarantined({ files: 999, bytes: 10 ** 9 - 1 })).toBeUndefined()
  expect(sayQuarantined({ files: 3, bytes: 2 * 10 ** 9 })).toMatchObject({
    code: 'quarantine_large',
    text: expect.stringContaining('quarantine/ holds 3 files, 2.0 GB'),
    details: { count: 3, size: '2.0 GB' }
  })
  expect(sayQuarantined({ files: 1, bytes: 10 ** 9 })?.text).toContain('holds 1 file, ')
  expect(sayQuarantined({ files: 1000, bytes: 10 })?.code).toBe('quarantine_large')
})
