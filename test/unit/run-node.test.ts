import { expect, test } from 'vitest'
import { type Clock, systemClock } from '../../src/base/clock.ts'
import { silentLog } from '../../src/base/log.ts'
import { type RunnableNode, runNode } from '../../src/run-node.ts'

/** A process whose signals and timers the test sends. */
function fakeProcess(node: Partial<RunnableNode> = {}) {
  const listeners = new Map<string, (argument: unknown) => void>()
  const said: string[] = []
  const exits: number[] = []
  const timers: (() => void)[] = []
  const calls: string[] = []
  const clock: Clock = {
    ...systemClock,
    after(_ms, task) {
      timers.push(task)
      return () => {}
    }
  }
  const info = {
    name: 'a',
    peerId: 'p',
    httpUrl: 'http://127.0.0.1:1',
    dataFolder: '/d',
    meets: undefined
  }
  const running = runNode({
    host: {
      on: (event, listener) => listeners.set(event, listener),
      exit: (code) => exits.push(code),
      say: (text) => said.push(text)
    },
    log: silentLog,
    clock,
    create: async () => ({
      info,
      start: async () => void calls.push('start'),
      stop: async () => void calls.push('stop'),
      ...node
    })
  })
  const send = (event: string, argument?: unknown) => listeners.get(event)?.(argument)
  return { running, send, said, exits, timers, calls }
}

const settled = () => new Promise((resolve) => setImmediate(resolve))

test('a node starts, greets, and stops on a signal with 0', async () => {
  const { running, send, said, exits, calls } = fakeProcess()
  await running
  expect(said).toHaveLength(1)
  send('SIGTERM')
  await settled()
  expect(calls).toEqual(['start', 'stop'])
  expect(exits).toEqual([0])
})

test('a second signal ends at once with 130', async () => {
  const { running, send, exits } = fakeProcess({ stop: () => new Promise(() => {}) })
  await running
  send('SIGINT')
  expect(exits).toEqual([])
  send('SIGTERM')
  expect(exits).toEqual([130])
})

test('a signal during the start stops what has started, without a greeting', async () => {
  const started = Promise.withResolvers<void>()
  const { running, send, said, exits, calls } = fakeProcess({ start: () => started.promise })
  send('SIGINT')
  await settled()
  expect(calls).toEqual([])
  started.resolve()
  await running
  await settled()
  expect(calls).toEqual(['stop'])
  expect(exits).toEqual([0])
  expect(said).toEqual([])
})

test('an error of the start is thrown', async () => {
  const { running, said } = fakeProcess({ start: () => Promise.reject(new Error('port taken')) })
  await expect(running).rejects.toThrow('port taken')
  expect(said).toEqual([])
})

test.each(['uncaughtException', 'unhandledRejection'])(
  '%s stops the node with 70',
  async (event) => {
    const { running, send, exits, calls } = fakeProcess()
    await running
    send(event, new Error('invariant broken'))
    await settled()
    expect(calls).toEqual(['start', 'stop'])
    expect(exits).toEqual([70])
  }
)

test('a broken node that does not stop is ended', async () => {
  const { running, send, exits, timers } = fakeProcess({ stop: () => new Promise(() => {}) })
  await running
  send('uncaughtException', new Error('invariant broken'))
  await settled()
  expect(exits).toEqual([])
  for (const fire of timers) fire()
  expect(exits).toEqual([70])
})

test('a fault while stopping ends the process at once', async () => {
  const { running, send, exits } = fakeProcess({ stop: () => new Promise(() => {}) })
  await running
  send('SIGTERM')
  send('unhandledRejection', new Error('invariant broken'))
  expect(exits).toEqual([70])
})

test('a stop that fails is no success', async () => {
  const { running, send, exits } = fakeProcess({ stop: () => Promise.reject(new Error('disk')) })
  await running
  send('SIGTERM')
  await settled()
  expect(exits).toEqual([1])
})
