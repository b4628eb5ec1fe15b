import { expect, test } from 'vitest'
import { type Entry, encodeEntry, KIND_IMAGE } from '../../../protocols/entry.ts'
import type { ContentHash, Md5 } from '../../../protocols/hash.ts'
import { versionAt } from '../../../protocols/version.ts'
import { historyOf } from '../../../src/http/history.ts'

function version(ms: number, writer: string, replaces?: Entry): Entry {
  return encodeEntry({
    kind: KIND_IMAGE,
    path: 'x.jpg',
    deleted: false,
    version: versionAt(ms),
    writer,
    replaces: replaces?.version,
    hash: ms.toString(16).padStart(64, '0') as ContentHash,
    md5: '0'.repeat(32) as Md5,
    bytes: 1,
    mediaType: 'image/jpeg',
    createdMs: ms
  })
}

test('a version that the winner did not see is a conflict', () => {
  const first = version(1000, 'peer-a')
  const loser = version(2000, 'peer-b', first)
  const winner = version(3000, 'peer-a', first)
  const history = historyOf({
    current: winner,
    past: [loser, first].map((entry) => ({ entry, sinceMs: 0 })),
    journal: [],
    nodeName: 'a',
    nameOf: (writer) => (writer === 'peer-a' ? 'a' : writer)
  })
  expect(history.map(({ event, node, conflict }) => ({ event, node, conflict }))).toEqual([
    { event: 'added', node: 'a', conflict: false },
    { event: 'replaced', node: 'peer-b', conflict: true },
    { event: 'replaced', node: 'a', conflict: false }
  ])
})

test('events of other blobs and other paths are left out', () => {
  const current = version(1000, 'peer-a')
  const at = '2026-01-01T00:00:00.000Z'
  const sha256 = current.hash as string
  const history = historyOf({
    current,
    past: [],
    journal: [
      { at, event: 'damaged', sha256: 'f'.repeat(64) },
      { at, event: 'healed', sha256, path: 'other.jpg' },
      { at, event: 'added', sha256, path: 'x.jpg' },
      { at, event: 'missing', sha256 }
    ],
    nodeName: 'a',
    nameOf: (writer) => writer
  })
  expect(history.map(({ event }) => event)).toEqual(['added', 'missing'])
})
