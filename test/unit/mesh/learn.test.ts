import { afterEach, beforeEach, expect, test } from 'vitest'
import { entriesProtocol } from '../../../protocols/entries/serve.ts'
import { parsePath } from '../../../protocols/path.ts'
import { silentLog } from '../../../src/base/log.ts'
import { hasRecord, memberDatabases, wasRemoved } from '../../../src/flows/members.ts'
import { IndexSync } from '../../../src/index-sync/index-sync.ts'
import { Histories } from '../../../src/mesh/histories.ts'
import { Learner } from '../../../src/mesh/learn.ts'
import { MemoryNetwork } from '../../../src/network/memory-network.ts'
import { MemoryWire } from '../../../src/network/memory-wire.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { imageEntry, MemoryEntries } from '../../support/memory-entries.ts'
import { openMemoryIndex, type TestIndex } from '../../support/open-index.ts'
import { SeededChance } from '../../support/seeded-chance.ts'

const A = parsePath('a.png')
const never = new AbortController().signal

let clock: ManualClock
let wire: MemoryWire
let own: MemoryNetwork
let peer: MemoryNetwork
let source: MemoryEntries
let opened: TestIndex
let sync: IndexSync
let histories: Histories
let learner: Learner
let asked: number

/** A peer that has an image of which this node has not heard, and has not been compared with. */
beforeEach(async () => {
  clock = new ManualClock()
  const random = new SeededChance(1)
  wire = new MemoryWire({ clock, random }, { delayMs: [1, 1] })
  own = new MemoryNetwork({ wire, log: silentLog }, { id: 'own' })
  peer = new MemoryNetwork({ wire, log: silentLog }, { id: 'b' })
  source = new MemoryEntries([imageEntry('a.png', BigInt(clock.now()) << 16n, { writer: 'b' })])
  asked = 0
  peer.handle({
    ...{ id: entriesProtocol.id, streamsMax: 8 },
    serve: (stream, { id }) => entriesProtocol.serve(stream, source, id)
  })
  source.before = () => {
    asked++
  }
  await own.start()
  await peer.start()
  await clock.run(() => own.dial(['/memory/b'], never))
  opened = await openMemoryIndex('own', clock)
  const { index } = opened
  sync = new IndexSync({
    ...{ network: own, index, clock, log: silentLog, random, onMerged: () => {} },
    ...{ members: memberDatabases, wasRemoved, hasRecord, reportMsMax: 86_400_000 },
    wants: async () => ({ wantsFiles: 0, wantsBytes: 0, wantRanges: [] })
  })
  histories = new Histories({ network: own, clock })
  learner = new Learner({ network: own, indexSync: sync, histories })
})

afterEach(async () => {
  await clock.run(async () => {
    await Promise.all([sync.stop(), histories.stop()])
    await Promise.all([own.stop(), peer.stop()])
  })
  await opened.close()
})

test('what a peer knows of a path is known here when it has been asked', async () => {
  await clock.run(() => learner.learn(A))
  expect(opened.index.image(A)?.writer).toBe('b')
})

test('readers of one path ask once', async () => {
  await clock.run(() => Promise.all(Array.from({ length: 50 }, () => learner.learn(A))))
  expect(asked).toBe(1)
  await clock.run(() => learner.learn(parsePath('nothing.png')))
  expect(asked).toBe(2)
})

test('robots that try very many paths cause few questions', async () => {
  const paths = Array.from({ length: 500 }, (_, n) => parsePath(`${n}.png`))
  await clock.run(() => Promise.all(paths.map((path) => learner.learn(path))))
  expect(asked).toBe(32)
})

test('a peer that is known to be equal is not asked', async () => {
  await clock.run(() => sync.compare('b'))
  const before = asked
  await clock.run(() => learner.learn(parsePath('nothing.png')))
  expect(asked).toBe(before)
})

test('a peer that does not answer keeps a reader for a second', async () => {
  wire.cut('own', 'b')
  const startMs = clock.now()
  await clock.run(() => learner.learn(A))
  expect(clock.now() - startMs).toBeLessThanOrEqual(1000)
  expect(opened.index.image(A)).toBeUndefined()
})
