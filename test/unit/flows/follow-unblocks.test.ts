import { expect, test } from 'vitest'
import type { ContentHash } from '../../../protocols/hash.ts'
import { want } from '../../support/blob-holders.ts'
import { testBytes } from '../../support/data-folder.ts'
import { eventually } from '../../support/eventually.ts'
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
