import { expect, test } from 'vitest'
import { versionAt } from '../../../protocols/version.ts'
import { silentLog } from '../../../src/base/log.ts'
import { Pusher } from '../../../src/index-sync/pusher.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { imageEntry } from '../../support/memory-entries.ts'

/** Connected with three peers, to none of which a stream can be opened. */
function begin() {
  const clock = new ManualClock()
  const opened: string[] = []
  const peer = (id: string) => ({ id, address: `/memory/${id}`, dialled: true, sinceMs: 0 })
  const open = async (id: string) => {
    opened.push(id)
    throw new Error('not now')
  }
  const network = { id: 'own', peers: () => ['x', 'y', 'z'].map(peer), open }
  const pusher = new Pusher({ network, clock, log: silentLog, onMissed: () => {} })
  return { pusher, clock, opened }
}

const NOW_MS = 1_700_000_000_000
const entry = imageEntry('a.jpg', versionAt(NOW_MS))
const older = imageEntry('a.jpg', versionAt(NOW_MS - 1))

test('an entry goes to all but those that are known to have it', () => {
  const { pusher, clock, opened } = begin()
  pusher.spread([entry], ['x'])
  clock.advance(5)
  expect(opened).toEqual(['y', 'z'])
})

test('who sends it meanwhile, and whom that one names, need it no more', () => {
  const { pusher, clock, opened } = begin()
  pusher.spread([entry], ['x'])
  pusher.heard([entry], ['y'])
  pusher.heard([older], ['z'])
  clock.advance(5)
  expect(opened).toEqual(['z'])
})
