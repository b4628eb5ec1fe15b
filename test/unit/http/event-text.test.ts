import { expect, test } from 'vitest'
import type { Watched } from '../../../src/flows/feed.ts'
import { eventStream, lastSeen, messageStream, textLines } from '../../../src/http/event-text.ts'

const AT_MS = Date.UTC(2026, 0, 2, 3, 4, 5, 6)
const EVENTS: Watched = {
  do: 'events',
  events: [
    {
      number: 7,
      atMs: AT_MS,
      kind: 'entry',
      facts: { path: 'a b/图 "1".jpg', size: 12, from: null }
    },
    { number: 8, atMs: AT_MS, kind: 'progress', facts: { status: 'healthy' } }
  ]
}
const MISSED: Watched = { do: 'missed', count: 3 }
const QUIET: Watched = { do: 'quiet' }

test('server-sent events have an id, a kind, and their facts on one line', () => {
  const write = eventStream('run1')
  const [first = '', second = '', rest] = write(EVENTS).split('\n\n')
  expect(first.split('\n').slice(0, 2)).toEqual(['id: run1-7', 'event: entry'])
  expect(JSON.parse(first.split('\n')[2]?.replace(/^data: /, '') ?? '')).toEqual({
    at: '2026-01-02T03:04:05.006Z',
    path: 'a b/图 "1".jpg',
    size: 12,
    from: null
  })
  expect(second).toContain('event: progress')
  expect(rest).toBe('')
  expect(write(MISSED)).toBe('event: missed\ndata: {"count":3}\n\n')
  expect(write(QUIET)).toBe(': quiet\n\n')
})

test('of other kinds no event is told, but where the client is', () => {
  expect(eventStream('run1', ['entry'])(EVENTS)).toMatch(/^id: run1-7\nevent: entry\n.*\n\n$/)
  expect(eventStream('run1', ['damaged'])(EVENTS)).toBe('id: run1-8\n\n')
})

test('an id counts in the run that gave it', () => {
  expect(lastSeen('run1', 'run1-7')).toBe(7)
  for (const id of ['run2-7', 'run1', 'run1-', 'run1-x', '7', '', 'run1-1e9']) {
    expect([id, lastSeen('run1', id)]).toEqual([id, undefined])
  }
})

test('lines are for people: no field is empty, no value breaks its line', () => {
  const lines = [
    '2026-01-02T03:04:05.006Z entry path="a b/图 \\"1\\".jpg" size=12',
    '2026-01-02T03:04:05.006Z progress status=healthy'
  ]
  expect(textLines(EVENTS)).toBe(lines.map((line) => `${line}\n`).join(''))
  expect(messageStream(EVENTS)).toBe(lines.map((line) => `data: ${line}\n\n`).join(''))
  expect(textLines(MISSED)).toBe('… 3 events went by unseen\n')
  expect([textLines(QUIET), messageStream(QUIET)]).toEqual(['\n', ': quiet\n\n'])
})
