// A reader of an image that has just been told of: its bytes come once.

import { afterEach, expect, test } from 'vitest'
import type { BlobSource } from '../../../protocols/blobs/source.ts'
import type { ContentHash } from '../../../protocols/hash.ts'
import { want } from '../../support/blob-holders.ts'
import { collect } from '../../support/data-folder.ts'
import { eventually } from '../../support/eventually.ts'
import { settled } from '../../support/microtasks.ts'
import {
  beginReading,
  endReading,
  isHeld,
  SMALL,
  same,
  sourceOf
} from '../../support/reading-node.ts'

afterEach(endReading)

/** Answers when it is let, and counts what it is asked for. */
class Gate {
  readonly source: BlobSource
  asked = 0
  readonly #open = Promise.withResolvers<void>()

  constructor(...blobs: readonly Uint8Array[]) {
    const source = sourceOf(...blobs)
    const open = source.open.bind(source)
    source.open = async (hash: ContentHash) => {
      this.asked++
      await this.#open.promise
      return open(hash)
    }
    this.source = source
  }

  open(): void {
    this.#open.resolve()
  }
}

async function begin() {
  const opened = await beginReading({ fetchAll: true })
  const { node, network, replicator } = opened
  const gate = new Gate(SMALL)
  network.add('p', gate.source)
  const hash = await want(node, 'a.png', SMALL)
  const read = async () => {
    const found = await replicator.open(hash)
    const bytes = await collect(found?.blob.read(0, SMALL.byteLength))
    found?.blob.close()
    return same(bytes, SMALL) ? found?.peerId : 'other bytes'
  }
  return { ...opened, gate, hash, read }
}

test('who reads what was asked for when it was told of waits for that', async () => {
  const { node, replicator, gate, hash, read } = await begin()
  replicator.came([hash])
  await eventually(() => expect(gate.asked).toBe(1))
  const reading = [read(), read()]
  await settled()
  gate.open()
  expect(await Promise.all(reading)).toEqual(['p', 'p'])
  await eventually(() => expect(replicator.inFlight.size).toBe(0))
  expect([isHeld(node, hash), gate.asked]).toEqual([true, 1])
})

test('what a reader has asked for is not asked for again', async () => {
  const { node, replicator, gate, hash, read } = await begin()
  const reading = read()
  await eventually(() => expect(gate.asked).toBe(1))
  replicator.came([hash])
  await settled()
  gate.open()
  expect(await reading).toBe('p')
  await eventually(() => expect(isHeld(node, hash)).toBe(true))
  await settled()
  expect([gate.asked, replicator.inFlight.size]).toEqual([1, 0])
})

test('what can not be kept is read all the same', async () => {
  const { node, replicator, book, gate, hash, read } = await begin()
  node.store.publish = () => Promise.reject(new Error('no room'))
  replicator.came([hash])
  const reading = read()
  gate.open()
  expect(await reading).toBe('p')
  await eventually(() => expect(book.note(hash)?.reason).toBe('no room'))
})

test('a second holder is asked where the first one lets both wait', async () => {
  const { network, replicator, gate, hash, read, clock } = await begin()
  replicator.came([hash])
  await eventually(() => expect(gate.asked).toBe(1))
  network.add('q', sourceOf(SMALL))
  const reading = read()
  await settled()
  clock.advance(1000)
  // it owes less than the first one
  expect(await reading).toBe('q')
})

test('a reader asks elsewhere when what it waits for breaks off', async () => {
  const { network, peers, replicator, gate, hash, read } = await begin()
  replicator.came([hash])
  await eventually(() => expect(gate.asked).toBe(1))
  network.add('q', sourceOf(SMALL))
  const reading = read()
  await settled()
  peers.drop('p')
  expect(await reading).toBe('q')
})

test('whoever lets both wait is asked again only when all others have been', async () => {
  const { network, peers, replicator, gate, hash, read, clock } = await begin()
  const last = new Gate(SMALL)
  replicator.came([hash])
  await eventually(() => expect(gate.asked).toBe(1))
  network.add('lacks', sourceOf())
  network.add('last', last.source)
  peers.owes('last', 20 * SMALL.byteLength)
  const reading = read()
  await settled()
  clock.advance(1000)
  await eventually(() => expect(last.asked).toBe(1))
  expect(gate.asked).toBe(1)
  last.open()
  expect(await reading).toBe('last')
})
