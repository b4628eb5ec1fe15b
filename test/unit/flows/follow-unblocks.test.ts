import { expect, test } from 'vitest'
import type { ContentHash } from '../../../protocols/hash.ts'
import { followUnblocks } from '../../../src/flows/follow-unblocks.ts'
import { want } from '../../support/blob-holders.ts'
import { testBytes } from '../../support/data-folder.ts'
import { eventually } from '../../support/eventually.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { MemoryBlobSource } from '../../support/memory-blob-source.ts'
import { openReplication } from '../../support/replication.ts'

const BYTES = testBytes(5_000)
const BLOCK = { reason: 'a test', node: 'a' }

async function openBlocked(open: (hash: ContentHash, source: MemoryBlobSource) => unknown) {
  const opened = await openReplication()
  const { node, network, replicator, book } = opened
  const { index, blocks } = node.flows
  index.onLost(() => replicator.wake())
  const source = new MemoryBlobSource()
  source.add(BYTES)
  const give = source.open.bind(source)
  source.open = async (hash) => ((await open(hash, source)) === false ? undefined : give(hash))
  network.add('p', source)
  const hash = await want(node, 'a.png', BYTES)
  await blocks.add(hash, BLOCK)
  await eventually(() => expect(index.blob(hash)?.state).toBe('blocked'))
  // it was tried in vain for long, and waits for its next try
  for (let n = 0; n < 8; n++) book.failed(hash, 'no server has it', 'nobody')
  return { ...opened, index, blocks, hash }
}

test('what is blocked no more does not wait for its next try', async () => {
  const { index, blocks, hash, close } = await openBlocked(() => true)
  await blocks.remove(hash)
  await eventually(() => expect(index.blob(hash)?.state).toBe('held'))
  await close()
})

test('a server that hears of it later is asked again', async () => {
  let asked = 0
  const { index, blocks, hash, clock, book, close } = await openBlocked(() => ++asked > 2)
  await blocks.remove(hash)
  await eventually(() => expect(asked).toBe(1))
  await eventually(() => expect(book.note(hash)).toBeDefined())
  const beganMs = clock.monotonicMs()
  await eventually(() => {
    clock.advance(100)
    expect(asked).toBe(2)
  })
  // sooner than it would be tried again anyway
  expect(clock.monotonicMs() - beganMs).toBeLessThan(1000)
  await eventually(() => {
    clock.advance(100)
    expect(index.blob(hash)?.state).toBe('held')
  })
  await close()
})

test('each hash has tries of its own, which end when it is blocked again', async () => {
  const [one, two] = ['01'.repeat(32), '02'.repeat(32)] as [ContentHash, ContentHash]
  const clock = new ManualClock()
  const beganMs = clock.monotonicMs()
  const blocked = new Set<ContentHash>()
  const stop = new AbortController()
  const tried: [ContentHash, number][] = []
  let change = (_: ContentHash) => {}
  const blocks = {
    has: (hash: ContentHash) => blocked.has(hash),
    onChange: (listener: typeof change) => {
      change = listener
    }
  }
  const done = (hash: ContentHash) => tried.push([hash, clock.monotonicMs() - beganMs])
  const flows = { blocks, clock } as never
  followUnblocks({ flows, book: { done }, wake: () => {}, signal: stop.signal })
  change(one)
  blocked.add(one)
  change(one)
  await clock.advance(1000)
  change(two)
  await clock.advance(9000)
  expect(tried).toEqual([[one, 0], ...[1000, 1500, 3000, 6000].map((ms) => [two, ms] as const)])
  change(two)
  stop.abort()
  await clock.advance(9000)
  expect(tried).toHaveLength(6)
})
