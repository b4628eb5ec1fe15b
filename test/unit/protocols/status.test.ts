import { describe, expect, test } from 'vitest'
import { failureOf, headOf } from '../../../protocols/message.ts'
import { REASON_BYTES_MAX, STATUS, StatusError, statusName } from '../../../protocols/status.ts'
import { WireError } from '../../../protocols/wire-error.ts'

describe('statuses', () => {
  test('have names, also those of later versions', () => {
    expect(statusName(STATUS.MISSING)).toBe('MISSING')
    expect(statusName(99)).toBe('status 99')
  })

  test('nothing said is no success', () => {
    expect(() => failureOf({ status: 0, reason: '' })).toThrow(WireError)
    expect(failureOf({ status: STATUS.OK, reason: '' })).toBeUndefined()
    expect(failureOf({ status: 99, reason: '' })).toMatchObject({ status: 99 })
  })

  test.each([
    [new StatusError(STATUS.BUSY, 'later'), STATUS.BUSY],
    [new WireError('TOO_LARGE', 'too much'), STATUS.TOO_LARGE],
    [new WireError('BAD_MESSAGE', 'what?'), STATUS.BAD_REQUEST]
  ])('%s is told as %i', (error, status) => {
    expect(headOf(error)).toEqual({ status, reason: error.message })
  })

  test('any reason is told so that the other side takes it', () => {
    const reason = `\n${'名'.repeat(1000)}\ud800`
    const head = headOf(new StatusError(STATUS.BUSY, reason))
    expect(Buffer.byteLength(head.reason)).toBeLessThanOrEqual(REASON_BYTES_MAX)
    expect(failureOf(head)).toMatchObject({ status: STATUS.BUSY })
  })
})
