import { beforeEach, expect, test } from 'vitest'
import { CounterTable } from '../../../src/network/counters.ts'
import { Libp2pMetrics } from '../../../src/network/libp2p-metrics.ts'
import { ManualClock } from '../../support/manual-clock.ts'

let clock: ManualClock
let counters: CounterTable
let metrics: Libp2pMetrics
beforeEach(() => {
  clock = new ManualClock()
  counters = new CounterTable()
  metrics = new Libp2pMetrics({ clock, counters })
})

async function figure(name: string) {
  const found = (await metrics.figures()).find((one) => one.name === name)
  return found && { ...found, values: Object.fromEntries(found.values) }
}

test('what libp2p counts is told under its names', async () => {
  metrics.registerCounter('errors', { help: 'Of all kinds' }).increment()
  metrics.registerCounter('errors').increment(2)
  expect(await figure('errors')).toEqual({
    ...{ name: 'errors', help: 'Of all kinds', grows: true, label: undefined, values: { '': 3 } }
  })
  const dials = metrics.registerCounterGroup('dials', { label: 'how' })
  dials.increment({ inbound: true, outbound: 4 })
  dials.increment({ inbound: true })
  expect(await figure('dials')).toMatchObject({ label: 'how', values: { inbound: 2, outbound: 4 } })
  const open = metrics.registerMetric('open')
  open.update(5)
  open.decrement()
  expect(await figure('open')).toMatchObject({ grows: false, values: { '': 4 } })
  const waits = metrics.registerMetricGroup('waits')
  const stop = waits.timer('ping')
  clock.advance(7)
  stop()
  expect(await figure('waits')).toMatchObject({ label: 'waits', values: { ping: 7 } })
  open.reset()
  expect(await figure('open')).toMatchObject({ values: {} })
})

test('what is calculated is asked for each time, and of all who calculate it', async () => {
  let streams = 1
  metrics.registerMetric('streams', { calculate: () => streams })
  metrics.registerMetricGroup('listeners', { calculate: () => ({ a: 1, b: 2 }) })
  metrics.registerMetricGroup('listeners', { calculate: async () => ({ b: 3 }) })
  for (streams of [1, 9]) {
    expect(await figure('streams')).toMatchObject({ values: { '': streams } })
    expect(await figure('listeners')).toMatchObject({ values: { a: 1, b: 5 } })
  }
})

test('what others name is told of up to a limit', async () => {
  const group = metrics.registerCounterGroup('protocols')
  for (let n = 0; n < 1000; n++) group.increment({ [`/p/${n}`]: true })
  const told = await figure('protocols')
  expect(Object.keys(told?.values ?? {})).toHaveLength(200)
})

test('bytes of streams are told by protocol and direction, those of lanes are not', async () => {
  counters.received('p', 5, '/tumesh/blobs/1')
  counters.received('q', 6, '/tumesh/blobs/1')
  counters.sent('p', 7, '/tumesh/blobs/1')
  counters.sent('p', 8)
  expect(await figure('libp2p_data_transfer_bytes_total')).toMatchObject({
    values: { '/tumesh/blobs/1 received': 11, '/tumesh/blobs/1 sent': 7 }
  })
  expect(counters.total).toEqual({ bytesIn: 11, bytesOut: 15 })
})
