// Whether two files cost the disk the bytes of one.

import { constants, copyFileSync, readFileSync, rmSync, statSync } from 'node:fs'

/** One inode; or, where the file system has reflinks, files of their own with the same bytes. */
export function sharesBytes(a: string, b: string): boolean {
  if (statSync(a).ino === statSync(b).ino) return true
  return canReflink(a) && readFileSync(a).equals(readFileSync(b))
}

function canReflink(file: string): boolean {
  const probe = `${file}.probe`
  try {
    copyFileSync(file, probe, constants.COPYFILE_FICLONE_FORCE)
    return true
  } catch {
    return false
  } finally {
    rmSync(probe, { force: true })
  }
}
