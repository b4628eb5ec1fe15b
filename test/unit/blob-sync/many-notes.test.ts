// More blobs that nobody has than are remembered one by one.

import { expect, test } from 'vitest'
import type { ContentHash, Md5 } from '../../../protocols/hash.ts'
import { parsePath } from '../../../protocols/path.ts'
import { BlobPeers } from '../../../src/blob-sync/blob-peers.ts'
import { WantBook } from '../../../src/blob-sync/want-book.ts'
import type { FlowParts } from '../../../src/flows/parts.ts'
import { Replicator } from '../../../src/flows/replicate.ts'
import { BlobHolders, want } from '../../support/blob-holders.ts'
import { md5, sha256 } from '../../support/digests.ts'
import { eventually } from '../../support/eventually.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { MemoryBlobSource } from '../../support/memory-blob-source.ts'
import { openMemoryNode, tinyImage } from '../../support/memory-node.ts'
import { settled } from '../../support/microtasks.ts'
import { sourceOf } from '../../support/reading-node.ts'

const POLICY = { maxRetryAttempts: 3, retryDelayMs: 1000 }
const hashOf = (n: number) => sha256(Buffer.from(`${n}`)) as ContentHash

function openBook(notesMax: number) {
  const clock = new ManualClock()
  const random = { bytes: () => new Uint8Array(), fraction: () => 0 }
  return { clock, book: new WantBook({ clock, random }, POLICY, { notesMax }) }
}

test('what has no note any more waits as well, until all of it is due again', () => {
  const { clock, book } = openBook(2)
  for (let n = 0; n < 5; n++) book.failed(hashOf(n), 'gone')
  const due = () => [0, 1, 2, 3, 4].filter((n) => book.isDue(hashOf(n)))
  expect(due()).toEqual([])
  expect(book.note(hashOf(0))).toMatchObject({ cause: 'failed', reason: 'gone' })
  expect(book.note(hashOf(4))?.reason).toBe('gone')
  clock.advance(1000)
  expect([due(), book.nextDueMs()]).toEqual([[3, 4], 0])
  book.done(hashOf(0))
  expect(due()).toEqual([0, 3, 4])
  clock.advance(599_000)
  expect([due(), book.note(hashOf(1))]).toEqual([[0, 1, 2, 3, 4], undefined])
})

test('what has no note any more has its reason all the same, and its next try', () => {
  const { clock, book } = openBook(1)
  book.failed(hashOf(1), 'no server has it', 'nobody')
  book.failed(hashOf(2), `the blob ${hashOf(2)} ended after 1234 of 567890 bytes`)
  book.failed(hashOf(3), `the blob ${hashOf(3)} ended after 4321 of 56789 bytes`)
  book.failed(hashOf(4), 'gone')
  const nextTryMs = clock.monotonicMs() + 600_000
  expect([1, 2, 3].map((n) => book.note(hashOf(n)))).toEqual(
    [
      { cause: 'nobody', reason: 'no server has it' },
      { cause: 'failed', reason: 'the blob … ended after … of … bytes' },
      { cause: 'failed', reason: 'the blob … ended after … of … bytes' }
    ].map((why) => ({ ...why, attempts: 1, nextTryMs, lacking: new Set() }))
  )
})

test('reasons without end are not all remembered', () => {
  const { book } = openBook(1)
  for (let n = 0; n < 300; n++) book.failed(hashOf(n), `for reason ${n}`)
  expect(book.note(hashOf(0))?.reason).toBe('for reason 0')
  expect(book.note(hashOf(298))?.reason).toContain('too many')
})

