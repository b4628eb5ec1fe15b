import { pino } from 'pino'
import { beforeEach, expect, test } from 'vitest'
import { Activity } from '../../../src/base/activity.ts'
import { STALL_MS_MIN, startStallLog } from '../../../src/base/stall-log.ts'

/** A clock whose timers come when the test says so. */
class LateClock {
  nowMs = 0
  #timer: { atMs: number; task: () => void } | undefined
  now = () => this.nowMs
  monotonicMs = () => this.nowMs
  after = (ms: number, task: () => void) => {
    this.#timer = { atMs: this.nowMs + ms, task }
    return () => {
      this.#timer = undefined
    }
  }
  /** The timer that is due comes so much too late; undefined if none is set. */
  fire(lateMs: number): void {
    const timer = this.#timer
    if (timer === undefined) return
    this.nowMs = timer.atMs + lateMs
    timer.task()
  }
}

let clock: LateClock
let activity: Activity
let told: { stallMs: number; running: string[] }[]
let stop: () => void
beforeEach(() => {
  clock = new LateClock()
  activity = new Activity(clock.monotonicMs)
  told = []
  const log = pino(
    { level: 'debug' },
    { write: (line: string) => void told.push(JSON.parse(line)) }
  )
  stop = startStallLog({ clock, log, activity })
})

test('a loop that stood still is told of, with what ran then', () => {
  const end = activity.begin('GET /a')
  activity.begin('scrub')
  activity.begin('scrub')
  clock.fire(STALL_MS_MIN - 1)
  expect(told).toEqual([])
  end()
  clock.fire(STALL_MS_MIN)
  expect(told).toMatchObject([{ stallMs: STALL_MS_MIN, running: ['scrub (2)', 'GET /a'] }])
})

test('what ended before it is not blamed; one that goes on is told of each second', () => {
  activity.begin('before')()
  clock.fire(0)
  for (let n = 0; n < 10; n++) clock.fire(300)
  expect(told.map(({ running }) => running)).toEqual([[], [], [], []])
})

test('ends', () => {
  stop()
  clock.fire(10_000)
  expect(told).toEqual([])
})
