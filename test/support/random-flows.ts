// Random work on a node in memory, and what must be true of it when it is quiet.

import { createHash } from 'node:crypto'
import fc from 'fast-check'
import type { ContentHash } from '../../protocols/hash.ts'
import { parsePath } from '../../protocols/path.ts'
import { type ErrorCode, NodeError } from '../../src/base/errors.ts'
import { expire } from '../../src/flows/expire.ts'
import { ingest, type Upload } from '../../src/flows/ingest.ts'
import { openBlob } from '../../src/flows/read.ts'
import { relocate } from '../../src/flows/relocate.ts'
import { remove } from '../../src/flows/remove.ts'
import { restore } from '../../src/flows/restore.ts'
import { verifyBlob } from '../../src/flows/verify-blob.ts'
import { auditIndex } from './audit-index.ts'
import { type MemoryNode, TEST_INGEST, tinyImage } from './memory-node.ts'

export const PATHS = ['a.svg', 'b.svg', 'dir/c.svg'].map(parsePath)
const IMAGES = [tinyImage(1), tinyImage(2)]
export const HASHES = IMAGES.map(
  (bytes) => createHash('sha256').update(bytes).digest('hex') as ContentHash
)
const TRASH = { trashKeepMs: 1000, trashBytesMax: 1e9 }

/** What people and the node itself do. */
const DEEDS = [
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
  'verify',
  'expire',
  'jump'
] as const
/** What happens to it. */
const HARMS = ['lose', 'damage', 'switch view'] as const
/** The next batch of the index fails; after that nothing is taken. */
const FILL = 'fill the disk'

type Deed = (typeof DEEDS | typeof HARMS)[number] | typeof FILL

export interface Step {
  readonly do: Deed
  readonly path: (typeof PATHS)[number]
  readonly to: (typeof PATHS)[number]
  readonly image: number
}

/** Rounds of steps that begin at the same time. */
export function randomRounds({ harm = false, fill = false }): fc.Arbitrary<Step[][]> {
  const step = fc.record({
    do: fc.constantFrom<Deed>(...DEEDS, ...(harm ? HARMS : []), ...(fill ? ([FILL] as const) : [])),
    path: fc.constantFrom(...PATHS),
    to: fc.constantFrom(...PATHS),
    image: fc.nat(IMAGES.length - 1)
  })
  return fc.array(fc.array(step, { maxLength: 5 }), { maxLength: 8 })
}

async function upload(node: MemoryNode, image: number, about: Partial<Upload>): Promise<void> {
  const source = (async function* () {
    yield IMAGES[image] as Buffer
  })()
  const { flows } = node
  const staged = await flows.store.stage(source, { bytesMax: 1e6 })
  await ingest(flows, TEST_INGEST, staged, { replace: 'always', fileName: 'x.svg', ...about })
}

/** Does one step; what a step may meet in a random world is no error. */
export async function take(node: MemoryNode, step: Step): Promise<void> {
  try {
    await attempt(node, step)
  } catch (error) {
    if (!isExpected(error)) throw error
  }
}

async function attempt(node: MemoryNode, { do: what, path, to, image }: Step): Promise<unknown> {
  const { flows, store, view, clock } = node
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
      return (await openBlob(flows, hash))?.blob.close()
    case 'verify':
      return await verifyBlob(flows, hash)
    case 'expire':
      clock.advance(5000)
      return await expire(flows, TRASH, new AbortController().signal)
    case 'jump':
      return clock.jump(image === 0 ? 3_600_000 : -7_200_000)
    case 'switch view':
      view.isOn = !view.isOn
      return
    case FILL:
      void node.level.failNext(new Error('No space left on device'), { isWritten: image === 0 })
      return
    case 'lose':
      return store.lose(hash)
    case 'damage':
      return store.placeOf(hash) && store.damage(hash, 'by writing')
    default:
      return what satisfies never
  }
}

const EXPECTED: readonly ErrorCode[] = [
  'DISK_FULL',
  'GONE',
  'NOT_FOUND',
  'NAME_TAKEN',
  'PRECONDITION_FAILED',
  'NOT_AVAILABLE'
]

const isExpected = (error: unknown) => error instanceof NodeError && EXPECTED.includes(error.code)

/**
 * What is wrong with a node that is quiet; empty if nothing is. After `harm` the trash may lack
 * what its rows say: nobody looks at it before it is called back.
 */
export async function faultsOf(node: MemoryNode, { harm = false } = {}): Promise<string[]> {
  const { flows, store, view, database } = node
  const faults = await auditIndex(database)
  for await (const { step, subject } of flows.index.intents())
    faults.push(`open intent ${step} ${subject}`)
  for (const hash of HASHES) {
    const row = flows.index.blob(hash)
    const place = store.placeOf(hash)
    const wanted = { held: 'blobs', trashed: 'trash' }[row?.state as string]
    const isUnnoticed = harm && row?.state === 'trashed' && place === undefined
    if (place !== wanted && !isUnnoticed) {
      faults.push(`${hash} is in ${place} and its row says ${row?.state}`)
    }
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
  if (store.leftovers().length > 0) faults.push('temporary files are left')
  return faults
}
