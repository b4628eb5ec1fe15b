// Proof, collection and review between real indexes, over the network of the simulation.

import { afterEach, beforeEach, expect, test } from 'vitest'
import { encodeEntry, KIND_IMAGE } from '../../../protocols/entry.ts'
import type { ContentHash, Md5 } from '../../../protocols/hash.ts'
import { parsePath } from '../../../protocols/path.ts'
import { bucketAt } from '../../../protocols/time-tree-shape.ts'
import { versionAt } from '../../../protocols/version.ts'
import { silentLog } from '../../../src/base/log.ts'
import { collect } from '../../../src/flows/collect.ts'
import {
  announce,
  hasRecord,
  memberDatabases,
  removeMember,
  wasRemoved
} from '../../../src/flows/members.ts'
import type { ImageIndex } from '../../../src/index/image-index.ts'
import { IndexSync } from '../../../src/index-sync/index-sync.ts'
import { MemoryNetwork } from '../../../src/network/memory-network.ts'
import { MemoryWire } from '../../../src/network/memory-wire.ts'
import { auditIndex } from '../../support/audit-index.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { openMemoryIndex, type TestIndex } from '../../support/open-index.ts'
import { SeededChance } from '../../support/seeded-chance.ts'

const MINUTE_MS = 60_000
const DAY_MS = 24 * 60 * MINUTE_MS
const KEEP_MS = 10 * DAY_MS
const never = new AbortController().signal
const A = parsePath('a.jpg')
const B = parsePath('b.jpg')

let clock: ManualClock
let wire: MemoryWire
const opened: (TestIndex & { sync: IndexSync; network: MemoryNetwork })[] = []
beforeEach(() => {
  clock = new ManualClock()
  wire = new MemoryWire({ clock, random: new SeededChance(1) }, {})
})
afterEach(async () => {
  for (const { sync, network, database, close } of opened.splice(0)) {
    await clock.run(() => sync.stop())
    await clock.run(() => network.stop())
    expect(await auditIndex(database)).toEqual([])
    await close()
  }
})

interface Peer {
  readonly id: string
  readonly index: ImageIndex
  readonly sync: IndexSync
}

async function join(id: string, { isMember = true } = {}): Promise<Peer> {
  const test = await openMemoryIndex(id, clock)
  const { index } = test
  const random = new SeededChance(id.length)
  const network = new MemoryNetwork({ wire, log: silentLog }, { id })
  const wants = async () => ({ wantsFiles: 0, wantsBytes: 0, wantRanges: [] })
  const sync = new IndexSync({
    ...{ network, index, clock, random, log: silentLog, wants },
    ...{ members: memberDatabases, wasRemoved, hasRecord },
    onMerged: () => {},
    reportMsMax: DAY_MS
  })
  await network.start()
  if (isMember) await isMemberNow({ id, index })
  opened.push({ ...test, sync, network })
  await meet()
  return { id, index, sync }
}

/** All are connected with all. */
async function meet(): Promise<void> {
  wire.healAll()
  for (const { network } of opened) {
    for (const { network: other } of opened) {
      if (other !== network) await clock.run(() => network.dial(other.addresses(), never))
    }
  }
}

const isMemberNow = ({ id, index }: Pick<Peer, 'id' | 'index'>) =>
  announce(index, { id, name: id, database: index.databaseId(), addresses: [] })

const put = (index: ImageIndex, path = A, content = '01') =>
  index.change((tx) =>
    tx.putImage({
      path,
      hash: content.repeat(32) as ContentHash,
      md5: content.repeat(16) as Md5,
      bytes: 7,
      mediaType: 'image/jpeg',
      createdMs: clock.now()
    })
  )
const remove = (index: ImageIndex, path = A) => index.change((tx) => tx.deleteImage(path))

/** Time passes, and all compare with all. */
async function settle(ms = 3 * MINUTE_MS): Promise<void> {
  await clock.pass(ms)
  for (let round = 0; round < 2; round++) {
    for (const { sync } of opened) await clock.run(() => sync.compareAll())
  }
}

async function forget({ index }: Pick<Peer, 'index'>): Promise<number> {
  const options = { tombstonesKeepMs: KEEP_MS }
  return (await clock.run(() => collect({ index, clock }, options, never))).forgotten
}

async function reviewed({ index }: Peer): Promise<string[]> {
  const paths: string[] = []
  for await (const { entry } of index.reviewed()) paths.push(entry.path)
  return paths
}

/** An image that a node has from long ago, as if it had been restored or had a past of its own. */
const hasFromLongAgo = (index: ImageIndex, path: string, msAgo: number, writer = 'long-ago') =>
  index.change((tx) => {
    const entry = encodeEntry({
      kind: KIND_IMAGE,
      path,
      deleted: false,
      version: versionAt(clock.now() - msAgo),
      writer,
      hash: '07'.repeat(32) as ContentHash,
      md5: '07'.repeat(16) as Md5,
      bytes: 7,
      mediaType: 'image/jpeg',
      createdMs: 1
    })
    return tx.merge(entry, 'long-ago')
  })

