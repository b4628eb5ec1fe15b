import { describe, expect, test } from 'vitest'
import { withDeadline } from '../../../src/network/deadline.ts'
import { ManualClock } from '../../support/manual-clock.ts'

const forever = () => new Promise<never>(() => {})

describe('a wait with a deadline', () => {
  test('gives what the work gives, and leaves no timer', async () => {
    const clock = new ManualClock()
    const caller = new AbortController()
    expect(await withDeadline(clock, 1000, [caller.signal], async () => 'done')).toBe('done')
    await expect(
      withDeadline(clock, 1000, [caller.signal], () => Promise.reject(new Error('failed')))
    ).rejects.toThrow('failed')
    expect(clock.pending).toBe(0)
  })

  test('ends in time, also if the work does not listen', async () => {
    const clock = new ManualClock()
    let told: AbortSignal | undefined
    const waiting = withDeadline(clock, 1000, [], (signal) => {
      told = signal
      return forever()
    })
    clock.advance(1000)
    await expect(waiting).rejects.toMatchObject({ name: 'TimeoutError' })
    expect(told?.aborted).toBe(true)
  })

  test('ends with the caller, whichever of them gives up', async () => {
    const clock = new ManualClock()
    const [one, other] = [new AbortController(), new AbortController()]
    const waiting = withDeadline(clock, 1000, [one.signal, other.signal], forever)
    other.abort(new Error('given up'))
    await expect(waiting).rejects.toThrow('given up')
    expect(clock.pending).toBe(0)
  })

  test('does not begin if the caller has given up', async () => {
    const begun = withDeadline(new ManualClock(), 1, [AbortSignal.abort(new Error('no'))], () => {
      throw new Error('begun')
    })
    await expect(begun).rejects.toThrow('no')
  })
})
