// Where nobody can be asked, what is due costs nothing.

import { expect, test } from 'vitest'
import type { ContentHash } from '../../../protocols/hash.ts'
import { want } from '../../support/blob-holders.ts'
import { testBytes } from '../../support/data-folder.ts'
import { eventually } from '../../support/eventually.ts'
import { MemoryBlobSource } from '../../support/memory-blob-source.ts'
import { openReplication } from '../../support/replication.ts'

/** Images that nobody has are due; how often this node has looked for any of them since. */
async function begin() {
  const opened = await openReplication()
  const { node, network, book, replicator } = opened
  const source = new MemoryBlobSource()
  network.add('p', source)
  const images = Array.from({ length: 20 }, (_, n) => testBytes(100, n))
  const hashes: ContentHash[] = []
  for (const [n, bytes] of images.entries()) hashes.push(await want(node, `${n}.png`, bytes))
  replicator.wake()
  await eventually(() => expect(hashes.every((hash) => book.note(hash)?.attempts === 1)).toBe(true))
  let looks = 0
  const { store } = node
  const [stamp, partials] = [store.stamp.bind(store), store.partials.bind(store)]
  store.stamp = (hash) => {
    looks++
    return stamp(hash)
  }
  store.partials = () => {
    looks++
    return partials()
  }
  const put = () => {
    for (const bytes of images) source.add(bytes)
  }
  const wants = () => node.flows.index.counts().wants
  return { ...opened, source, put, wants, looks: () => looks }
}

test('without a connected server', async () => {
  const { network, replicator, clock, source, put, wants, looks, close } = await begin()
  network.remove('p')
  await clock.pass(60_000)
  expect(looks()).toBeLessThan(10)
  put()
  network.add('p', source)
  replicator.wake()
  await clock.pass(2000)
  expect(wants()).toBe(0)
  await close()
})

test('while all servers rest', async () => {
  const { peers, clock, put, wants, looks, close } = await begin()
  const restMs = () => peers.state('p').restsUntilMs - clock.monotonicMs()
  for (let n = 0; n < 6; n++) {
    clock.advance(Math.max(restMs(), 0))
    peers.failed('p', new Error('it broke off'))
  }
  put()
  expect(restMs()).toBeGreaterThan(30_000)
  const before = looks()
  await clock.pass(30_000)
  expect(looks() - before).toBeLessThan(10)
  await clock.pass(restMs() + 2000)
  expect(wants()).toBe(0)
  await close()
})
