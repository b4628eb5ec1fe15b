import { expect, test } from 'vitest'
import { type Entry, encodeEntry, KIND_IMAGE } from '../../../protocols/entry.ts'
import type { ContentHash, Md5 } from '../../../protocols/hash.ts'
import { versionAt } from '../../../protocols/version.ts'
import { historyOf } from '../../../src/http/history.ts'

function version(ms: number, writer: string, replaces?: Entry, { deleted = false } = {}): Entry {
  return encodeEntry({
    kind: KIND_IMAGE,
    path: 'x.jpg',
    deleted,
    version: versionAt(ms),
    writer,
    replaces: replaces?.version,
    createdMs: ms,
    ...(deleted
      ? { bytes: 0, mediaType: '' }
      : {
          hash: `${writer.at(-1)}${ms}`.padStart(64, '0') as ContentHash,
          md5: '0'.repeat(32) as Md5,
          bytes: 1,
          mediaType: 'image/jpeg'
        })
  })
}

const about = {
  journal: [],
  nodeName: 'a',
  nameOf: (writer: string) => (writer === 'peer-a' ? 'a' : writer)
}

/** Of versions from the oldest on. */
const told = (...versions: Entry[]) =>
  historyOf({ ...about, versions: versions.toReversed() }).map(({ event, node, conflict }) => [
    event,
    node,
    ...(conflict ? ['conflict'] : [])
  ])

test('a version that the winner did not see is a conflict', () => {
  const first = version(1000, 'peer-a')
  const loser = version(2000, 'peer-b', first)
  const winner = version(3000, 'peer-a', first)
  expect(told(first, loser, winner)).toEqual([
    ['added', 'a'],
    ['replaced', 'peer-b', 'conflict'],
    ['replaced', 'a']
  ])
})

test('of two writers that went on for a while, only the last version of the loser is one', () => {
  const first = version(1000, 'peer-a')
  const b1 = version(2000, 'peer-b', first)
  const a1 = version(3000, 'peer-a', first)
  const b2 = version(4000, 'peer-b', b1)
  const a2 = version(5000, 'peer-a', a1)
  expect(told(first, b1, a1, b2, a2)).toEqual([
    ['added', 'a'],
    ['replaced', 'peer-b'],
    ['replaced', 'a'],
    ['replaced', 'peer-b', 'conflict'],
    ['replaced', 'a']
  ])
})

test('of two versions of one moment, the loser is a conflict', () => {
  const [a, b] = [version(1000, 'peer-a'), version(1000, 'peer-b')]
  const next = version(2000, 'peer-b', b)
  expect(told(a, b, next)).toEqual([
    ['added', 'a', 'conflict'],
    ['replaced', 'peer-b'],
    ['replaced', 'peer-b']
  ])
})

test('what lost against a deletion that did not know of it is a conflict', () => {
  const first = version(1000, 'peer-a')
  const loser = version(2000, 'peer-b', first)
  const gone = version(3000, 'peer-a', first, { deleted: true })
  expect(told(first, loser, gone)).toEqual([
    ['added', 'a'],
    ['replaced', 'peer-b', 'conflict'],
    ['deleted', 'a']
  ])
})

test('a deletion that a server still knows is told once, and not as one more', () => {
  const first = version(1000, 'peer-a')
  const gone = version(2000, 'peer-b', first, { deleted: true })
  const again = version(3000, 'peer-a', gone)
  const deletion = ['deleted', null]
  expect(told(first, again)).toEqual([['added', 'a'], deletion, ['added', 'a']])
  expect(told(first, gone, again)).toEqual([
    ['added', 'a'],
    ['deleted', 'peer-b'],
    ['added', 'a']
  ])
})

test('events of other blobs and other paths are left out', () => {
  const current = version(1000, 'peer-a')
  const at = '2026-01-01T00:00:00.000Z'
  const sha256 = current.hash as string
  const history = historyOf({
    ...about,
    versions: [current],
    journal: [
      { at, event: 'damaged', sha256: 'f'.repeat(64) },
      { at, event: 'healed', sha256, path: 'other.jpg' },
      { at, event: 'added', sha256, path: 'x.jpg' },
      { at, event: 'missing', sha256 }
    ]
  })
  expect(history.map(({ event }) => event)).toEqual(['added', 'missing'])
})
