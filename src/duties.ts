// What a node does without being asked: it lets the trash grow old, retries what the disk refused, writes the readable
// copy of its index, and takes in a collection that was there before it.

import type { Config } from '../config/schema.ts'
import { NodeError } from './base/errors.ts'
import type { Log } from './base/log.ts'
import { type Loop, startLoop } from './base/loop.ts'
import type { TaskBoard } from './base/task-board.ts'
import { type AdoptReport, adopt, type FoundFiles } from './flows/adopt.ts'
import { expire } from './flows/expire.ts'
import { indexText } from './flows/export-index.ts'
import type { IngestOptions } from './flows/ingest.ts'
import { type LegacyFile, readLegacyIndex } from './flows/legacy-index.ts'
import type { FlowParts } from './flows/parts.ts'
import { keepLegacyIndex, metadataFiles, readLegacyIndexText } from './metadata-files.ts'
import type { Folder } from './store/folder.ts'
import { countFiles, openForeign, scanImages } from './store/scan.ts'
import { writeFileAtomic } from './store/small-file.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
/** Above this the readable copy is written on demand and at stop only. */
const EXPORT_HOURLY_ENTRIES_MAX = 100_000
/** A stop does not wait longer for the readable copy: the old one stays. */
const EXPORT_AT_STOP_MS_MAX = 10_000

export interface Duties {
  /** To be done before the node answers: looks whether there is a collection to take in. */
  prepare(): Promise<void>
  start(): void
  stop(): Promise<void>
  /** Writes metadata/file_index.json. */
  exportIndex(): Promise<{ file: string; entries: number }>
  /** The same, if anything has changed, unless that takes too long. */
  exportAtStop(): Promise<void>
  /** Whether a collection from before is still being taken in. */
  adopting(): boolean
  quarantinedFiles(): number
}

export interface DutyParts {
  readonly flows: FlowParts
  readonly tasks: TaskBoard
  readonly folder: Folder
}

export type DutyOptions = Pick<Config, 'fileStorage' | 'index'> & { readonly ingest: IngestOptions }

export function createDuties(parts: DutyParts, options: DutyOptions): Duties {
  const { flows, folder } = parts
  const { index, log, clock } = flows
  const loops: Loop[] = []
  let quarantined = 0
  let exported: string | undefined
  const contentOfIndex = () => `${index.root().live} ${index.root().liveSum}`

  async function exportIndex(signal: AbortSignal = new AbortController().signal) {
    const content = contentOfIndex()
    const file = metadataFiles(folder).export
    await writeFileAtomic(file, indexText(flows, signal), { mode: 0o644 })
    exported = content
    return { file, entries: index.counts().images }
  }

  async function exportIfChanged(signal: AbortSignal): Promise<void> {
    if (!options.index.export || adopting() || exported === contentOfIndex()) return
    await exportIndex(signal)
  }

  const adopting = () => index.meta('adoption') === 'open'

  const work: Record<string, { everyMs: number; do: (signal: AbortSignal) => Promise<unknown> }> = {
    expire: {
      everyMs: 10 * MINUTE_MS,
      do: (signal) =>
        expire(
          flows,
          { ...options.fileStorage, trashBytesMax: options.fileStorage.trashSizeBytes },
          signal
        )
    },
    settle: { everyMs: 10 * MINUTE_MS, do: () => flows.settler.settleAll() },
    export: {
      everyMs: HOUR_MS,
      do: async (signal) => {
        if (index.counts().images < EXPORT_HOURLY_ENTRIES_MAX) await exportIfChanged(signal)
      }
    },
    quarantine: {
      everyMs: MINUTE_MS,
      do: async () => {
        quarantined = await countFiles(folder.quarantine)
      }
    }
  }

  return {
    async prepare() {
      if (index.meta('adoption') !== undefined) return
      await keepLegacyIndex(metadataFiles(folder))
      const isNeeded =
        readLegacyIndexText(metadataFiles(folder)) !== undefined || (await hasImages(parts))
      await index.change((tx) => tx.setMeta('adoption', isNeeded ? 'open' : 'done'))
    },
    start() {
      for (const [name, { everyMs, do: task }] of Object.entries(work)) {
        const firstMs = name === 'quarantine' ? 0 : Math.min(everyMs, MINUTE_MS)
        loops.push(startLoop({ clock, log }, { name, firstMs, everyMs }, task))
      }
      if (adopting()) startAdoption(parts, options.ingest)
    },
    async stop() {
      await Promise.all(loops.map((loop) => loop.stop()))
    },
    exportIndex: () => exportIndex(),
    async exportAtStop() {
      try {
        const late = new AbortController()
        clock.after(EXPORT_AT_STOP_MS_MAX, () => late.abort(new Error('it took too long')))
        await exportIfChanged(late.signal)
      } catch (error) {
        log.warn({ err: error }, 'file_index.json was not written anew')
      }
    },
    adopting,
    quarantinedFiles: () => quarantined
  }
}

async function hasImages({ folder, flows }: DutyParts): Promise<boolean> {
  for await (const _ of foundFiles(folder, flows.log).scan(new AbortController().signal))
    return true
  return false
}

/** Takes in a collection from before this node; one that was broken off goes on where it was. */
function startAdoption(parts: DutyParts, options: IngestOptions): void {
  const { flows, tasks, folder } = parts
  const { index, log } = flows
  const legacy = readLegacy(parts)
  const found = foundFiles(folder, log)
  tasks
    .start('adopt', (control) => adopt(flows, options, found, legacy, control))
    .done.then(async (report) => {
      await index.change((tx) => tx.setMeta('adoption', 'done'))
      sayReport(parts, report)
    })
    .catch((error: unknown) => {
      if (error instanceof NodeError && error.code === 'STOPPING') return
      log.error({ err: error }, 'not all images from before were taken in; the next start goes on')
    })
}

function foundFiles({ images }: Folder, log: Log): FoundFiles {
  return {
    scan: (signal) =>
      scanImages(images, {
        signal,
        onUnreadable: (name, system) =>
          log.warn({ name, system }, 'a folder under images/ is closed')
      }),
    open: (name) => openForeign(images, name)
  }
}

function readLegacy({ folder, flows }: DutyParts): Map<string, LegacyFile> {
  try {
    const text = readLegacyIndexText(metadataFiles(folder))
    return text === undefined ? new Map() : readLegacyIndex(text)
  } catch (error) {
    flows.log.warn(
      { err: error },
      'the earlier file_index.json is of no use; the images are taken in without it'
    )
    return new Map()
  }
}

function sayReport({ flows: { log } }: DutyParts, report: AdoptReport): void {
  const { adopted, refused, absent, changed } = report
  if (adopted + refused + absent === 0) return
  const level = refused + absent + changed === 0 ? 'info' : 'warn'
  log[level](
    { ...report },
    `took in ${adopted} images that were there before; ${refused} files were refused, ${absent} named in ` +
      `file_index.json are not there, ${changed} have other bytes than it says`
  )
}