test('two that are proved the same know it of each other, and write nothing below', async () => {
  const [a, b] = [await join('a'), await join('b')]
  await put(a.index)
  await settle()
  const cut = bucketAt(clock.now() - 2000)
  expect(a.index.watermarks()).toEqual({ b: { until: cut, database: b.index.databaseId() } })
  expect(b.index.watermarks()).toEqual({ a: { until: cut, database: a.index.databaseId() } })
  const { entry } = await b.index.change((tx) =>
    tx.putImage({
      ...{ path: B, hash: '02'.repeat(32) as ContentHash, md5: '02'.repeat(16) as Md5 },
      ...{ bytes: 1, mediaType: 'image/png', createdMs: 1, versionMs: 1000 }
    })
  )
  expect(bucketAt(Number(entry.version >> 16n))).toBe(cut)
})

test('what comes late from one lowers what is known of the others', async () => {
  const [a] = [await join('a'), await join('b'), await join('c')]
  await settle()
  const before = a.index.watermarks()
  await hasFromLongAgo(a.index, A, DAY_MS)
  const bucket = bucketAt(clock.now() - DAY_MS)
  expect(Object.values(a.index.watermarks()).map(({ until }) => until)).toEqual([bucket, bucket])
  await settle()
  expect(a.index.watermarks().b?.until).toBeGreaterThan(before.b?.until as number)
})

test('a deletion is forgotten when it is old and all members have it, not before', async () => {
  const [a, b] = [await join('a'), await join('b')]
  await put(a.index)
  await settle()
  await remove(b.index)
  await settle()
  expect(await forget(a)).toBe(0)
  wire.cut('a', 'b')
  await clock.pass(KEEP_MS)
  expect(await forget(a)).toBe(1)
  expect(a.index.get(A)).toBeUndefined()
  expect(b.index.get(A)).toMatchObject({ deleted: true })
  await meet()
  await settle()
  // one has forgotten it, the other has not: no difference
  expect(a.sync.beliefs.report('b')).toMatchObject({ equal: true })
  expect(b.sync.beliefs.report('a')).toMatchObject({ equal: true })
  expect(a.index.get(A)).toBeUndefined()
  expect(await reviewed(b)).toEqual([])
})

test('a member that is away holds up deletions it does not have, until it is removed', async () => {
  const [a, b, c] = [await join('a'), await join('b'), await join('c')]
  await put(a.index)
  await settle()
  wire.partition(['a', 'b'], ['c'])
  await remove(a.index)
  await settle(KEEP_MS + DAY_MS)
  expect(
    await clock.run(() => collect({ index: a.index, clock }, { tombstonesKeepMs: KEEP_MS }, never))
  ).toEqual({
    ...{ forgotten: 0, waiting: 1, members: ['c'] }
  })
  await clock.run(() => removeMember(a.index, 'c'))
  await settle()
  for (const one of [a, b]) expect(await forget(one)).toBe(1)
  // and comes back: what it has may have been deleted, and was
  await meet()
  await settle()
  expect(a.index.image(A)).toBeUndefined()
  expect(c.index.image(A)).toBeUndefined()
  expect(await reviewed(c)).toEqual([A])
  expect(c.index.counts().reviewImages).toBe(1)
})

test('a server with a past of its own brings its old images in; one that lost it does not', async () => {
  const [a, b] = [await join('a'), await join('b')]
  await put(a.index)
  await settle()
  await remove(a.index)
  await settle(KEEP_MS + DAY_MS)
  for (const one of [a, b]) expect(await forget(one)).toBe(1)
  const c = await join('c')
  await hasFromLongAgo(c.index, 'old.jpg', 3 * KEEP_MS)
  await settle()
  for (const { index } of [a, b, c]) expect(index.image(parsePath('old.jpg'))).toBeDefined()
  const d = await join('d', { isMember: false })
  await d.index.change((tx) => tx.setMeta('pastLost', true))
  await hasFromLongAgo(d.index, 'lost.jpg', 3 * KEEP_MS)
  await settle()
  for (const { index } of [a, b, c, d]) {
    expect(index.image(parsePath('lost.jpg'))).toBeUndefined()
  }
  expect(await reviewed(d)).toEqual(['lost.jpg'])
})

