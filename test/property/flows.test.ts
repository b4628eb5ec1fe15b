// Whatever happens at the same time, the index, the blobs and the view agree once it is quiet.

import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ContentHash } from '../../protocols/hash.ts'
import { parsePath } from '../../protocols/path.ts'
import { NodeError } from '../../src/base/errors.ts'
import { expire } from '../../src/flows/expire.ts'
import { ingest, type Upload } from '../../src/flows/ingest.ts'
import { openBlob } from '../../src/flows/read.ts'
import { relocate } from '../../src/flows/relocate.ts'
import { remove } from '../../src/flows/remove.ts'
import { restore } from '../../src/flows/restore.ts'
import { verifyBlob } from '../../src/flows/verify-blob.ts'
import { auditIndex } from '../support/audit-index.ts'
import { type MemoryNode, openMemoryNode, TEST_INGEST, tinyImage } from '../support/memory-node.ts'

const PATHS = ['a.svg', 'b.svg', 'dir/c.svg'].map(parsePath)
const IMAGES = [tinyImage(1), tinyImage(2)]
const HASHES = IMAGES.map(
  (bytes) => createHash('sha256').update(bytes).digest('hex') as ContentHash
)
const TRASH = { trashKeepMs: 1000, trashBytesMax: 1e9 }

const step = fc.record({
  do: fc.constantFrom(
    'put',
    'put',
    'post',
    'new',
    'delete',
    'purge',
    'move',
    'copy',
    'restore',
    'read',
    'lose',
    'damage',
    'verify',
    'expire'
  ),
  path: fc.constantFrom(...PATHS),
  to: fc.constantFrom(...PATHS),
  image: fc.nat(IMAGES.length - 1)
})
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

async function upload(node: MemoryNode, image: number, about: Partial<Upload>): Promise<void> {
  const source = (async function* () {
    yield IMAGES[image] as Buffer
  })()
  const staged = await node.store.stage(source, { bytesMax: 1e6 })
  await ingest(node.flows, TEST_INGEST, staged, { replace: 'always', fileName: 'x.svg', ...about })
}

async function run(node: MemoryNode, { do: what, path, to, image }: Step): Promise<unknown> {
  const { flows, store } = node
  const hash = HASHES[image] as ContentHash
  switch (what) {
    case 'put':
      return upload(node, image, { path })
    case 'post':
      return upload(node, image, {})
    case 'new':
      return upload(node, image, { path, replace: 'never' })
    case 'delete':
    case 'purge':
      return await remove(flows, TRASH, path, { purge: what === 'purge' })
    case 'move':
    case 'copy':
      return await relocate(flows, path, to, what)
    case 'restore':
      return await restore(flows, path)
    case 'read':
      return (await openBlob(flows, hash))?.close()
    case 'lose':
      return store.placeOf(hash) === 'blobs' && store.lose(hash)
    case 'damage':
      return store.placeOf(hash) === 'blobs' && store.damage(hash, 'by writing')
    case 'verify':
      return await verifyBlob(flows, hash)
    case 'expire':
      node.clock.advance(5000)
      return await expire(flows, TRASH, new AbortController().signal)
    default:
      return what satisfies never
  }
}

async function faultsOf(node: MemoryNode): Promise<string[]> {
  const { flows, store, view, database } = node
  const faults = await auditIndex(database)
  for await (const { step, subject } of flows.index.intents())
    faults.push(`open intent ${step} ${subject}`)
  for (const hash of HASHES) {
    const row = flows.index.blob(hash)
    const place = store.placeOf(hash)
    const wanted = { held: 'blobs', trashed: 'trash' }[row?.state as string]
    if (place !== wanted) faults.push(`${hash} is in ${place} and its row says ${row?.state}`)
    if (row?.state === 'held' && row.live === 0) faults.push(`${hash} is held for nobody`)
    if (row?.state === 'trashed' && row.live > 0) faults.push(`${hash} is live in the trash`)
    const kept = row === undefined || row.live + row.past > 0
    if (!kept) faults.push(`${hash} has a row for nobody`)
  }
  const live = new Map<string, ContentHash>()
  for await (const { path, hash } of flows.index.list()) live.set(path, hash)
  for (const path of new Set([...PATHS, ...live.keys()])) {
    const hash = live.get(path)
    const held = hash !== undefined && flows.index.blob(hash)?.state === 'held'
    const seen = view.at(path)
    if (seen !== (held ? hash : undefined)) faults.push(`the view of ${path} shows ${seen}`)
  }
  if (view.setAside.length > 0) faults.push(`set aside: ${view.setAside}`)
  return faults
}

const isExpected = (error: unknown) =>
  error instanceof NodeError &&
  ['GONE', 'NOT_FOUND', 'NAME_TAKEN', 'PRECONDITION_FAILED', 'NOT_AVAILABLE'].includes(error.code)

describe('flows', () => {
  test('side by side leave index, blobs and view in agreement', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(step, { maxLength: 5 }), { maxLength: 8 }),
        async (rounds) => {
          const node = await openMemoryNode()
          for (const steps of rounds) {
            const results = await Promise.allSettled(steps.map((one) => run(node, one)))
            for (const result of results) {
              if (result.status === 'rejected' && !isExpected(result.reason)) throw result.reason
            }
          }
          // what was lost or damaged and not looked at since is found now
          for (const hash of HASHES) await verifyBlob(node.flows, hash)
          await node.flows.settler.settleAll()
          expect(await faultsOf(node)).toEqual([])
          await node.close()
        }
      ),
      { numRuns: Number(process.env.RUNS ?? 300) }
    )
  })
})
