import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Alerts, type Told } from '../../../src/alerts/alerts.ts'
import { planAlert, UNWATCHED } from '../../../src/alerts/plan-alert.ts'
import { silentLog } from '../../../src/base/log.ts'
import { eventually } from '../../support/eventually.ts'
import { ManualClock } from '../../support/manual-clock.ts'

describe('planAlert', () => {
  /** What is told of one status a minute. */
  const toldOf = (...statuses: string[]) => {
    let watched = UNWATCHED
    return statuses.map((status, minute) => {
      const times = { nowMs: minute * 60_000, afterMs: 60_000 }
      const { next, tell } = planAlert(watched, status, times)
      watched = next
      return tell
    })
  }

  test('a trouble that lasts is told once, and its end', () => {
    const course = ['healthy', 'degraded', 'degraded', 'degraded', 'healthy', 'healthy', 'healthy']
    expect(toldOf(...course)).toEqual([false, false, true, false, false, true, false])
  })

  test('what is over soon is not told', () => {
    expect(toldOf('degraded', 'healthy', 'degraded', 'healthy', 'healthy')).toEqual(
      Array(5).fill(false)
    )
  })

  test('worse is told, better is not until all is well', () => {
    const course = ['degraded', 'degraded', 'critical', 'critical', 'degraded', 'degraded']
    expect(toldOf(...course)).toEqual([false, true, false, true, false, false])
  })
})

let folder: string
let server: Server
let clock: ManualClock
let alerts: Alerts | undefined
let heard: string[]
let answers: number[]
let status: string

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tumesh-alerts-'))
  clock = new ManualClock()
  heard = []
  answers = []
  status = 'healthy'
  server = createServer(async (request, response) => {
    heard.push((await request.toArray()).join(''))
    response.writeHead(answers.shift() ?? 200).end()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
})
afterEach(async () => {
  await alerts?.stop()
  server.close()
  rmSync(folder, { recursive: true })
})

const look = (): Told => ({
  node: 'a',
  peer_id: 'p',
  status,
  reasons: ['The disk is full.'],
  at: 't'
})

function start(options: { webhook?: string; command?: string }): void {
  const { webhook, command } = options
  alerts = new Alerts({ clock, log: silentLog, look }, { webhook, command, afterMs: 10_000 })
  alerts.start()
}

function isRunning(pid: number): boolean {
  try {
    // one that has ended stays until its parent has asked
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

const webhook = () => `http://127.0.0.1:${(server.address() as { port: number }).port}/hook`

test('a webhook hears of trouble, again if it was not there, and of its end', async () => {
  start({ webhook: webhook() })
  answers = [500]
  status = 'degraded'
  for (const count of [1, 2]) {
    await eventually(() => {
      clock.advance(5_000)
      expect(heard.length).toBe(count)
    })
  }
  expect(JSON.parse(heard[1] ?? '')).toEqual({
    text: 'Tumesh node a is degraded. The disk is full.',
    ...look()
  })
  status = 'healthy'
  await eventually(() => {
    clock.advance(5_000)
    expect(heard.length).toBe(3)
  })
})

test('a command gets it as input and in its environment', async () => {
  const file = join(folder, 'said')
  start({
    command: `{ echo "$TUMESH_NODE $TUMESH_STATUS"; cat; } > ${file}.part && mv ${file}.part ${file}`
  })
  status = 'critical'
  await eventually(() => {
    clock.advance(5_000)
    const [head, json = ''] = readFileSync(file, 'utf8').split('\n')
    expect([head, JSON.parse(json)]).toEqual(['a critical', look()])
  })
})

test('a command that does not end is ended with all that it began', async () => {
  const file = join(folder, 'pids')
  start({ command: `sleep 600 & echo $! $$ > ${file}.part && mv ${file}.part ${file}; wait` })
  status = 'degraded'
  let pids: number[] = []
  await eventually(() => {
    clock.advance(5_000)
    pids = readFileSync(file, 'utf8').trim().split(' ').map(Number)
  })
  await alerts?.stop()
  await eventually(() => {
    for (const pid of pids) expect(isRunning(pid)).toBe(false)
  })
})

test('one way that does not work is in the way of no other, and tries it alone again', async () => {
  const file = join(folder, 'runs')
  start({ webhook: webhook(), command: `echo >> ${file}; exit 1` })
  status = 'degraded'
  await eventually(() => {
    clock.advance(5_000)
    expect(readFileSync(file, 'utf8').length).toBeGreaterThan(2)
  })
  expect(heard.length).toBe(1)
  await alerts?.stop()
  start({ webhook: webhook(), command: `echo >> ${file}.other` })
  answers = Array(1000).fill(500)
  await eventually(() => {
    clock.advance(5_000)
    expect(readFileSync(`${file}.other`, 'utf8')).toBe('\n')
    expect(heard.length).toBeGreaterThan(3)
  })
})

test('where nothing is set up nothing is looked at', () => {
  start({})
  expect(clock.pending).toBe(0)
})
