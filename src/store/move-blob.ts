// Gives a blob its name.

import { renameSync } from 'node:fs'
import { dirname } from 'node:path'
import { systemCodeOf } from '../base/errors.ts'
import { makeFolder } from './make-folder.ts'

/**
 * Renames over whatever is there; the folders whose names changed because `to`'s own had to be
 * made.
 */
export function moveBlob(from: string, to: string): readonly string[] {
  try {
    renameSync(from, to)
    return []
  } catch (error) {
    if (systemCodeOf(error) !== 'ENOENT') throw error
  }
  const folder = dirname(to)
  makeFolder(folder, 0o700)
  renameSync(from, to)
  return [dirname(folder)]
}