test('a new server that has an old image from a restored one does not bring it back', async () => {
  const [a, b] = [await join('a'), await join('b')]
  await put(a.index)
  await settle()
  await remove(a.index)
  await settle(KEEP_MS + DAY_MS)
  for (const one of [a, b]) expect(await forget(one)).toBe(1)
  const c = await join('c')
  await hasFromLongAgo(c.index, A, KEEP_MS + 2 * DAY_MS, 'b')
  await settle()
  for (const { index } of [a, b, c]) expect(index.image(A)).toBeUndefined()
  expect(await reviewed(c)).toEqual([A])
})

test('a horizon that can not be is not taken over, and nothing is put to review by it', async () => {
  const [a, b] = [await join('a'), await join('b')]
  await put(a.index)
  await b.index.change((tx) => tx.shared.raiseHorizon(bucketAt(clock.now())))
  await settle()
  expect(a.index.horizon()).toBe(0)
  expect(a.index.watermarks()).toEqual({})
  expect(a.index.image(A)).toBeDefined()
  expect(await reviewed(a)).toEqual([])
})

test('an index that has forgotten nothing turns nothing away', async () => {
  const test = await openMemoryIndex('alone', clock)
  const forgetAlone = () => forget(test)
  expect(await forgetAlone()).toBe(0)
  expect(test.index.horizon()).toBe(0)
  await put(test.index)
  await remove(test.index)
  const deletedMs = clock.now()
  await clock.pass(2 * KEEP_MS)
  expect(await forgetAlone()).toBe(1)
  expect(test.index.horizon()).toBe(bucketAt(deletedMs) + 1)
  await test.close()
})

test('a proof of nothing raises no horizon', async () => {
  const [a] = [await join('a')]
  await put(a.index)
  const horizon = bucketAt(clock.now() - DAY_MS)
  const sums = { live: 0, dead: 0, liveSum: 0n, deadSum: 0n }
  const proof = await a.sync.prove({ cut: 0, horizon, sums, database: 'x', vouches: [] }, 'b')
  expect(a.index.horizon()).toBe(0)
  expect(proof.equal).toBe(false)
})

test('what a removed server deleted while it was away is deleted when it comes back', async () => {
  const [a, b, c] = [await join('a'), await join('b'), await join('c')]
  await put(a.index)
  await put(a.index, B)
  await settle()
  wire.partition(['a', 'b'], ['c'])
  await clock.pass(MINUTE_MS)
  await remove(c.index)
  await clock.pass(3 * MINUTE_MS)
  await remove(a.index, B)
  await clock.run(() => removeMember(a.index, 'c'))
  await settle(KEEP_MS + DAY_MS)
  for (const one of [a, b]) expect(await forget(one)).toBe(1)
  await meet()
  await clock.run(() => a.sync.compare('c'))
  await clock.pass(100)
  // c is asked only, and says so though below the horizon of a deletions are compared no more
  expect(a.index.get(A)).toMatchObject({ deleted: true, writer: 'c' })
  await settle()
  await settle()
  for (const { index } of [a, b, c]) expect(index.image(A)).toBeUndefined()
  expect(a.sync.beliefs.report('c')).toMatchObject({ equal: true })
})

test('a server whose clock was years ahead when it forgot takes what others write now', async () => {
  const a = await join('a')
  clock.jump(400 * DAY_MS)
  await put(a.index, B)
  await remove(a.index, B)
  await clock.pass(KEEP_MS + DAY_MS)
  expect(await forget(a)).toBe(1)
  clock.jump(-400 * DAY_MS)
  const b = await join('b')
  await put(b.index)
  await settle()
  expect(a.index.image(A)).toBeDefined()
  // also what one of them deletes while they are apart
  wire.cut('a', 'b')
  await clock.pass(MINUTE_MS)
  await remove(b.index)
  await meet()
  await settle()
  expect(a.index.get(A)).toMatchObject({ deleted: true })
  expect(a.sync.beliefs.report('b')).toMatchObject({ equal: true })
})

test.each([
  ['removed before anything was proved with it', false],
  ['brought back since', true]
])('nor one that has it from a member that was %s', async (_what, isBack) => {
  const [a, b] = [await join('a'), await join('b')]
  await put(a.index)
  await settle()
  await remove(a.index)
  await announce(a.index, { id: 'gone', name: 'gone', addresses: [] })
  await removeMember(a.index, 'gone')
  await settle(KEEP_MS + DAY_MS)
  for (const one of [a, b]) expect(await forget(one)).toBe(1)
  for (const addresses of [[], ['/memory/gone/p2p/gone']]) {
    if (isBack) await announce(a.index, { id: 'gone', name: 'gone', addresses })
  }
  const c = await join('c')
  await hasFromLongAgo(c.index, A, KEEP_MS + 2 * DAY_MS, 'gone')
  await settle()
  for (const { index } of [a, b, c]) expect(index.image(A)).toBeUndefined()
  expect(await reviewed(c)).toEqual([A])
})
