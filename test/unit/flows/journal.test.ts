import { expect, test } from 'vitest'
import { silentLog } from '../../../src/base/log.ts'
import { JOURNAL_LINES_MAX, Journal } from '../../../src/flows/journal.ts'
import { ManualClock } from '../../support/manual-clock.ts'

function open(earlier?: string) {
  const clock = new ManualClock()
  const written: string[] = []
  const write = async (text: string) => void written.push(text)
  return { clock, written, journal: new Journal({ clock, log: silentLog, write }, earlier) }
}

test('what one run wrote the next one has', async () => {
  const { journal, written } = open()
  journal.add('added', { path: 'a.jpg', sha256: 'aa' })
  await journal.flush()
  const again = open(written[0])
  expect(again.journal.lines).toEqual(journal.lines)
  expect(again.journal.lines[0]).toMatchObject({ event: 'added', path: 'a.jpg' })
})

test('a burst is one write, and the file is bounded', async () => {
  const { journal, written, clock } = open()
  for (let n = 0; n < JOURNAL_LINES_MAX + 5; n++) journal.add('deleted', { path: `${n}.jpg` })
  clock.advance(5000)
  await journal.flush()
  expect(written).toHaveLength(1)
  expect(JSON.parse(written[0] as string)).toHaveLength(JOURNAL_LINES_MAX)
  expect(journal.lines[0]?.path).toBe('5.jpg')
})

test.each([
  '[',
  '{}',
  'null',
  '[null, 1, "x", []]',
  '[{"timestamp": 1700000000, "action": "upload"}]',
  '[{"at": 1, "event": "added"}, {"at": "2026-01-01T00:00:00.000Z", "event": "exploded"}]'
])('a file of another program (%s) leaves no line behind', (text) => {
  expect(open(text).journal.lines).toEqual([])
})
