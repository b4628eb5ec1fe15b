import { expect, test } from 'vitest'
import {
  FEED_EVENTS_MAX,
  FEED_KIND_SECOND_MAX,
  FEED_QUIET_MS,
  Feed,
  type Watched
} from '../../../src/flows/feed.ts'
import { ManualClock } from '../../support/manual-clock.ts'

function open() {
  const clock = new ManualClock()
  return { clock, feed: new Feed({ clock }), leave: new AbortController() }
}

/** Numbers of events, `-n` where so many were missed, `quiet`. */
function shortOf(watched: Watched | undefined): unknown {
  if (watched === undefined || watched.do === 'quiet') return 'quiet'
  if (watched.do === 'missed') return -watched.count
  return watched.events.map(({ number }) => number)
}

test('who watches hears of what comes, in order, and of what came after its last event', async () => {
  const { feed, leave } = open()
  for (const path of ['a', 'b', 'c']) feed.tell('entry', { path })
  const watch = feed.watch(1, leave.signal)
  expect(shortOf((await watch.next()).value)).toEqual([2, 3])
  const next = watch.next()
  feed.tell('deleted', { path: 'a' })
  const { value } = await next
  expect(value).toMatchObject({
    do: 'events',
    events: [{ number: 4, kind: 'deleted', facts: { path: 'a' } }]
  })
  expect(feed.watchers).toBe(1)
  leave.abort()
  expect((await watch.next()).done).toBe(true)
  expect(feed.watchers).toBe(0)
})

test('a watcher from the future begins with what comes next', async () => {
  const { feed, leave } = open()
  feed.tell('entry', {})
  const next = feed.watch(1_000_000, leave.signal).next()
  feed.tell('entry', {})
  expect(shortOf((await next).value)).toEqual([2])
  leave.abort()
})

test('who is too slow is told how much it missed, and the rest', async () => {
  const { clock, feed, leave } = open()
  const watch = feed.watch(0, leave.signal)
  let told = 0
  for (; told < 5 * FEED_EVENTS_MAX; told++) {
    if (told % FEED_KIND_SECOND_MAX === 0) clock.advance(1000)
    feed.tell('entry', {})
  }
  const missed = shortOf((await watch.next()).value)
  const rest = shortOf((await watch.next()).value) as number[]
  expect(missed).toBe(rest.length - told)
  expect(rest.length).toBeGreaterThanOrEqual(FEED_EVENTS_MAX)
  expect(rest.length).toBeLessThan(2 * FEED_EVENTS_MAX)
  expect(rest.at(-1)).toBe(told)
  leave.abort()
})

test('of a burst the first are told, and the others are counted', async () => {
  const { clock, feed, leave } = open()
  for (let n = 0; n < FEED_KIND_SECOND_MAX + 25; n++) feed.tell('received', { n })
  feed.tell('deleted', {})
  expect(feed.last).toBe(FEED_KIND_SECOND_MAX + 1)
  clock.advance(1000)
  const { value } = await feed.watch(feed.last - 1, leave.signal).next()
  expect(value).toMatchObject({ events: [{ kind: 'received', facts: { more: 25 } }] })
  feed.tell('received', {})
  clock.advance(5000)
  expect(feed.last).toBe(FEED_KIND_SECOND_MAX + 3)
  leave.abort()
})

test('a quiet time is said, so that connections stay open', async () => {
  const { clock, feed, leave } = open()
  const next = feed.watch(0, leave.signal).next()
  clock.advance(FEED_QUIET_MS)
  expect(shortOf((await next).value)).toBe('quiet')
  leave.abort()
})

test('its end ends all who watch, and leaves no timer', async () => {
  const { clock, feed, leave } = open()
  feed.tell('entry', {})
  const watches = [0, 1].map((after) => feed.watch(after, leave.signal))
  await watches[0]?.next()
  const ends = watches.map((watch) => watch.next())
  feed.end()
  expect((await Promise.all(ends)).map(({ done }) => done)).toEqual([true, true])
  expect(clock.pending).toBe(0)
})
