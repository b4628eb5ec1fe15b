// What others write into images/ is taken in: at the first start all that was there before this
// node, and from then on what comes.

import type { Config } from '../config/schema.ts'
import { ADOPT_TASK, adoptFolders, type FoldersOrder } from './adopt-folders.ts'
import { Allowance } from './base/allowance.ts'
import { NodeError } from './base/errors.ts'
import type { Task, TaskBoard } from './base/task-board.ts'
import { ADOPTED_BYTES_MAX, type AdoptReport, adopt } from './flows/adopt.ts'
import type { AdoptOptions, AdoptParts } from './flows/adopt-file.ts'
import { Adoption } from './flows/adoption.ts'
import type { IngestOptions } from './flows/ingest.ts'
import { LeftFiles } from './flows/left-files.ts'
import { type LegacyFile, readLegacyIndex } from './flows/legacy-index.ts'
import type { FlowParts } from './flows/parts.ts'
import { keepUnnamed } from './flows/sweep-unnamed.ts'
import {
  hasLegacyIndex,
  keepLegacyIndex,
  metadataFiles,
  readLegacyIndexText
} from './metadata-files.ts'
import type { Folder } from './store/folder.ts'
import { openFolderBell } from './store/folder-bell.ts'
import { DiskFoundFiles } from './store/found-files.ts'

export interface AdoptingParts {
  readonly flows: FlowParts
  readonly tasks: TaskBoard
  readonly folder: Folder
  /** Resolves once it is known what other servers have deleted, as far as it can be. */
  readonly compared: (signal: AbortSignal) => Promise<void>
}

export interface Adopting {
  /** To be done before the node answers: looks whether there is a collection to take in. */
  prepare(): Promise<void>
  start(): void
  stop(): Promise<void>
  /** Whether a collection from before is still being taken in. */
  isOpen(): boolean
  /** See adoptFolders. */
  adoptFolders(order: FoldersOrder): Task
}

const RETRY_MS = 60_000
const REFUSED_LOGGED_MAX = 100
const META = 'adoption'

export function createAdopting(
  parts: AdoptingParts,
  { ingest, ...settings }: Config['adopt'] & { readonly ingest: IngestOptions }
): Adopting {
  const { flows, folder, compared } = parts
  const { index, log, clock } = flows
  const found = new DiskFoundFiles({ folder, log, clock }, settings.ignore)
  const options: AdoptOptions = { ingest, changed: settings.changed }
  const allowance = new Allowance(ADOPTED_BYTES_MAX)
  const adoptParts: AdoptParts = { flows, found, left: new LeftFiles(), allowance }
  const folderOptions = { ...options, ignore: settings.ignore }
  const stopping = new AbortController()
  let adoption: Adoption | undefined
  let cancelRetry = () => {}
  const isOpen = () => index.meta(META) === 'open'

  /** From then on. */
  function goOn(): void {
    let isCurrent = false
    compared(stopping.signal).then(
      () => {
        isCurrent = true
      },
      () => {} // stopped
    )
    adoption = new Adoption(
      {
        ...adoptParts,
        openBell: (ring) =>
          openFolderBell({ log }, folder.images, (name) => {
            if (name === undefined || !flows.settler.views.isTelling(name)) ring(name)
          }),
        isCurrent: () => isCurrent && folder.markerPresent()
      },
      { ...options, intervalMs: settings.intervalMs }
    )
    adoption.start()
  }

  function first(): void {
    startFirst(parts, adoptParts, options, {
      onEnd: goOn,
      onFailure: () => {
        cancelRetry = clock.after(RETRY_MS, first)
      }
    })
  }

  async function isNeeded(): Promise<boolean> {
    if (hasLegacyIndex(metadataFiles(folder))) return true
    found.prepare()
    for await (const _ of found.scan({ signal: new AbortController().signal })) return true
    return false
  }

  return {
    async prepare() {
      if (index.meta(META) !== undefined) return
      await keepUnnamed(flows)
      await keepLegacyIndex(metadataFiles(folder))
      const state = settings.enabled && (await isNeeded()) ? 'open' : 'done'
      await index.change((tx) => tx.setMeta(META, state))
    },
    start() {
      if (!settings.enabled) return
      if (isOpen()) first()
      else goOn()
    },
    async stop() {
      stopping.abort(new NodeError('STOPPING', 'The node is stopping.'))
      cancelRetry()
      await adoption?.stop()
    },
    isOpen,
    adoptFolders: (order) => adoptFolders({ ...parts, ...adoptParts }, folderOptions, order)
  }
}

/** Takes in a collection from before this node; one that was broken off goes on where it was. */
function startFirst(
  parts: AdoptingParts,
  adoptParts: AdoptParts,
  options: AdoptOptions,
  { onEnd, onFailure }: { readonly onEnd: () => void; readonly onFailure: () => void }
): void {
  const { flows, tasks } = parts
  const { index, log } = flows
  const legacy = readLegacy(parts)
  const { task, done } = tasks.start(ADOPT_TASK, async (control) => {
    await parts.compared(control.signal)
    return adopt(adoptParts, options, legacy, control)
  })
  log.info({ task: task.id }, 'images that were there before are being taken in')
  done
    .then(async (report) => {
      await index.change((tx) => tx.setMeta(META, 'done'))
      sayReport(parts, report)
      onEnd()
    })
    .catch((err) => {
      if (err instanceof NodeError && err.code === 'STOPPING') return
      log.error({ err }, 'not all images from before were taken in; it goes on in a minute')
      onFailure()
    })
}

function readLegacy({ folder, flows }: AdoptingParts): Map<string, LegacyFile> {
  let refused = 0
  const refuse = (path: string, reason: string) => {
    if (++refused > REFUSED_LOGGED_MAX) return
    flows.log.warn({ path, reason }, 'file_index.json names what can not be a path')
  }
  try {
    const text = readLegacyIndexText(metadataFiles(folder))
    return text === undefined ? new Map() : readLegacyIndex(text, refuse)
  } catch (error) {
    flows.log.warn(
      { err: error },
      'the earlier file_index.json is of no use; the images are taken in without it'
    )
    return new Map()
  }
}

function sayReport({ flows: { log } }: AdoptingParts, report: AdoptReport): void {
  const { adopted, refused, absent, changed } = report
  if (adopted + refused + absent === 0) return
  const level = refused + absent + changed === 0 ? 'info' : 'warn'
  log[level](
    { ...report },
    `took in ${adopted} images that were there before; ${refused} files were refused, ${absent} named in ` +
      `file_index.json are not there, ${changed} have other bytes than it says`
  )
}
