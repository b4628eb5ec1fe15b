// Makes a folder with those above it.

import { mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * Nothing if it is there. Errors: the system's own. Node's `recursive` would never end where the
 * system refuses by ENOENT, as /proc does.
 */
export function makeFolder(path: string, mode: number): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return
  if (dirname(path) !== path) makeFolder(dirname(path), mode)
  mkdirSync(path, { mode })
}
