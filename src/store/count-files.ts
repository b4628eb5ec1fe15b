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

/** Counts the files of a flat folder, and anew only when it has changed. Errors: DISK_FAULT. */
export function fileCounter(
  { clock }: { readonly clock: Clock },
  folder: string
): () => Promise<FilesCount> {
  let known: { readonly mtimeMs: number; readonly count: FilesCount } | undefined
  return async () => {
    const mtimeMs = lstatOf(folder)?.mtimeMs
    if (known !== undefined && known.mtimeMs === mtimeMs) return known.count
    const isSettled = mtimeMs !== undefined && clock.now() - mtimeMs > SETTLED_MS
    const count = await countFiles(folder)
    known = isSettled ? { mtimeMs, count } : undefined
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
