// Group commit: what many writers want durable at the same time costs few flushes of the disk.

import type { NodeError } from '../base/errors.ts'
import { diskError } from './disk-error.ts'
import type { SyncCalls } from './sync-calls.ts'

/**
 * Sixteen blobs, each a file and a folder. From here on one flush of the whole file system is the
 * faster way.
 */
export const GROUP_CALLS_MAX = 32
/** As many as the thread pool has threads: more would wait there. */
const CALLS_AT_ONCE = 4
const DOING = 'making files durable'

export interface DurableRequest {
  /**
   * Descriptors of files whose bytes must be on the disk. They stay open until the promise settles.
   */
  readonly files?: readonly number[]
  /** Absolute paths of folders whose changed names must be on the disk. */
  readonly folders?: readonly string[]
}

interface Request extends Required<DurableRequest> {
  readonly done: PromiseWithResolvers<void>
}

/** What a call said about one file or folder. */
type Failures = Map<number | string, unknown>

export class GroupCommit {
  readonly #calls: SyncCalls
  readonly #folder: string
  #next: Request[] = []
  #running = false
  #failed: NodeError | undefined

  /** `folder` is any path on the file system that all files and folders are on. */
  constructor(calls: SyncCalls, { folder }: { readonly folder: string }) {
    this.#calls = calls
    this.#folder = folder
  }

  /**
   * The fault after which nothing is acknowledged any more: a later flush can't tell what an
   * earlier one lost.
   */
  get failed(): NodeError | undefined {
    return this.#failed
  }

  /**
   * Errors: DISK_FAULT, for every later call too if the disk failed, and not if a folder could not
   * be opened; DISK_FULL, BUSY.
   */
  durable({ files = [], folders = [] }: DurableRequest): Promise<void> {
    if (this.#failed !== undefined) return Promise.reject(this.#failed)
    const done = Promise.withResolvers<void>()
    this.#next.push({ files, folders, done })
    if (!this.#running) void this.#run()
    return done.promise
  }

  async #run(): Promise<void> {
    this.#running = true
    while (this.#next.length > 0) {
      await undefined // those whom the last group set free come into this one together
      const group = this.#next
      this.#next = []
      const failures = await this.#sync(group)
      for (const { files, folders, done } of group) {
        const bad = [...files, ...folders].find((thing) => failures.has(thing))
        if (this.#failed !== undefined) done.reject(this.#failed)
        else if (bad !== undefined) done.reject(diskError(failures.get(bad), DOING))
        else done.resolve()
      }
    }
    this.#running = false
  }

  async #sync(group: readonly Request[]): Promise<Failures> {
    const failures: Failures = new Map()
    if (this.#failed !== undefined) return failures
    const files = new Set(group.flatMap((request) => request.files))
    const folders = new Set(group.flatMap((request) => request.folders))
    try {
      const isLarge = files.size + folders.size >= GROUP_CALLS_MAX
      if (isLarge && (await this.#calls.all(this.#folder))) return failures
    } catch (error) {
      this.#failed = diskError(error, DOING)
      return failures
    }
    const waiting = [...files, ...folders].values()
    const lanes = Array.from({ length: CALLS_AT_ONCE }, async () => {
      for (const thing of waiting) {
        await this.#syncOne(thing).catch((error) => failures.set(thing, error))
      }
    })
    await Promise.all(lanes)
    this.#failed = [...failures.values()].filter(isFault).map((one) => diskError(one, DOING))[0]
    return failures
  }

  async #syncOne(thing: number | string): Promise<void> {
    return typeof thing === 'number' ? this.#calls.file(thing) : this.#calls.folder(thing)
  }
}

/**
 * Whether the disk failed to keep what it was given, rather than that there was nothing to give it.
 */
function isFault(error: unknown): boolean {
  const neverOpened = (error as NodeJS.ErrnoException).syscall === 'open'
  return !neverOpened && diskError(error, DOING).code === 'DISK_FAULT'
}
