import { describe, expect, it } from 'vitest'
import type { Clock } from '../../../src/base/clock.ts'
import { BoundedCalls } from '../../../src/content/bounded-calls.ts'

/** A clock whose timers fire when told to. */
function handClock() {
  const timers = new Set<() => void>()
  const clock: Clock = {
    now: () => 0,
    monotonicMs: () => 0,
    after(_ms, task) {
      timers.add(task)
      return () => timers.delete(task)
    }
  }
  const fire = () => {
    for (const task of timers) task()
    timers.clear()
  }
  return { clock, fire, timers }
}

/** A call that ends when told to. */
function heldCall() {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const state = { started: false }
  const call = () => {
    state.started = true
    return promise
  }
  return { call, state, resolve, reject }
}

const LIMITS = { runningMax: 1, waitingMax: 1, timeoutMs: 10 }

describe('BoundedCalls', () => {
  it('answers with the result, and with the error', async () => {
    const { clock, timers } = handClock()
    const calls = new BoundedCalls({ clock }, LIMITS)
    await expect(calls.run(async () => 'a')).resolves.toBe('a')
    await expect(calls.run(() => Promise.reject(new Error('b')))).rejects.toThrow('b')
    expect(timers.size).toBe(0)
  })

  it('runs so many at a time, lets so many wait, and is busy for the rest', async () => {
    const calls = new BoundedCalls(handClock(), LIMITS)
    const [first, second] = [heldCall(), heldCall()]
    const running = calls.run(first.call)
    const waiting = calls.run(second.call)
    await expect(calls.run(async () => 'c')).rejects.toMatchObject({ code: 'BUSY' })
    expect(second.state.started).toBe(false)
    first.reject(new Error('a'))
    await expect(running).rejects.toThrow('a')
    second.resolve('b')
    await expect(waiting).resolves.toBe('b')
    await expect(calls.run(async () => 'c')).resolves.toBe('c')
  })

  it('gives up on a call that does not end, and makes no more while it holds the place', async () => {
    const { clock, fire } = handClock()
    const calls = new BoundedCalls({ clock }, LIMITS)
    const [stuck, second] = [heldCall(), heldCall()]
    const running = calls.run(stuck.call)
    const waiting = calls.run(second.call)
    fire()
    await expect(running).resolves.toBeUndefined()
    await expect(waiting).resolves.toBeUndefined()
    await expect(calls.run(second.call)).resolves.toBeUndefined()
    expect(second.state.started).toBe(false)

    stuck.resolve('late')
    await new Promise(setImmediate)
    await expect(calls.run(async () => 'c')).resolves.toBe('c')
  })
})
