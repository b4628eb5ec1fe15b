// Another server waits until a blob is durable here.

import { expect, test } from 'vitest'
import { WantBook } from '../../../src/blob-sync/want-book.ts'
import { ReplicaKeeper } from '../../../src/flows/keep-replica.ts'
import { createBlobSource } from '../../../src/flows/serve-blobs.ts'
import { want } from '../../support/blob-holders.ts'
import { streamOf } from '../../support/data-folder.ts'
import { openMemoryNode, tinyImage } from '../../support/memory-node.ts'
import { settled } from '../../support/microtasks.ts'

const BYTES = tinyImage(1)

async function waiting(broken?: AbortSignal) {
  const node = await openMemoryNode()
  const hash = await want(node, 'a.svg', BYTES)
  const { clock, flows } = node
  await flows.settler.settleAll()
  await flows.settler.idle()
  const timers = clock.pending
  const answer = createBlobSource(flows).whenHeld(hash, 60_000, broken)
  await settled()
  return { node, clock, answer, timers }
}

test('it hears of it when it is, and not at some later look', async () => {
  const { node, clock, answer, timers } = await waiting()
  const { flows, store } = node
  const book = new WantBook(flows, { maxRetryAttempts: 3, retryDelayMs: 1000 })
  const staged = await store.stage(streamOf(BYTES), { bytesMax: 1000 })
  await new ReplicaKeeper({ flows, book }).keepNow(staged)
  expect(await answer).toBe(true)
  await settled()
  expect(clock.pending).toBe(timers)
  await node.close()
})

test('nobody is waited for who has gone', async () => {
  const gone = new AbortController()
  const { node, clock, answer, timers } = await waiting(gone.signal)
  gone.abort()
  expect(await answer).toBe(false)
  expect(clock.pending).toBe(timers)
  await node.close()
})

test('what does not come is waited for as long as was asked', async () => {
  const { node, clock, answer } = await waiting()
  const beganMs = clock.monotonicMs()
  expect(await clock.run(() => answer)).toBe(false)
  expect(clock.monotonicMs() - beganMs).toBe(60_000)
  await node.close()
})
