import { afterEach, beforeEach, expect, test } from 'vitest'
import { entriesProtocol } from '../../../protocols/entries/serve.ts'
import { parsePath } from '../../../protocols/path.ts'
import { STATUS, StatusError } from '../../../protocols/status.ts'
import { silentLog } from '../../../src/base/log.ts'
import { Histories } from '../../../src/mesh/histories.ts'
import { MemoryNetwork } from '../../../src/network/memory-network.ts'
import { MemoryWire } from '../../../src/network/memory-wire.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { imageEntry, MemoryEntries } from '../../support/memory-entries.ts'
import { SeededChance } from '../../support/seeded-chance.ts'

const A = parsePath('a.png')
const never = new AbortController().signal

let clock: ManualClock
let wire: MemoryWire
let own: MemoryNetwork
let histories: Histories
let nodes: MemoryNetwork[]
let opened: number

beforeEach(async () => {
  clock = new ManualClock()
  wire = new MemoryWire({ clock, random: new SeededChance(1) }, { delayMs: [1, 1] })
  ;[nodes, opened] = [[], 0]
  own = new MemoryNetwork({ wire, log: silentLog }, { id: 'own' })
  histories = new Histories({ network: own, clock })
  await own.start()
})

afterEach(() =>
  clock.run(async () => {
    await histories.stop()
    await Promise.all([own, ...nodes].map((network) => network.stop()))
  })
)

/** A peer that keeps one version of a path, written by itself. */
async function meet(id: string): Promise<MemoryEntries> {
  const network = new MemoryNetwork({ wire, log: silentLog }, { id })
  const source = new MemoryEntries([imageEntry('a.png', 9n, { writer: id })])
  network.handle({
    ...{ id: entriesProtocol.id, streamsMax: 8 },
    serve: (stream, peer) => {
      opened++
      return entriesProtocol.serve(stream, source, peer.id)
    }
  })
  await network.start()
  nodes.push(network)
  await own.dial([`/memory/${id}`], never)
  return source
}

const ask = async () => {
  const told = await histories.ask(A, 2000)
  return [...told].map(([id, { current }]) => [id, current?.writer]).sort()
}

test('all who are connected are asked; who does not answer in time is left out', () =>
  clock.run(async () => {
    for (const id of ['b', 'c', 'd']) await meet(id)
    wire.cut('own', 'd')
    const startMs = clock.now()
    expect(await ask()).toEqual([
      ['b', 'b'],
      ['c', 'c']
    ])
    expect(clock.now() - startMs).toBeLessThan(3000)
  }))

test('many questions at a time share one stream, which stays', () =>
  clock.run(async () => {
    await meet('b')
    const all = await Promise.all(Array.from({ length: 100 }, ask))
    expect(all).toEqual(all.map(() => [['b', 'b']]))
    await ask()
    expect(opened).toBe(1)
  }))

test('a peer that does not know the question is left out, and its stream stays', () =>
  clock.run(async () => {
    const source = await meet('b')
    source.before = () => {
      throw new StatusError(STATUS.BAD_REQUEST, 'this node knows no such request')
    }
    expect(await ask()).toEqual([])
    source.before = () => {}
    expect(await ask()).toEqual([['b', 'b']])
    expect(opened).toBe(1)
  }))

test('a peer that broke off is asked anew over another stream', () =>
  clock.run(async () => {
    const source = await meet('b')
    source.before = () => {
      throw new TypeError('no disk')
    }
    expect(await ask()).toEqual([])
    source.before = () => {}
    expect(await ask()).toEqual([['b', 'b']])
    expect(opened).toBe(2)
  }))

test('a stop ends what is asked', () =>
  clock.run(async () => {
    await meet('b')
    wire.cut('own', 'b')
    const startMs = clock.now()
    const asking = ask()
    await histories.stop()
    expect(await asking).toEqual([])
    expect(clock.now() - startMs).toBeLessThan(1000)
  }))
