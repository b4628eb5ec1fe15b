import { beforeEach, expect, test } from 'vitest'
import type { ContentHash } from '../../../protocols/hash.ts'
import type { DirectLine, DirectTake } from '../../../src/blob-sync/direct-line.ts'
import { DirectLines } from '../../../src/blob-sync/direct-lines.ts'
import { ManualClock } from '../../support/manual-clock.ts'

const ITEM = { hash: 'a'.repeat(64) as ContentHash, offset: 0, bytes: 100 }
const TAKE: DirectTake = { came() {}, lacking() {}, grown() {}, whole() {} }

class FakeLine implements DirectLine {
  isFull = false
  log: string[] = []
  onClose = () => {}
  onMoved = (_bytes: number) => {}
  readonly asked: PromiseWithResolvers<void>[] = []

  fetch(): Promise<void> {
    const asked = Promise.withResolvers<void>()
    this.asked.push(asked)
    return asked.promise
  }
  end(): void {
    this.log.push('ended')
    this.onClose()
  }
  abort(error: Error): void {
    this.log.push(error.message)
    for (const asked of this.asked) asked.reject(error)
    this.onClose()
  }
}

let clock: ManualClock
let opened: FakeLine[]
let gate: Promise<void>
let tries: number
let isElsewhere: boolean
let lines: DirectLines
beforeEach(() => {
  clock = new ManualClock()
  opened = []
  tries = 0
  isElsewhere = false
  gate = Promise.resolve()
  const openDirect = async (
    _peer: string,
    { onClose, onMoved }: { onClose: () => void; onMoved: (bytes: number) => void }
  ) => {
    tries++
    await gate
    const line = new FakeLine()
    Object.assign(line, { onClose, onMoved })
    opened.push(line)
    return line
  }
  lines = new DirectLines({ clock, random: { fraction: () => 0 }, lanes: { openDirect } })
})

const fetch = () => lines.fetch('p', [ITEM], TAKE, () => isElsewhere)

test('a line is opened once, whoever looks for it', async () => {
  await Promise.all([lines.seek('p', 1000), lines.seek('p', 1000)])
  await lines.seek('p', 1000)
  expect([tries, lines.has('p'), lines.has('q')]).toEqual([1, true, false])
})

test('who looks for one waits a second for it, and no longer', async () => {
  const opening = Promise.withResolvers<void>()
  gate = opening.promise
  const sought = lines.seek('p', 1000)
  clock.advance(1000)
  await sought
  expect(lines.has('p')).toBe(false)
  await expect(fetch()).rejects.toThrow('no line')
  opening.resolve()
  await lines.seek('p', 1000)
  expect([tries, lines.has('p')]).toEqual([1, true])
})

test('where none can be opened that is tried again after half a minute, then a minute', async () => {
  gate = Promise.reject(new Error('no way through'))
  gate.catch(() => {})
  for (const [waitMs, triesSoFar] of [
    [0, 1],
    [29_999, 1],
    [1, 2],
    [59_999, 2],
    [1, 3]
  ] as const) {
    clock.advance(waitMs)
    await lines.seek('p', 1000)
    expect(tries).toBe(triesSoFar)
  }
})

test('where lines open and break before anything has come, what is asked goes another way', async () => {
  for (const [waitMs, triesSoFar] of [
    [0, 1],
    [29_999, 1],
    [1, 2],
    [59_999, 2],
    [1, 3]
  ] as const) {
    clock.advance(waitMs)
    await lines.seek('p', 1000)
    expect([tries, lines.has('p')]).toEqual([triesSoFar, waitMs < 2])
    if (!lines.has('p')) continue
    const fetching = fetch()
    opened.at(-1)?.abort(new Error('broken'))
    await expect(fetching).rejects.toThrow('broken')
  }
  clock.advance(120_000)
  await lines.seek('p', 1000)
  const fetching = fetch()
  opened.at(-1)?.onMoved(10)
  opened.at(-1)?.abort(new Error('broken'))
  await expect(fetching).rejects.toThrow('broken')
  await lines.seek('p', 1000)
  expect([tries, lines.has('p')]).toEqual([5, true])
})

test('a minute without a request ends a line; while one is open it stays', async () => {
  await lines.seek('p', 600_000)
  const fetching = fetch()
  clock.advance(120_000)
  expect(opened[0]?.log).toEqual([])
  opened[0]?.asked[0]?.resolve()
  await fetching
  clock.advance(59_999)
  expect(lines.has('p')).toBe(true)
  clock.advance(1)
  expect([lines.has('p'), opened[0]?.log]).toEqual([false, ['ended']])
})

test('a peer that sends nothing has failed, unless this node reads nothing', async () => {
  await lines.seek('p', 1000)
  const [line] = opened as [FakeLine]
  const fetching = fetch()
  clock.advance(900)
  line.onMoved(1)
  clock.advance(900)
  line.isFull = true
  clock.advance(5000)
  expect(line.log).toEqual([])
  line.isFull = false
  const told = expect(fetching).rejects.toThrow('nothing came for 1 s')
  clock.advance(2000)
  await told
  expect(lines.has('p')).toBe(false)
})

test('a peer that drips has failed where others can be asked', async () => {
  await lines.seek('p', 1000)
  const [line] = opened as [FakeLine]
  const fetching = fetch()
  const drip = () => {
    for (let n = 0; n < 10; n++) {
      clock.advance(900)
      line.onMoved(10)
    }
  }
  drip()
  expect(line.log).toEqual([])
  isElsewhere = true
  const told = expect(fetching).rejects.toThrow('less than 4096 bytes a second')
  drip()
  await told
  expect(lines.has('p')).toBe(false)
})

test('a line that is an hour old gives way to a new one, and ends with its last answer', async () => {
  await lines.seek('p', 10 ** 9)
  const fetching = fetch()
  clock.advance(60 * 60_000 + 1)
  await lines.seek('p', 10 ** 9)
  await expect.poll(() => opened.length).toBe(2)
  expect(opened[0]?.log).toEqual([])
  opened[0]?.asked[0]?.resolve()
  await fetching
  expect([opened[0]?.log, lines.has('p')]).toEqual([['ended'], true])
})

test('a peer that is gone, or a stop, breaks what is asked', async () => {
  await lines.seek('p', 1000)
  const fetching = expect(fetch()).rejects.toThrow('the peer is gone')
  lines.drop('p')
  await fetching
  await lines.seek('p', 1000)
  const other = expect(fetch()).rejects.toThrow('stopping')
  lines.stop()
  await other
  await lines.seek('p', 1000)
  expect([tries, lines.has('p')]).toEqual([2, false])
})
