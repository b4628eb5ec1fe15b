// Readers of what is passed on have turns at a holder, and some never end theirs.

import { afterEach, expect, test } from 'vitest'
import { NodeError } from '../../../src/base/errors.ts'
import { want } from '../../support/blob-holders.ts'
import { collect } from '../../support/data-folder.ts'
import { eventually } from '../../support/eventually.ts'
import { beginReading, endReading, LARGE, same, sourceOf } from '../../support/reading-node.ts'

afterEach(endReading)

const full = () => {
  throw new NodeError('DISK_FULL', 'The disk is full.')
}

/** As many readers that read nothing as one holder sends to at a time, and some turns are left. */
async function occupied() {
  const { node, ...reading } = await beginReading()
  const { network, replicator } = reading
  network.add('p', sourceOf(LARGE))
  const hash = await want(node, 'a.png', LARGE)
  Object.assign(node.flows.room, { demand: full, take: full })
  const idle = await Promise.all(Array.from({ length: 6 }, () => replicator.open(hash)))
  return { node, ...reading, hash, idle }
}

test('a reader whose turn does not come is told so soon, and the next one after it is served', async () => {
  const { network, peers, replicator, clock, hash, idle } = await occupied()
  let failure: unknown
  replicator.open(hash).catch((error) => {
    failure = error
  })
  await eventually(() => {
    clock.advance(1000)
    expect(failure).toMatchObject({ code: 'BUSY' })
  })
  expect([network.streams('p'), peers.state('p').restsUntilMs]).toEqual([6, 0])
  idle[0]?.blob.close()
  const opened = await replicator.open(hash)
  expect(same(await collect(opened?.blob.read(0, LARGE.byteLength)), LARGE)).toBe(true)
  for (const one of idle) one?.blob.close()
})

test('a holder whose turns are all taken is left for another one that has what is read', async () => {
  const { network, peers, replicator, clock, hash, idle } = await occupied()
  network.add('q', sourceOf(LARGE))
  peers.owes('q', 20 * LARGE.byteLength)
  const opening = replicator.open(hash)
  let from: string | undefined
  opening.then((opened) => {
    from = opened?.peerId
  })
  await eventually(() => {
    clock.advance(1000)
    expect(from).toBe('q')
  })
  expect(peers.state('p').restsUntilMs).toBe(0)
  for (const one of [...idle, await opening]) one?.blob.close()
})

test('one that is slow to begin is asked again, though the turns of another are taken', async () => {
  const { network, peers, replicator, clock, hash, idle } = await occupied()
  const source = sourceOf(LARGE)
  const openNow = source.open.bind(source)
  let asked = 0
  source.open = (wanted) => (++asked === 1 ? new Promise(() => {}) : openNow(wanted))
  network.add('q', source)
  peers.owes('q', 20 * LARGE.byteLength)
  let outcome: unknown
  const opening = replicator.open(hash)
  opening.then(
    (opened) => {
      outcome = opened?.peerId
    },
    (error) => {
      outcome = error
    }
  )
  await eventually(() => {
    clock.advance(1000)
    expect(outcome).toBeDefined()
  })
  expect(outcome).toBe('q')
  for (const one of [...idle, await opening]) one?.blob.close()
})

test('readers that read nothing keep nobody from what can be kept', async () => {
  const { node, network, clock, replicator, idle } = await occupied()
  const small = LARGE.subarray(1)
  network.add('p', sourceOf(small))
  const hash = await want(node, 'b.png', small)
  Object.assign(node.flows.room, { demand() {}, take() {} })
  let from: string | undefined
  replicator.fetchNow(hash).then((peerId) => {
    from = peerId
  })
  await eventually(() => {
    clock.advance(1000)
    expect(from).toBe('p')
  })
  for (const one of idle) one?.blob.close()
})
