// A folder of images elsewhere on this server is taken in: paths below it become paths of images.
// The folder stays as it is. Broken off, it is begun again: what is held already, by its path and
// its bytes, is passed over.

import { type Entry, isImage } from '../../protocols/entry.ts'
import { type ImagePath, parsePath } from '../../protocols/path.ts'
import { versionMs } from '../../protocols/version.ts'
import { forEachAtOnce } from '../base/for-each.ts'
import type { FileStamp, StagedBlob } from '../store/blob-store.ts'
import { pathOfViewName } from '../store/plan-view-name.ts'
import { FILES_AT_ONCE } from './adopt.ts'
import { type AdoptParts, type FoundFiles, heldBytes, refusalOf, timesOf } from './adopt-file.ts'
import { checkExtension, type IngestOptions, ingest } from './ingest.ts'
import type { FlowParts } from './parts.ts'
import { type StagedFile, stageForeign } from './stage-foreign.ts'

export type TakeFolderParts = Pick<AdoptParts, 'flows' | 'found' | 'allowance'>

export interface TakeFolderOptions {
  readonly ingest: IngestOptions
  /** The blobs are further links of the files where that can be, not copies. */
  readonly link: boolean
}

/** Hears of every file when it is done with. */
export interface Account {
  readonly signal: AbortSignal
  taken(): void
  /** Held under this path already. */
  held(): void
  refused(name: string, why: string): void
}

/** Rejects when the signal is aborted or the disk fails. */
export async function takeFolder(
  parts: TakeFolderParts,
  options: TakeFolderOptions,
  account: Account
): Promise<void> {
  const { signal } = account
  const onLeftOut = (name: string, why: string) => account.refused(name, why)
  await forEachAtOnce(parts.found.scan({ signal, onLeftOut }), FILES_AT_ONCE, async (name) => {
    signal.throwIfAborted()
    const outcome = await takeFile(parts, options, name)
    if (outcome === 'taken') account.taken()
    else if (outcome === 'held') account.held()
    else if (outcome !== undefined) account.refused(name, outcome.why)
  })
}

type Taken = 'taken' | 'held' | { readonly why: string } | undefined

async function takeFile(
  { flows, found, allowance }: TakeFolderParts,
  options: TakeFolderOptions,
  name: string
): Promise<Taken> {
  try {
    const path = pathOfViewName(name) ?? parsePath(name) // it may be images/ of another node
    const current = flows.index.get(path)
    checkExtension(options.ingest, path)
    const file = found.open(name)
    if (file === undefined) return undefined
    try {
      const { stamp } = file
      if (current?.deleted && stamp.mtimeMs <= versionMs(current.version)) {
        return { why: 'it was deleted here after that: upload it to have it back' }
      }
      return await allowance.run(heldBytes(stamp), async () => {
        flows.room.take(options.link ? 0 : stamp.size)
        const read = await stage(flows, file, options)
        if (read === undefined) return { why: 'it changed while it was read: take it in again' }
        const { staged, giveBack } = read
        return await keep(flows, options, { path, stamp, current, staged }).finally(giveBack)
      })
    } finally {
      file.close()
    }
  } catch (error) {
    const outcome = refusalOf(error)
    return { why: outcome.is === 'refused' ? outcome.why : 'the node was busy: take it in again' }
  }
}

async function stage(
  { store }: FlowParts,
  file: NonNullable<ReturnType<FoundFiles['open']>>,
  { link, ingest: { maxFileSizeBytes } }: TakeFolderOptions
): Promise<StagedFile | undefined> {
  const options = { by: 'link', bytesMax: maxFileSizeBytes } as const
  const staged = link ? await store.stageUncopied(file, options) : undefined
  if (staged !== undefined) return { staged, giveBack: () => {} }
  return stageForeign(store, file, maxFileSizeBytes)
}

interface Staged {
  readonly path: ImagePath
  readonly stamp: FileStamp
  readonly current: Entry | undefined
  readonly staged: StagedBlob
}

async function keep(
  flows: FlowParts,
  options: TakeFolderOptions,
  { path, stamp, current, staged }: Staged
): Promise<Taken> {
  const isOther = isImage(current) && current.hash !== staged.hash
  if (isOther) {
    flows.store.finish(staged)
    return { why: `another image has the path ${path} here: move or delete it first` }
  }
  const replace = isImage(current) ? { ifMatch: [staged.hash] } : 'never'
  const times = timesOf(flows, stamp)
  const { outcome } = await ingest(flows, options.ingest, staged, { path, replace, times })
  return outcome === 'unchanged' ? 'held' : 'taken'
}
