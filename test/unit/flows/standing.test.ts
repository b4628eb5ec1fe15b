import { afterEach, beforeEach, expect, test } from 'vitest'
import { type ContentHash, parseHash } from '../../../protocols/hash.ts'
import { versionAt } from '../../../protocols/version.ts'
import type { Brake } from '../../../src/flows/brakes.ts'
import { type Fetching, type StandingParts, standingOf } from '../../../src/flows/standing.ts'
import { verifyBlob } from '../../../src/flows/verify-blob.ts'
import { imageEntry } from '../../support/memory-entries.ts'
import { type MemoryNode, openMemoryNode, TEST_DISK, tinyImage } from '../../support/memory-node.ts'

let node: MemoryNode
beforeEach(async () => {
  node = await openMemoryNode()
})
afterEach(() => node.close())

const WANTED = [1, 2, 3].map((n) => parseHash(`0${n}`.repeat(32)))
const [oldest, middle, newest] = WANTED as [ContentHash, ContentHash, ContentHash]

/** Three images of another node, whose bytes have not come. */
async function hearOfThree(): Promise<void> {
  const entries = WANTED.map((hash, n) =>
    imageEntry(`${n}.png`, versionAt(1000 + n), { content: hash.slice(0, 2), writer: 'b' })
  )
  await node.flows.index.change(async (tx) => {
    for (const entry of entries) await tx.merge(entry, 'b')
  })
}

const idle: Fetching = {
  sender: () => undefined,
  want: () => undefined,
  pausedUntilMs: () => undefined,
  hasPeers: () => true,
  fetchAll: true
}
const standing = (
  hash: ContentHash,
  fetching?: Partial<Fetching>,
  parts?: Partial<StandingParts>
) => standingOf({ ...node.flows, ...parts }, hash, fetching && { ...idle, ...fetching })

test('what is held says when it was verified', async () => {
  const { entry } = await node.put('a.svg', tinyImage(1))
  const verifiedMs = node.flows.index.blob(entry.hash)?.verifiedAtMs
  expect(verifiedMs).toBeGreaterThan(0)
  expect(await standing(entry.hash)).toEqual({ state: 'held', verifiedMs })
})

test('what nobody has told of is unknown', async () => {
  expect(await standing(oldest)).toEqual({ state: 'unknown' })
})

test('newer images are fetched before older ones', async () => {
  await hearOfThree()
  const states = await Promise.all(WANTED.map((hash) => standing(hash, {})))
  expect(states).toEqual([2, 1, 0].map((ahead) => ({ state: 'queued', ahead })))
})

test('a blob that is coming says from whom', async () => {
  await hearOfThree()
  const sender = (hash: ContentHash) => (hash === middle ? 'b' : undefined)
  expect(await standing(middle, { sender })).toEqual({ state: 'coming', from: 'b' })
  expect(await standing(newest, { sender })).toMatchObject({ state: 'queued' })
})

test('who has no peers, fetches only what is read, or has a full disk says that', async () => {
  await hearOfThree()
  expect(await standing(oldest)).toEqual({ state: 'alone' })
  expect(await standing(oldest, { hasPeers: () => false })).toEqual({ state: 'alone' })
  expect(await standing(oldest, { fetchAll: false })).toEqual({ state: 'policy' })
  const status = () => ({ ...TEST_DISK, state: 'full' as const })
  const room = { ...node.flows.room, status }
  const pausedUntilMs = () => 5000
  expect(await standing(oldest, { pausedUntilMs }, { room })).toEqual({
    ...{ state: 'disk_full', nextTryMs: 5000 }
  })
  expect(await standing(oldest, { pausedUntilMs })).toMatchObject({
    ...{ state: 'paused', nextTryMs: 5000 }
  })
})

test('what was tried in vain says why, and when it is tried again, never in the past', async () => {
  await hearOfThree()
  const nowMs = node.clock.now()
  const want = { cause: 'nobody', reason: 'x', nextTryMs: nowMs + 7000 } as const
  expect(await standing(oldest, { want: () => want })).toEqual({
    ...{ state: 'nobody', nextTryMs: nowMs + 7000 }
  })
  const failed = { cause: 'failed', reason: 'ECONNRESET', nextTryMs: nowMs - 7000 } as const
  expect(await standing(oldest, { want: () => failed })).toEqual({
    ...{ state: 'failed', reason: 'ECONNRESET', nextTryMs: nowMs }
  })
})

test('what was lost says so beside what is done about it', async () => {
  const { entry } = await node.put('a.svg', tinyImage(1))
  node.store.lose(entry.hash)
  await verifyBlob(node.flows, entry.hash)
  expect(await standing(entry.hash, {})).toMatchObject({
    ...{ state: 'queued', lost: 'missing', ahead: 0 },
    reason: 'its file is gone from the disk'
  })
})

test('what is blocked, or on a disk in doubt, is had by nobody', async () => {
  const { entry } = await node.put('a.svg', tinyImage(1))
  const engaged = () => ({ kind: 'loss' }) as Brake
  const brakes = Object.assign(Object.create(node.flows.brakes), { engaged })
  expect(await standing(entry.hash, {}, { brakes })).toMatchObject({ state: 'doubt' })
  await node.flows.blocks.add(entry.hash, { reason: 'a court', node: 'a' })
  expect(await standing(entry.hash, {})).toEqual({ state: 'blocked', reason: 'a court, on a' })
})
