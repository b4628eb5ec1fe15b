import { describe, expect, test } from 'vitest'
import type { ContentHash } from '../../../protocols/hash.ts'
import {
  type FoundFacts,
  isAsShown,
  isLate,
  LATE_MS,
  LOOKS_MS,
  planFound,
  planRead,
  QUIET_AGAIN_MS,
  QUIET_MS
} from '../../../src/flows/plan-adopt.ts'

const NOW = 1_700_000_000_000
const HOUR_MS = 3_600_000
const OLD = NOW - HOUR_MS

const stamp = (ino: number, mtimeMs = OLD, size = 10) => ({ ino, size, mtimeMs, ctimeMs: mtimeMs })
const HELD = { state: 'held', bytes: 10, stamp: stamp(1) } as const
const OWN = { name: 'a.jpg', ino: 1, hash: 'h' }

/** An old file that nothing is known of. */
function facts(change: Partial<FoundFacts> = {}): FoundFacts {
  const none = { name: 'a.jpg', file: stamp(9), hasIntent: false, isViewOn: true }
  return { ...none, nowMs: NOW, diskNowMs: NOW, ...change }
}

const image = (versionMs: number) => ({ deleted: false, versionMs })
const tombstone = (versionMs: number) => ({ deleted: true, versionMs })
const shown = { shown: OWN, blob: HELD, current: image(OLD) }
const TAKE = { do: 'take', isOlder: false, isWriter: false, isLate: false }
const LEAVE = { do: 'leave' }

describe('a file that the view made', () => {
  const copy = { ...OWN, ino: 2, mtimeMs: NOW }
  test.each<[string, Partial<FoundFacts>, object]>([
    ['stays as it is', { file: stamp(1) }, LEAVE],
    ['though its ctime is another', { file: { ...stamp(1), ctimeMs: NOW } }, LEAVE],
    ['is verified when its blob was written to', { file: stamp(1, NOW) }, { do: 'verify' }],
    ['or made shorter', { file: stamp(1, OLD, 9) }, { do: 'verify' }],
    ['is left while its blob is not held', { file: stamp(1, NOW), blob: undefined }, LEAVE],
    ['stays if it is a copy', { shown: copy, file: stamp(2, NOW) }, LEAVE],
    [
      'is set aside if the copy was written to',
      { shown: copy, file: stamp(2, NOW + 1) },
      { do: 'set aside', why: expect.stringContaining('in place') }
    ],
    [
      'or has another size, where its time was not noted',
      { shown: { ...copy, mtimeMs: undefined }, file: stamp(2, NOW, 9) },
      { do: 'set aside', why: expect.anything() }
    ],
    [
      'is somebody else’s where it is writable: the disk has given its number away',
      { shown: copy, file: stamp(2, NOW - 2 * LATE_MS, 9), isWritable: true },
      TAKE
    ],
    ['though not by that alone', { shown: copy, file: stamp(2, NOW), isWritable: true }, LEAVE],
    [
      'and not where it is the file of the blob itself',
      { file: stamp(1, NOW), isWritable: true },
      { do: 'verify' }
    ]
  ])('%s', (_what, change, plan) => {
    const given = facts({ ...shown, ...change })
    expect(planFound(given)).toEqual(plan)
    const isRight = isAsShown(given, given.shown ?? OWN)
    expect(isRight).toBe(plan === LEAVE)
  })
})

