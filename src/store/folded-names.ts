// Names that a disk takes for one another: upper case for lower, accents written in two ways. macOS
// and Windows have such disks, and Linux can.

import { readdirSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { FolderPaths } from './folder.ts'
import { inodeOfFolder } from './regular-file.ts'

export class FoldedNames {
  readonly #folder: FolderPaths
  #areThere: boolean | undefined

  constructor(folder: FolderPaths) {
    this.#folder = folder
  }

  /**
   * Whether the folder at `at` is there under another spelling: what is put into it by this name
   * would be taken for that of another path. One look where the disk tells names apart.
   */
  isOther(at: string): boolean {
    this.#areThere ??= foldsCase(this.#folder)
    return this.#areThere && !hasName(readdirSync(dirname(at)), basename(at))
  }
}

function foldsCase({ path, images }: FolderPaths): boolean {
  const other = inodeOfFolder(join(path, basename(images).toUpperCase()))
  return other !== undefined && other === inodeOfFolder(images)
}

/**
 * The first part that the disk takes for another spelling of a name it has: upper case, or other
 * accents.
 */
export async function foldedPart(root: string, name: string): Promise<number | undefined> {
  const parts = name.split('/')
  for (const [part, spelled] of parts.entries()) {
    const above = join(root, ...parts.slice(0, part))
    const listed = await readdir(above).catch(() => undefined)
    if (listed === undefined) return undefined
    if (!hasName(listed, spelled)) return part
  }
  return undefined
}

function hasName(listed: readonly string[], spelled: string): boolean {
  return listed.some((one) => one.normalize('NFC') === spelled)
}
