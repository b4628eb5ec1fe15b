// What is in blobs/ and trash/, one folder entry in memory at a time.

import { opendir } from 'node:fs/promises'
import { join } from 'node:path'
import { type ContentHash, parseHash } from '../../protocols/hash.ts'
import { diskError } from './disk-error.ts'
import type { FolderPaths } from './folder.ts'
import { isAbsent } from './regular-file.ts'

const HASH = /^[0-9a-f]{64}$/

/** Errors: DISK_FAULT. */
export async function* listBlobs(folder: FolderPaths): AsyncGenerator<ContentHash> {
  for (const place of [folder.blobs, folder.trash]) {
    for await (const name of namesIn(place)) {
      for await (const file of namesIn(join(place, name))) {
        if (HASH.test(file) && file.startsWith(name)) yield parseHash(file)
      }
    }
  }
}

async function* namesIn(path: string): AsyncGenerator<string> {
  try {
    for await (const { name } of await opendir(path)) yield name
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (!isAbsent(error) && code !== 'ENOTDIR') throw diskError(error, `reading the folder ${path}`)
  }
}