describe('a file of somebody else', () => {
  const quiet = { stamp: stamp(9, NOW - QUIET_MS, 0), ageMs: QUIET_MS }
  test.each<[string, Partial<FoundFacts>, object]>([
    ['is taken where nothing is', {}, TAKE],
    ['waits while a step of its path is open', { hasIntent: true }, { do: 'wait', ms: 1000 }],
    ['is a new version at a known path', { ...shown, current: image(OLD - 1) }, TAKE],
    ['also if it is a little older', { ...shown, current: image(OLD + LATE_MS) }, TAKE],
    [
      'is older than the image of its path',
      { ...shown, current: image(OLD + LATE_MS + 1) },
      { ...TAKE, isOlder: true }
    ],
    ['is taken where the image is not here', { current: image(OLD) }, TAKE],
    ['comes back after its path was deleted', { current: tombstone(OLD - 1) }, TAKE],
    [
      'never, if it is not newer than that',
      { current: tombstone(OLD) },
      { do: 'set aside', why: expect.stringContaining('older') }
    ],
    [
      'is refused if the path is there in another spelling',
      { name: 'e\u0301', shown: { ...OWN, name: '\u00e9' }, current: image(OLD) },
      { do: 'refuse', why: expect.stringContaining('spelled') }
    ],
    ['may have the name of a path that is shown elsewhere', { shown: OWN, name: 'b.jpg' }, TAKE],
    [
      'is left while it is empty',
      { file: stamp(9, NOW - QUIET_MS, 0), before: quiet },
      { do: 'later' }
    ],
    [
      'is refused when it stays empty',
      { file: stamp(9, OLD, 0) },
      { do: 'refuse', why: 'it is empty' }
    ],
    ['unless it stays so at the place of an image', { ...shown, file: stamp(9, OLD, 0) }, TAKE],
    ['is taken without a view', { isViewOn: false }, TAKE],
    ['is not told from ours without one', { isViewOn: false, current: image(OLD) }, LEAVE],
    ['is not set aside without one', { isViewOn: false, current: tombstone(NOW) }, LEAVE],
    [
      'is left without one where its deletion may be forgotten',
      { isViewOn: false, forgottenMs: NOW },
      { do: 'refuse', why: expect.stringContaining('touch it') }
    ],
    [
      'but not when it has come since, whatever its date',
      { isViewOn: false, forgottenMs: NOW, file: { ...stamp(9), ctimeMs: NOW } },
      TAKE
    ],
    ['nor with one, which takes deleted files away', { forgottenMs: NOW }, TAKE]
  ])('%s', (_what, change, plan) => {
    expect(planFound(facts(change))).toEqual(plan)
  })
})

describe('a file that may still be written to', () => {
  const young = (ageMs: number, knownMs?: number, before = stamp(9, NOW - ageMs)) =>
    planFound(
      facts({
        file: stamp(9, NOW - ageMs),
        ...(knownMs !== undefined && { before: { stamp: before, ageMs: knownMs } })
      })
    )

  test('waits until it has been quiet, and is compared with itself', () => {
    expect(young(0)).toEqual({ do: 'wait', ms: QUIET_MS })
    expect(young(QUIET_MS - 300)).toEqual({ do: 'wait', ms: 300 })
    expect(young(QUIET_MS)).toEqual({ do: 'wait', ms: LOOKS_MS })
    expect(young(QUIET_MS, LOOKS_MS - 1)).toEqual({ do: 'wait', ms: 1 })
    expect(young(QUIET_MS, LOOKS_MS)).toEqual({ ...TAKE, isLate: true })
  })

  test('waits anew after each change', () => {
    expect(young(100, 5000, stamp(9, NOW - 5000))).toEqual({ do: 'wait', ms: QUIET_MS - 100 })
    expect(young(100, 5000, stamp(8, NOW - 100))).toEqual({ do: 'wait', ms: QUIET_MS - 100 })
  })

  test('is quiet by what was seen where the clock of its disk is ahead', () => {
    expect(young(-5000)).toEqual({ do: 'wait', ms: QUIET_MS })
    expect(young(-5000, QUIET_MS)).toEqual({ ...TAKE, isLate: true })
  })

  test('waits by the clock of its disk, be that hours behind or ahead of ours', () => {
    for (const diskNowMs of [NOW - 5 * HOUR_MS, NOW + 5 * HOUR_MS]) {
      expect(planFound(facts({ diskNowMs, file: stamp(9, diskNowMs) }))).toMatchObject({
        do: 'wait'
      })
      const quiet = { stamp: stamp(9, diskNowMs - QUIET_MS), ageMs: QUIET_MS }
      const taken = planFound(facts({ diskNowMs, file: quiet.stamp, before: quiet }))
      expect(taken).toEqual({ ...TAKE, isLate: true })
    }
  })

  test.each([
    ['an hour behind', -HOUR_MS, 'is newer than an image of before', image(NOW - LATE_MS)],
    ['an hour behind', -HOUR_MS, 'is newer than a deletion of before', tombstone(NOW - LATE_MS)],
    ['an hour ahead', HOUR_MS, 'is older than a deletion after it', tombstone(NOW)]
  ])('where the clock of its disk is %s (%i ms) it %s', (_how, aheadMs, _what, current) => {
    const diskNowMs = NOW + aheadMs
    const quiet = { stamp: stamp(9, diskNowMs - QUIET_MS), ageMs: QUIET_MS }
    const plan = planFound(facts({ diskNowMs, file: quiet.stamp, before: quiet, current }))
    const taken = { ...TAKE, isLate: true }
    expect(plan).toEqual(aheadMs < 0 ? taken : { do: 'set aside', why: expect.anything() })
  })

  test('is not, with a date a minute ago or far in the future', () => {
    expect(young(LATE_MS)).toEqual(TAKE)
    expect(young(-LATE_MS)).toEqual(TAKE)
  })
})

