import { afterEach, beforeEach, expect, test } from 'vitest'
import type { ByteStream } from '../../../protocols/byte-stream.ts'
import { requestSecret } from '../../../protocols/secret/request.ts'
import { STATUS } from '../../../protocols/status.ts'
import { silentLog } from '../../../src/base/log.ts'
import { sumOf } from '../../../src/mesh/cluster.ts'
import { SecretKeeper } from '../../../src/mesh/secret-keeper.ts'
import type { ProtocolHandler } from '../../../src/network/network.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { settled } from '../../support/microtasks.ts'
import { streamPair } from '../../support/stream-pair.ts'

const never = new AbortController().signal
const MINUTE_MS = 60_000
const DAY_MS = 24 * 60 * MINUTE_MS

let clock: ManualClock
let keeper: SecretKeeper
let handler: ProtocolHandler

beforeEach(() => {
  clock = new ManualClock()
  const network = { peers: () => [], admit: async () => {} } as never
  const admitted = {
    peers: () => [],
    has: () => true,
    onPeer: () => () => {},
    handle: (one: ProtocolHandler) => {
      handler = one
    }
  } as never
  keeper = new SecretKeeper(
    { network, admitted, clock, log: silentLog, save: async () => {} },
    { name: 'default', secret: undefined, isFixed: false, decidedMs: 0 }
  )
})
afterEach(() => keeper.stop())

async function offer(cluster: string, decidedMs: number): Promise<void> {
  const { left, right } = streamPair()
  const serving = handler.serve(right as ByteStream, { id: 'peer' } as never)
  const said = { cluster, secret: new Uint8Array(32).fill(7), decidedMs }
  const [asked] = await Promise.allSettled([requestSecret(left, said, never), serving])
  if (asked.status === 'rejected') throw asked.reason
}

test('a secret that a member hands over is taken', async () => {
  await offer('default', clock.now() + 9 * MINUTE_MS)
  expect(keeper.facts.secret).toEqual(new Uint8Array(32).fill(7))
})

test('one that no later decision could replace is not', async () => {
  const later = offer('default', clock.now() + 11 * MINUTE_MS)
  await expect(later).rejects.toMatchObject({ status: STATUS.REFUSED })
  expect(keeper.facts.secret).toBeUndefined()
})

test('nor one of a cluster with a name that no invite can hold', async () => {
  const odd = offer('two words', clock.now())
  await expect(odd).rejects.toMatchObject({ status: STATUS.BAD_REQUEST })
  expect(keeper.facts).toMatchObject({ name: 'default', secret: undefined })
})

test('who has a later one is not taken for having this one', async () => {
  const secret = new Uint8Array(32).fill(9)
  await keeper.take({ cluster: 'default', secret, decidedMs: clock.now() })
  const older = offer('default', clock.now() - 1)
  await expect(older).rejects.toMatchObject({ status: STATUS.REFUSED })
  expect(keeper.facts.secret).toEqual(secret)
  expect(keeper.hasIt('peer')).toBe(false)
})

test('the secret of before opens until its time, however far that is', async () => {
  const waits: number[] = []
  clock.after = (ms, task) => {
    waits.push(ms)
    return ManualClock.prototype.after.call(clock, ms, task)
  }
  const [one, two] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)]
  await keeper.take({ cluster: 'default', secret: one, decidedMs: 1 })
  const rotation = { former: sumOf(one), formerUntilMs: clock.now() + 60 * DAY_MS }
  await keeper.take({ cluster: 'default', secret: two, decidedMs: 2, rotation })
  for (let day = 0; day < 59; day++) {
    clock.advance(DAY_MS)
    await settled()
  }
  expect(keeper.facts.former).toBeDefined()
  clock.advance(DAY_MS)
  await settled()
  expect(keeper.facts.former).toBeUndefined()
  // the longest that a timer of the platform can wait
  for (const ms of waits) expect(ms).toBeLessThan(2 ** 31)
})
