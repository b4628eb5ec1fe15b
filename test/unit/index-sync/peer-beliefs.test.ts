import { beforeEach, expect, test } from 'vitest'
import type { EntriesStatus, WantRange } from '../../../protocols/entries/source.ts'
import { encodeEntry, KIND_RECORD } from '../../../protocols/entry.ts'
import { BUCKET_MAX, EMPTY_NODE } from '../../../protocols/time-tree-shape.ts'
import { versionAt } from '../../../protocols/version.ts'
import { ALL_BUCKETS } from '../../../src/index-sync/bucket-ranges.ts'
import { PeerBeliefs } from '../../../src/index-sync/peer-beliefs.ts'
import { isInRanges } from '../../../src/index-sync/plan-want-ranges.ts'

const BUCKET_MS = 2 ** 16
const T = 1000 * BUCKET_MS

let beliefs: PeerBeliefs
beforeEach(() => {
  beliefs = new PeerBeliefs()
})

function status(wantsBytes = 0, wantRanges: readonly WantRange[] = []): EntriesStatus {
  return {
    root: EMPTY_NODE,
    wantsFiles: wantsBytes > 0 ? 1 : 0,
    wantsBytes,
    wantRanges,
    horizon: 0
  }
}

function entryAt(ms: number) {
  const facts = { deleted: false, bytes: 0, mediaType: '', createdMs: ms, value: new Uint8Array(1) }
  const about = { kind: KIND_RECORD, path: 'x', writer: 'w', version: versionAt(ms) }
  return encodeEntry({ ...facts, ...about })
}

test('nothing is believed of a peer that was never found equal', () => {
  expect(beliefs.holds('b', T)).toBe(false)
  beliefs.note('b', { status: status(), equal: false, atMs: T })
  expect(beliefs.holds('b', T - 1)).toBe(false)
})

test('an equal peer holds what is as old as its word, but for what it lacks', () => {
  const wants = [{ from: 10, to: 12 }]
  beliefs.note('b', { status: status(5, wants), equal: true, atMs: T })
  expect([beliefs.holds('b', T), beliefs.holds('b', T + 1)]).toEqual([true, false])
  const at = [9, 10, 12, 13].map((bucket) => beliefs.holds('b', bucket * BUCKET_MS))
  expect(at).toEqual([true, false, false, true])
})

test('its newest word on what it lacks counts, also while the two differ', () => {
  beliefs.note('b', { status: status(), equal: true, atMs: T })
  const wants = [{ from: 10, to: 10 }]
  beliefs.note('b', { status: status(5, wants), equal: false, atMs: T + 9 })
  const holds = (ms: number) => beliefs.holds('b', ms)
  expect([holds(10 * BUCKET_MS), holds(T), holds(T + 1)]).toEqual([false, true, false])
})

test('what becomes current here later is not claimed of it, however old it says to be', () => {
  beliefs.note('b', { status: status(), equal: true, atMs: T })
  expect(beliefs.isOutdated('b')).toBe(false)
  beliefs.doubt([entryAt(7 * BUCKET_MS + 5), entryAt(T + 1)])
  expect(beliefs.isOutdated('b')).toBe(true)
  const at = [6, 7, 8].map((bucket) => beliefs.holds('b', bucket * BUCKET_MS))
  expect(at).toEqual([true, false, true])
  beliefs.note('b', { status: status(), equal: true, atMs: T + 2 })
  expect(beliefs.holds('b', 7 * BUCKET_MS + 5)).toBe(true)
})

test('a peer that comes again must say it again', () => {
  beliefs.note('b', { status: status(), equal: true, atMs: T })
  beliefs.forget('b')
  expect([beliefs.holds('b', T - 1), beliefs.report('b')]).toEqual([false, undefined])
})

test('too many late entries end what is believed', () => {
  beliefs.note('b', { status: status(), equal: true, atMs: T * 10 })
  beliefs.doubt(Array.from({ length: 1025 }, (_, n) => entryAt((n + 1) * BUCKET_MS)))
  expect(beliefs.holds('b', 5000 * BUCKET_MS)).toBe(false)
})

test('the time that is left follows from its reports', () => {
  expect(beliefs.etaSeconds('b')).toBeUndefined()
  beliefs.note('b', { status: status(1000), equal: true, atMs: T })
  expect(beliefs.etaSeconds('b')).toBeUndefined()
  beliefs.note('b', { status: status(600), equal: true, atMs: T + 4000 })
  expect(beliefs.etaSeconds('b')).toBe(6)
  beliefs.note('b', { status: status(5000), equal: true, atMs: T + 5000 })
  expect(beliefs.etaSeconds('b')).toBeUndefined()
  beliefs.note('b', { status: status(), equal: true, atMs: T + 9000 })
  expect(beliefs.etaSeconds('b')).toBe(0)
})

test('the time that is left follows from how fast it is now, not from how fast it once was', () => {
  const say = (bytes: number, seconds: number) => {
    beliefs.note('b', { status: status(bytes), equal: true, atMs: T + seconds * 1000 })
  }
  say(1_000_000, 0)
  for (let s = 5; s <= 100; s += 5) say(1_000_000 - s * 9000, s)
  expect(beliefs.etaSeconds('b')).toBe(12)
  for (let s = 105; s <= 300; s += 5) say(100_000, s)
  expect(beliefs.etaSeconds('b')).toBeUndefined()
  // and seldom reports
  say(80_000, 600)
  say(40_000, 900)
  expect(beliefs.etaSeconds('b')).toBe(300)
  beliefs.note('b', { status: status(20_000), equal: true, atMs: T - 1000 })
  expect(beliefs.etaSeconds('b')).toBeUndefined()
})

test('where anything may have come unheard, nothing is held until the two are found equal again', () => {
  beliefs.note('b', { status: status(), equal: true, atMs: T })
  beliefs.doubtAll()
  expect([beliefs.holds('b', T - 1), beliefs.isOutdated('b')]).toEqual([false, true])
  beliefs.note('b', { status: status(), equal: false, atMs: T + 1 })
  expect(beliefs.holds('b', T - 1)).toBe(false)
  beliefs.note('b', { status: status(), equal: true, atMs: T + 2 })
  expect(beliefs.holds('b', T - 1)).toBe(true)
})

test('outside of what may be lacking all is held, and within it nothing is kept back', () => {
  expect(beliefs.unheld('b')).toEqual(ALL_BUCKETS)
  const wants = [
    { from: 10, to: 12 },
    { from: 20, to: 20 }
  ]
  beliefs.note('b', { status: status(5, wants), equal: false, atMs: T })
  expect(beliefs.unheld('b')).toEqual(ALL_BUCKETS)
  beliefs.note('b', { status: status(5, wants), equal: true, atMs: T + 5 })
  beliefs.doubt([13, 40].map((bucket) => entryAt(bucket * BUCKET_MS)))
  const unheld = beliefs.unheld('b')
  expect(unheld).toEqual([
    { from: 10, to: 13 },
    { from: 20, to: 20 },
    { from: 40, to: 40 },
    { from: 1000, to: BUCKET_MAX }
  ])
  for (let bucket = 0; bucket < 1000; bucket++) {
    expect([bucket, isInRanges(unheld, bucket)]).toEqual([
      bucket,
      !beliefs.holds('b', bucket * BUCKET_MS)
    ])
  }
})