test('a new peer makes it due, and what goes on failing puts it off for some hours at most', () => {
  const { clock, book } = openBook(2)
  for (let n = 0; n < 5; n++) book.failed(hashOf(n), 'gone')
  book.retryAll()
  expect(book.isDue(hashOf(0))).toBe(true)
  const waited = hashOf(0)
  book.failed(waited, 'gone')
  let hours = 0
  for (let n = 1; hours < 10 && !book.isDue(waited); n++) {
    for (const one of [1, 2, 3]) book.failed(hashOf(10 * n + one), 'gone')
    clock.advance(360_000)
    hours += 0.1
  }
  expect(hours).toBeGreaterThan(1)
  expect(hours).toBeLessThan(7)
})

/** In one change of the index. */
async function wantAll({ index }: FlowParts, images: readonly Buffer[]): Promise<void> {
  await index.change((tx) => {
    for (const [n, image] of images.entries()) {
      const about = { bytes: image.byteLength, mediaType: 'image/svg+xml', createdMs: 1 }
      const [hash, digest] = [sha256(image) as ContentHash, md5(image) as Md5]
      tx.putImage({ path: parsePath(`many/${n}.svg`), hash, md5: digest, ...about })
    }
  })
}

/** Two images that are taken for each other: the digits of their hashes that count are the same. */
function alike(): [first: Buffer, second: Buffer] {
  const seen = new Map<string, Buffer>()
  for (let n = 0; ; n++) {
    const image = tinyImage(n)
    const digits = sha256(image).slice(6, 12)
    const before = seen.get(digits)
    if (before !== undefined) return [before, image]
    seen.set(digits, image)
  }
}

test('a new image does not wait because it is taken for one that nobody has', async () => {
  const { flows, close, ...node } = await openMemoryNode()
  const { clock, random } = flows
  const network = new BlobHolders()
  const source = new MemoryBlobSource()
  network.add('p', source)
  const [gone, image] = alike()
  const book = new WantBook({ clock, random }, POLICY, { notesMax: 1 })
  for (const one of [gone, Buffer.from('1')]) book.failed(sha256(one) as ContentHash, 'gone')
  const replicator = new Replicator(
    {
      flows,
      network,
      peers: new BlobPeers({ network, clock, random }, POLICY),
      book,
      believes: () => false
    },
    { batchSize: 10, fetchAll: true, syncTimeoutMs: 1000 }
  )
  source.add(image)
  const hash = await want({ flows, close, ...node }, 'new.svg', image)
  expect(book.isDue(hash)).toBe(false)
  replicator.came([hash])
  await eventually(() => expect(flows.index.blob(hash)?.state).toBe('held'))
  await replicator.stop()
  await close()
})

test.each([
  [60, ['p']],
  [5000, ['p']],
  [5000, ['p', 'q']]
])(
  'of %i nobody is asked without end, and what is to be had comes (%j)',
  async (count, [, ...others]) => {
    const { flows, close, ...node } = await openMemoryNode()
    const { clock, random } = flows
    const network = new BlobHolders()
    const source = new MemoryBlobSource()
    network.add('p', source)
    const oldest = tinyImage(0)
    source.add(oldest)
    for (const id of others) network.add(id, sourceOf(oldest))
    const last = await want({ flows, close, ...node }, '0.svg', oldest)
    await wantAll(
      flows,
      Array.from({ length: count }, (_, n) => tinyImage(n + 1))
    )
    let asked = 0
    const open = source.open.bind(source)
    source.open = (hash) => {
      asked++
      return open(hash)
    }
    const replicator = new Replicator(
      {
        ...{
          flows,
          network,
          peers: new BlobPeers({ network, clock, random }, POLICY),
          believes: () => false
        },
        book: new WantBook({ clock, random }, POLICY, { notesMax: 20 })
      },
      { batchSize: 10, fetchAll: true, syncTimeoutMs: 1000 }
    )
    replicator.wake()
    await eventually(() => expect(flows.index.blob(last)?.state).toBe('held'))
    const stands = async () => {
      const before = asked
      for (let n = 0; n < 20; n++) await settled()
      expect(asked).toBe(before)
    }
    await eventually(stands)
    expect(asked).toBeLessThan(count + 140)
    await replicator.stop()
    await close()
  }
)