describe("a writer's file that was taken in", () => {
  const taken = stamp(1, NOW - 5000)
  const row = (takenMs: number) => ({ ...OWN, writer: { ...taken, takenMs } })
  const plan = (change: Partial<FoundFacts>) =>
    planFound(facts({ ...shown, file: taken, shown: row(NOW - 1000), ...change }))

  test('stays for a minute, and is replaced then', () => {
    const isRight = (ageMs: number, file = taken) =>
      isAsShown({ ...facts(shown), file }, row(NOW - ageMs))
    expect([isRight(0), isRight(LATE_MS), isRight(0, stamp(1, NOW))]).toEqual([true, false, false])
    expect(plan({})).toEqual(LEAVE)
    expect(plan({ shown: row(NOW - LATE_MS + 1) })).toEqual(LEAVE)
    expect(plan({ shown: row(NOW - LATE_MS) })).toEqual({ do: 'replace' })
    expect(isLate(NOW, NOW - 1), 'the clock was set back').toBe(false)
  })

  test('is read again when it was written to, after a longer quiet', () => {
    const file = stamp(1, NOW, 20)
    expect(plan({ file })).toEqual({ do: 'wait', ms: QUIET_AGAIN_MS })
    const before = { stamp: file, ageMs: QUIET_AGAIN_MS }
    expect(plan({ file, before })).toEqual({ ...TAKE, isWriter: true, isLate: true })
  })

  test('is read again when the bytes that were taken from it are lost', () => {
    expect(plan({ blob: { ...HELD, state: 'damaged' } })).toMatchObject({ do: 'take' })
  })
})

describe('bytes that were read', () => {
  const [one, other] = ['1', '2'] as unknown as [ContentHash, ContentHash]
  const base = { hash: one, current: other, isOlder: false, isWriter: false } as const
  const version = { ...base, changed: 'version' } as const
  const repair = { ...base, changed: 'repair' } as const
  test.each([
    ['are published where nothing is', { ...version, current: undefined }, 'publish'],
    ['or where they are known, however old', { ...repair, current: one, isOlder: true }, 'publish'],
    ['are looked at before they replace an image', version, 'check'],
    ['do not replace a newer one', { ...version, isOlder: true }, 'set aside'],
    ['nor any, where that is not wanted', repair, 'set aside'],
    ['unless it is their writer who goes on', { ...repair, isWriter: true }, 'check']
  ])('%s', (_what, given, plan) => {
    expect(planRead(given).do).toBe(plan)
  })
})
