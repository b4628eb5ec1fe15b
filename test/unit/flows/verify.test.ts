import { hash as digest } from 'node:crypto'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { ContentHash } from '../../../protocols/hash.ts'
import { parsePath } from '../../../protocols/path.ts'
import type { Remote } from '../../../src/flows/parts.ts'
import { BRAKE_COUNT_MIN } from '../../../src/flows/plan-brakes.ts'
import { verify } from '../../../src/flows/verify.ts'
import { type MemoryNode, openMemoryNode, tinyImage } from '../../support/memory-node.ts'

const HASH = digest('sha256', tinyImage(1)) as ContentHash
const A = parsePath('a.svg')

let node: MemoryNode
beforeEach(async () => {
  node = await openMemoryNode()
  await node.put('a.svg', tinyImage(1))
  await node.flows.settler.idle()
})
afterEach(() => node.close())

const verifyAll = (onFile = () => {}) =>
  verify(node.flows, { all: true }, { signal: new AbortController().signal, onFile })

test('every image is read, its copies once', async () => {
  await node.put('b.svg', tinyImage(1))
  await node.put('c.svg', tinyImage(2))
  let reads = 0
  const { rehash } = node.store
  node.store.rehash = (...given) => {
    reads++
    return rehash.apply(node.store, given)
  }
  expect(await verifyAll()).toMatchObject({ totalFiles: 3, validFiles: 3 })
  expect(reads).toBe(2)
})

test('an image that is deleted while it waits its turn is not called damaged', async () => {
  const { index, locks, settler } = node.flows
  const gate = Promise.withResolvers<void>()
  void locks.blob.run(HASH, () => gate.promise)
  const settling = settler.settleBlob(HASH)
  const verifying = verifyAll()
  await new Promise((resolve) => setImmediate(resolve))
  await index.change((tx) => tx.deleteImage(A))
  gate.resolve()
  await settling
  const report = await verifying
  expect(index.blob(HASH)?.state).toBe('trashed')
  expect(report).toMatchObject({ corruptedFiles: [], missingFiles: [], unrepairableFiles: [] })
})

test('an image that is deleted before its turn is not called missing', async () => {
  const paths = new Map([[HASH, A]])
  for (let n = 2; n <= 200; n++) {
    const path = parsePath(`${n}.svg`)
    await node.put(path, tinyImage(n))
    paths.set(digest('sha256', tinyImage(n)) as ContentHash, path)
  }
  const last = paths.get([...paths.keys()].sort().at(-1) as ContentHash) as typeof A
  let deleting: Promise<unknown> | undefined
  const report = await verifyAll(() => {
    deleting ??= node.flows.index.change((tx) => tx.deleteImage(last))
  })
  await deleting
  expect(report).toMatchObject({ validFiles: 199, missingFiles: [] })
})

test('an image whose file went to the trash before the index of today was saved is held', async () => {
  await node.store.moveTo(HASH, 'trash')
  expect(await verifyAll()).toMatchObject({ validFiles: 1, missingFiles: [] })
  expect([node.store.placeOf(HASH), node.flows.index.blob(HASH)?.state]).toEqual(['blobs', 'held'])
})

test('a path that is asked for and not there is missing', async () => {
  const scope = { paths: [A, parsePath('no.svg')] }
  const signal = new AbortController().signal
  const report = await verify(node.flows, scope, { signal, onFile: () => {} })
  expect(report).toMatchObject({ validFiles: 1, missingFiles: ['no.svg'] })
})

test('a damaged image is told with what its bytes are', async () => {
  node.store.damage(HASH, 'silently')
  const actual = (await node.store.rehash(HASH))?.hash
  const report = await verifyAll()
  expect(report.corruptedFiles).toMatchObject([
    { path: 'a.svg', expectedSha256: HASH, actualSha256: actual }
  ])
  expect(report.unrepairableFiles).toEqual(['a.svg'])
})

test.each([
  ['wanted', false],
  ['missing', true]
] as const)('the bytes of a blob that was %s are there: healed %s', async (state, isHealed) => {
  await node.flows.index.change((tx) => tx.setBlob(HASH, { state }))
  const durableAt: (string | undefined)[] = []
  node.store.makeDurable = async (hash) => {
    durableAt.push(node.flows.index.blob(hash)?.state)
  }
  await verifyAll()
  expect(durableAt, 'a crash may have left them unwritten').toEqual([state])
  expect(node.flows.index.blob(HASH)?.state).toBe('held')
  const told = node.flows.journal.lines.map(({ event }) => event)
  expect(told.includes('healed')).toBe(isHealed)
})

test('nothing is fetched in the place of what is missing while the disk is in doubt', async () => {
  for (let n = 2; n <= 150; n++) await node.put(`${n}.svg`, tinyImage(n))
  await node.flows.settler.idle()
  for (let n = 1; n <= 150; n++) {
    node.store.lose(digest('sha256', tinyImage(n)) as ContentHash)
  }
  let fetched = 0
  const fetch = async () => {
    fetched++
    return undefined
  }
  const flows = { ...node.flows, remote: { fetch } as unknown as Remote }
  const options = { signal: new AbortController().signal, onFile: () => {} }
  await verify(flows, { all: true }, options)
  expect(node.flows.brakes.engaged('loss')).toMatchObject({ count: BRAKE_COUNT_MIN })
  expect(fetched).toBeLessThan(BRAKE_COUNT_MIN)
})
