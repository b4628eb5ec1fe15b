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

const these = (...ids: readonly string[]) => ids.map((id) => ({ id }))

test('a peer that comes is asked for everything, and none again that lacks it', () => {
  const broken = 'b'.repeat(64) as ContentHash
  book.lacks(hash, 'a', ['a'])
  book.failed(broken, 'it broke off')
  book.peerCame('b', these('a', 'b'))
  expect([book.isDue(hash), [...book.lacking(hash)]]).toEqual([true, ['a']])
  expect([book.isDue(broken), [...book.lacking(broken)]]).toEqual([true, []])
  // before the first of them was asked another one comes, or one of them again
  book.peerCame('c', these('a', 'b', 'c'))
  expect([...book.lacking(hash)]).toEqual(['a'])
  book.peerCame('a', these('a', 'b', 'c'))
  expect([...book.lacking(hash)]).toEqual([])
  for (const id of ['a', 'b', 'c']) book.lacks(hash, id, ['a', 'b', 'c'])
  expect([book.isDue(hash), book.note(hash)?.attempts]).toEqual([false, 2])
})

test('a person makes everything due, with everybody', () => {
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
