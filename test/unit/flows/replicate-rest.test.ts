// When there is nothing to fetch, nothing is looked for.

import { expect, test } from 'vitest'
import { parsePath } from '../../../protocols/path.ts'
import { want } from '../../support/blob-holders.ts'
import { testBytes } from '../../support/data-folder.ts'
import { eventually } from '../../support/eventually.ts'
import { MemoryBlobSource } from '../../support/memory-blob-source.ts'
import { settled } from '../../support/microtasks.ts'
import { openReplication } from '../../support/replication.ts'

const BYTES = testBytes(5_000)

async function start() {
  const opened = await openReplication()
  const { node } = opened
  let looks = 0
  const wants = node.flows.index.wants.bind(node.flows.index)
  node.flows.index.wants = (range) => {
    looks++
    return wants(range)
  }
  return { ...opened, looks: () => looks }
}

test('what could not be had and is wanted no more is not looked for any more', async () => {
  const { node, network, replicator, book, clock, looks, close } = await start()
  network.add('p', new MemoryBlobSource())
  const hash = await want(node, 'a.png', BYTES)
  replicator.wake()
  await eventually(() => expect(book.note(hash)?.attempts).toBe(1))
  await node.flows.index.change((tx) => tx.deleteImage(parsePath('a.png')))
  const before = looks()
  for (let n = 0; n < 100; n++) {
    clock.advance(100)
    await settled()
  }
  expect(looks() - before).toBeLessThan(5)
  await close()
})
