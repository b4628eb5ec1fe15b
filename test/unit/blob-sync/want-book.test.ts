import { beforeEach, expect, test } from 'vitest'
import type { ContentHash } from '../../../protocols/hash.ts'
import { WantBook } from '../../../src/blob-sync/want-book.ts'
import { ManualClock } from '../../support/manual-clock.ts'

const hash = 'a'.repeat(64) as ContentHash
let clock: ManualClock
let book: WantBook
beforeEach(() => {
  clock = new ManualClock()
  const random = { bytes: () => new Uint8Array(), fraction: () => 0 }
  book = new WantBook({ clock, random }, { maxRetryAttempts: 3, retryDelayMs: 5000 })
})

test('a blob that nobody could give waits, then is due again with everybody', () => {
  book.lacks(hash, 'b', ['a', 'b'])
  expect([book.isDue(hash), [...book.lacking(hash)]]).toEqual([true, ['b']])
  book.lacks(hash, 'a', ['a', 'b'])
  expect([book.isDue(hash), [...book.lacking(hash)], book.nextDueMs()]).toEqual([false, [], 5000])
  clock.advance(5000)
  expect(book.isDue(hash)).toBe(true)
  expect(book.note(hash)).toMatchObject({ attempts: 1, cause: 'nobody' })
})

test('a new peer, or a person, makes everything due', () => {
  book.failed(hash, 'gone')
  book.failed(hash, 'gone')
  book.retryAll()
  expect([book.isDue(hash), book.nextDueMs(), book.note(hash)?.attempts]).toEqual([true, 0, 2])
})

test('a blob that has come is forgotten', () => {
  book.failed(hash, 'gone')
  book.done(hash)
  expect([book.note(hash), book.nextDueMs(), book.isDue(hash)]).toEqual([
    undefined,
    undefined,
    true
  ])
})

test('a clock that is set back puts no try off', () => {
  book.failed(hash, 'gone')
  clock.jump(-86_400_000)
  expect(book.nextDueMs()).toBe(5000)
  clock.advance(5000)
  expect(book.isDue(hash)).toBe(true)
})
