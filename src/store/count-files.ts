// How much lies in a flat folder.

import { lstat, opendir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../base/clock.ts'
import { diskError } from './disk-error.ts'
import { isAbsent, lstatOf } from './regular-file.ts'

export interface FilesCount {
  readonly files: number
  readonly bytes: number
}

/** The date of a folder tells of a change if it is older than the ticks of any clock are long. */
const SETTLED_MS = 2000

/** A count that took longer is followed by a rest of so many times as long. */
const QUICK_MS = 100
const REST_FACTOR = 20

/**
 * Counts the files of a flat folder, and anew only when it has changed; where there are very many,
 * what was counted a while ago has to do. Errors: DISK_FAULT.
 */
export function fileCounter(
  { clock }: { readonly clock: Clock },
  folder: string
): () => Promise<FilesCount> {
  let known: { readonly mtimeMs: number | undefined; readonly count: FilesCount } | undefined
  let restsUntilMs = Number.NEGATIVE_INFINITY
  return async () => {
    const mtimeMs = lstatOf(folder)?.mtimeMs
    const isSame = mtimeMs !== undefined && known?.mtimeMs === mtimeMs
    const beganMs = clock.monotonicMs()
    if (known !== undefined && (isSame || beganMs < restsUntilMs)) return known.count
    const isSettled = mtimeMs !== undefined && clock.now() - mtimeMs > SETTLED_MS
    const count = await countFiles(folder)
    known = { mtimeMs: isSettled ? mtimeMs : undefined, count }
    const tookMs = clock.monotonicMs() - beganMs
    if (tookMs > QUICK_MS) restsUntilMs = beganMs + tookMs * REST_FACTOR
    return count
  }
}

/** Errors: DISK_FAULT. */
export async function countFiles(folder: string): Promise<FilesCount> {
  let [files, bytes] = [0, 0]
  try {
    for await (const entry of await opendir(folder)) {
      if (!entry.isFile()) continue
      files++
      bytes += await sizeOf(join(folder, entry.name))
    }
  } catch (error) {
    throw diskError(error, `reading the folder ${folder}`)
  }
  return { files, bytes }
}

/** 0 for one that is gone by now. */
async function sizeOf(file: string): Promise<number> {
  try {
    return (await lstat(file)).size
  } catch (error) {
    if (isAbsent(error)) return 0
    throw error
  }
}
