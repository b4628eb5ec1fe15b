import { beforeEach, describe, expect, it } from 'vitest'
import {
  STALL_MS_MAX,
  UploadGate,
  WAIT_MS_MAX,
  WAITING_MAX
} from '../../../src/http/upload-gate.ts'
import { ManualClock } from '../../support/manual-clock.ts'

const never = new AbortController().signal
let clock: ManualClock
let gate: UploadGate

beforeEach(() => {
  clock = new ManualClock()
  gate = new UploadGate({ clock }, 2)
})

/** What became of an upload by now. */
async function stateOf(entered: Promise<unknown>): Promise<string> {
  const state = entered.then(
    () => 'inside',
    (error) => error.code ?? error.message
  )
  return Promise.race([state, new Promise<string>((resolve) => setImmediate(resolve, 'waiting'))])
}

describe('UploadGate', () => {
  it('lets so many in, and others in their order as places come free', async () => {
    const leaveFirst = await gate.enter(never)
    const leaveSecond = await gate.enter(never)
    const third = gate.enter(never)
    const fourth = gate.enter(never)
    expect(await stateOf(third)).toBe('waiting')
    leaveFirst()
    leaveFirst() // a second time frees nothing
    expect([await stateOf(third), await stateOf(fourth)]).toEqual(['inside', 'waiting'])
    leaveSecond()
    expect(await stateOf(fourth)).toBe('inside')
    for (const leave of [await third, await fourth]) leave()
    expect(clock.pending).toBeLessThanOrEqual(1)
    expect(await stateOf(gate.enter(never))).toBe('inside')
  })

  it('sends away who waits while nothing moves', async () => {
    await gate.enter(never)
    await gate.enter(never)
    const waiting = gate.enter(never)
    clock.advance(STALL_MS_MAX - 1000)
    expect(await stateOf(waiting)).toBe('waiting')
    clock.advance(1000)
    expect(await stateOf(waiting)).toBe('BUSY')
    expect(gate.waiting).toBe(0)
  })

  it('keeps who waits while others leave, for a minute', async () => {
    let leave = await gate.enter(never)
    await gate.enter(never)
    const behind = Array.from({ length: 100 }, () => gate.enter(never))
    for (const entered of behind) entered.catch(() => {})
    for (let s = 0; s < WAIT_MS_MAX / 1000 - 1; s++) {
      clock.advance(1000)
      leave()
      leave = await (behind[s] as Promise<() => void>)
    }
    const last = behind.at(-1) as Promise<() => void>
    expect(await stateOf(last)).toBe('waiting')
    clock.advance(1000)
    expect(await stateOf(last)).toBe('BUSY')
  })

  it('forgets who goes away', async () => {
    const leave = await gate.enter(never)
    await gate.enter(never)
    const gone = new AbortController()
    const first = gate.enter(gone.signal)
    const second = gate.enter(never)
    gone.abort(new Error('gone'))
    expect(await stateOf(first)).toBe('gone')
    leave()
    expect(await stateOf(second)).toBe('inside')
    await expect(gate.enter(AbortSignal.abort(new Error('gone')))).rejects.toThrow('gone')
  })

  it('bounds the queue', async () => {
    await gate.enter(never)
    await gate.enter(never)
    // of its own each, as requests have: a signal looks through all that listen to it
    for (let n = 0; n < WAITING_MAX; n++) gate.enter(new AbortController().signal).catch(() => {})
    await expect(gate.enter(never)).rejects.toMatchObject({ code: 'BUSY' })
  })
})
