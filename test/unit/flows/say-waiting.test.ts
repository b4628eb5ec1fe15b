import { expect, test } from 'vitest'
import { sayWaiting } from '../../../src/flows/say-waiting.ts'

const DAY_MS = 86_400_000
const NOW_MS = 1_700_000_000_000
const servers = ['a', 'b', 'c', 'd'].map((name, n) => ({
  name,
  peerId: `id-${name}`,
  lastSeenMs: NOW_MS - n * 20 * DAY_MS
}))

test('says nothing where nothing waits', () => {
  expect(sayWaiting({ waiting: 0, members: ['id-a'] }, servers, NOW_MS)).toBeUndefined()
  expect(sayWaiting({ waiting: 3, members: [] }, servers, NOW_MS)).toBeUndefined()
})

test('names whom deletions wait for, and since when these are away', () => {
  expect(sayWaiting({ waiting: 12_000, members: ['id-c', 'id-a'] }, servers, NOW_MS)?.text).toMatch(
    /^12000 old deletions are .* waiting for c \(away 40 days\), a\. /
  )
  expect(sayWaiting({ waiting: 1, members: ['id-x'] }, servers, NOW_MS)?.text).toMatch(
    /^1 old deletion is .* waiting for id-x\. /
  )
  const members = servers.map(({ peerId }) => peerId)
  expect(sayWaiting({ waiting: 2, members }, servers, NOW_MS)?.text).toMatch(
    /waiting for a, b \(away 20 days\), c \(away 40 days\), 1 more\. /
  )
})
