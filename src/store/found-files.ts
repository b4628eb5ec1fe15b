// A folder that others fill, images/ above all: what stands there, without what they say they are
// still writing.

import { readdirSync, realpathSync } from 'node:fs'
import { isAbsolute, relative, sep } from 'node:path'
import { saidAs } from '../base/cause.ts'
import type { Clock } from '../base/clock.ts'
import { NodeError, systemCodeOf } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import { SpareBuffers } from '../base/spare-buffers.ts'
import { type FileStamp, SMALL_BLOB_BYTES_MAX } from './blob-store.ts'
import { diskAheadMs } from './disk-clock.ts'
import { onDisk } from './disk-error.ts'
import { type Folder, requireMarker } from './folder.ts'
import { makeFolder } from './make-folder.ts'
import { Pace } from './pace.ts'
import { lstatOf, readFrom, readFromLater } from './regular-file.ts'
import {
  type FillBuffer,
  type ForeignFile,
  ignoredBy,
  lookAtName,
  lookAtNameNow,
  type OnLeftOut,
  openForeign,
  scanFiles
} from './scan.ts'

export interface DiskFoundFilesParts {
  readonly folder: Folder
  readonly log: Log
  readonly clock: Clock
  /** Absolute; without it images/. */
  readonly root?: string
}

/** More than are read at one time. */
const KEPT_BYTES_MAX = 4 * 2 ** 20
/** Each is told once. */
const LEFT_OUT_MAX = 1000

type HearLeftOut = (name: string, why: string) => void

export class DiskFoundFiles {
  readonly #folder: Folder
  readonly #root: string
  readonly #clock: Clock
  #aheadMs = 0
  #isDiskAsked = false
  readonly #isIgnored: (name: string) => boolean
  readonly #leftOut = new Set<string>()
  readonly #pace: Pace
  readonly #buffers = new SpareBuffers({
    bytesMax: SMALL_BLOB_BYTES_MAX,
    keptBytesMax: KEPT_BYTES_MAX
  })
  readonly #onLeftOut: OnLeftOut

  /** `ignore`: patterns of names that are left out. */
  constructor(
    { folder, log, clock, root = folder.images }: DiskFoundFilesParts,
    ignore: readonly string[]
  ) {
    this.#folder = folder
    this.#root = root
    this.#clock = clock
    this.#pace = new Pace(clock)
    this.#isIgnored = ignoredBy(ignore)
    this.#onLeftOut = (name, { code, why }) => {
      if (this.#leftOut.has(name) || this.#leftOut.size >= LEFT_OUT_MAX) return
      this.#leftOut.add(name)
      log.warn({ root, name, code, reason: why }, 'a file or folder is left out')
    }
  }

  /**
   * By how much the clock that dates files is ahead of ours. The disk is asked once after each
   * `prepare`, and only where somebody wants to know: it may be one that sleeps.
   */
  get aheadMs(): number {
    if (!this.#isDiskAsked) {
      this.#isDiskAsked = true
      this.#aheadMs = diskAheadMs(this.#clock, this.#folder.temp) ?? this.#aheadMs
    }
    return this.#aheadMs
  }

  prepare(): void {
    requireMarker(this.#folder)
    this.#isDiskAsked = false
    if (lstatOf(this.#root) !== undefined) return
    onDisk(`making the folder ${this.#root}`, () => makeFolder(this.#root, 0o755))
  }

  isIgnored(name: string): boolean {
    return name.split('/').some(this.#isIgnored)
  }

  scan({
    at,
    onLeftOut: hear,
    ...options
  }: {
    readonly signal: AbortSignal
    readonly at?: string
    readonly onFolder?: (name: string) => void
    readonly onLeftOut?: HearLeftOut
  }): AsyncIterable<string> {
    const onLeftOut = this.#telling(hear)
    return scanFiles(this.#root, { ...options, isIgnored: this.#isIgnored, onLeftOut }, at)
  }

  async look(name: string, hear?: HearLeftOut): Promise<FileStamp | 'folder' | undefined> {
    const onLeftOut = this.#telling(hear)
    return this.#pace.run(
      () => lookAtNameNow(this.#root, name, onLeftOut),
      () => lookAtName(this.#root, name, onLeftOut)
    )
  }

  /** The log, and whoever asks. */
  #telling(hear: HearLeftOut = () => {}): OnLeftOut {
    return (name, reason) => {
      this.#onLeftOut(name, reason)
      const advice = reason.code === 'EACCES' ? ': let the user of this node read it' : ''
      hear(name, `${reason.why}${advice}`)
    }
  }

  open(name: string): ForeignFile | undefined {
    const fill: FillBuffer = async (fd, target) =>
      this.#pace.run(
        () => readFrom(fd, target),
        () => readFromLater(fd, target)
      )
    return openForeign({ buffers: this.#buffers, fill }, this.#root, name)
  }
}

/** A folder whose files are to be taken in: within images/ at a name, or elsewhere. */
export type SourceFolder = { readonly at: string } | { readonly root: string }

/**
 * Looks at a folder that a person names. Errors: BAD_REQUEST where it is none, can't be read, or
 * can't be taken in.
 */
export function findSource(folder: Folder, path: string): SourceFolder {
  const refuse = (word: string, why: string) =>
    new NodeError('BAD_REQUEST', `${path} ${why}`, { path, ...saidAs(`folder_${word}`, { path }) })
  if (!isAbsolute(path)) throw refuse('relative', 'is no absolute path.')
  let root: string
  try {
    root = realpathSync(path)
    readdirSync(root)
  } catch (error) {
    const why = `can't be read (${systemCodeOf(error)}): it must be a folder of this server.`
    throw refuse('unreadable', why)
  }
  if (isWithin(root, folder.images)) return { at: relative(folder.images, root) }
  if (isWithin(root, folder.path)) {
    throw refuse('own', 'belongs to this node; only images/ holds images.')
  }
  if (isWithin(folder.path, root)) throw refuse('around', 'contains the data folder of this node.')
  return { root }
}

function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder === sep ? sep : folder + sep)
}
