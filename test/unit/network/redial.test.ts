import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { silentLog } from '../../../src/base/log.ts'
import { createAdmission } from '../../../src/network/admission.ts'
import { MemoryNetwork } from '../../../src/network/memory-network.ts'
import { MemoryWire } from '../../../src/network/memory-wire.ts'
import type { Remembered } from '../../../src/network/plan-redial.ts'
import { type Redial, startRedial } from '../../../src/network/redial.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { SeededChance } from '../../support/seeded-chance.ts'

const MINUTE_MS = 60_000

describe('a member that is not connected', () => {
  let clock: ManualClock
  let wire: MemoryWire
  let remembered: Remembered[]
  let own: MemoryNetwork
  let redial: Redial
  let dials: string[]

  const start = async (id: string, place = id): Promise<MemoryNetwork> => {
    const network = new MemoryNetwork({ wire, log: silentLog }, { id, place })
    await network.start()
    return network
  }
  const ids = () => own.peers().map(({ id }) => id)

  beforeEach(async () => {
    clock = new ManualClock()
    const random = new SeededChance(1)
    wire = new MemoryWire({ clock, random })
    remembered = []
    dials = []
    own = await start('own')
    const network: Pick<MemoryNetwork, 'id' | 'peers' | 'dial' | 'onPeer'> = {
      id: own.id,
      peers: () => own.peers(),
      onPeer: (listener) => own.onPeer(listener),
      dial: (addresses, signal) => {
        dials.push(`${addresses.join(' ')} at ${clock.now()}`)
        return own.dial(addresses, signal)
      }
    }
    const parts = {
      clock,
      random,
      log: silentLog,
      network,
      dial: network.dial.bind(network),
      remembered: () => remembered
    }
    redial = startRedial(parts)
  })

  afterEach(() => clock.run(() => redial.stop()))

  test('is dialled at once', async () => {
    await start('b')
    remembered = [{ id: 'b', addresses: ['/memory/b'] }]
    await clock.pass(1_000)
    expect(ids()).toEqual(['b'])
    await clock.pass(10 * MINUTE_MS)
    expect(dials).toHaveLength(1)
  })

  test('is dialled ever more rarely, and never given up', async () => {
    remembered = [{ id: 'b', addresses: ['/memory/b'] }]
    await clock.pass(60 * MINUTE_MS)
    expect(dials.length).toBeGreaterThan(60)
    expect(dials.length).toBeLessThan(150)
    expect(redial.failure('b')?.message).toContain('Nothing listens')
    const nextMs = redial.nextMs('b') ?? 0
    expect(nextMs - clock.now()).toBeGreaterThanOrEqual(0)
    expect(nextMs - clock.now()).toBeLessThanOrEqual(MINUTE_MS)
    await start('b')
    await clock.pass(MINUTE_MS)
    expect(ids()).toEqual(['b'])
    expect(redial.failure('b')).toBeUndefined()
    expect(redial.nextMs('b')).toBeUndefined()
  })

  test('is found again within 10 seconds when it was away for a moment', async () => {
    const before = await start('b')
    remembered = [{ id: 'b', addresses: ['/memory/b'] }]
    await clock.pass(1_000)
    await clock.run(() => before.stop())
    await clock.pass(5_000)
    await start('b')
    await clock.pass(10_000)
    expect(ids()).toEqual(['b'])
  })

  test('is found again within 10 seconds of becoming known at another place', async () => {
    remembered = [{ id: 'b', addresses: ['/memory/old'] }]
    await clock.pass(30 * MINUTE_MS)
    await start('b', 'new')
    remembered = [{ id: 'b', addresses: ['/memory/new'] }]
    await clock.pass(10_000)
    expect(ids()).toEqual(['b'])
  })

  test('does not keep others waiting that answer', async () => {
    const gone = Array.from({ length: 20 }, (_, at) => `gone-${at}`)
    for (const id of gone) {
      await start(id)
      wire.cut('own', id)
    }
    await start('b')
    remembered = [...gone, 'b'].map((id) => ({ id, addresses: [`/memory/${id}`] }))
    await clock.pass(1_000)
    expect(ids()).toEqual(['b'])
  })

  test('comes before all that are gone for long, however many they are', async () => {
    const gone = Array.from({ length: 200 }, (_, at) => `gone-${at}`)
    for (const id of gone) {
      await start(id)
      wire.cut('own', id)
    }
    const before = await start('b')
    remembered = [...gone, 'b'].map((id) => ({ id, addresses: [`/memory/${id}`] }))
    await clock.pass(20 * MINUTE_MS)
    expect(ids()).toEqual(['b'])
    await clock.run(() => before.stop())
    await clock.pass(MINUTE_MS)
    await start('b')
    await clock.pass(10_000)
    expect(ids()).toEqual(['b'])
  })

  test('may be known by its address only, and is dialled once while it is there', async () => {
    const b = await start('b')
    remembered = [{ id: undefined, addresses: ['/memory/b'] }]
    await clock.pass(MINUTE_MS)
    expect(dials).toHaveLength(1)
    await clock.run(() => b.stop())
    await clock.pass(5_000)
    await start('b')
    await clock.pass(10_000)
    expect(ids()).toEqual(['b'])
  })

  test('is not the node itself', async () => {
    remembered = [
      { id: 'own', addresses: ['/memory/own'] },
      { id: undefined, addresses: ['/memory/own'] },
      { id: 'b', addresses: [] }
    ]
    await clock.pass(60 * MINUTE_MS)
    expect(dials).toHaveLength(1)
  })

  test('is told why it can not be reached', async () => {
    const admission = createAdmission('other', new Uint8Array(32))
    await new MemoryNetwork({ wire, log: silentLog }, { id: 'b', admission }).start()
    remembered = [{ id: 'b', addresses: ['/memory/b'] }]
    await clock.pass(1_000)
    expect(redial.failure('b')?.message).toContain('another cluster or has another secret')
    remembered = []
    await clock.pass(1_000)
    expect(redial.failure('b')).toBeUndefined()
  })

  test('is dialled no more after stop, which does not wait for dials that hang', async () => {
    await start('b')
    wire.cut('own', 'b')
    remembered = [{ id: 'b', addresses: ['/memory/b'] }]
    await clock.pass(1_000)
    const before = clock.now()
    await clock.run(() => redial.stop())
    expect(clock.now() - before).toBeLessThan(100)
    const made = dials.length
    await clock.pass(10 * MINUTE_MS)
    expect(dials).toHaveLength(made)
  })
})
