// Rings when something happens in a folder. Only a bell: systems lose events, and some disks send
// none at all, so whoever needs to know looks for himself now and then.

import { type FSWatcher, watch } from 'node:fs'
import { join } from 'node:path'
import { systemCodeOf } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import { inodeOfFolder } from './regular-file.ts'

/**
 * A name, relative to the root, at which something happened; undefined: nobody knows where, or
 * more than could be told.
 */
export type Ring = (name: string | undefined) => void

export interface Bell {
  /** Listens at a folder too, not below it. Does nothing if it can't, or does so already. */
  watch(folder: string): void
  /** May be called more than once. */
  close(): void
}

/** Each costs the system about a kilobyte; the folders that are over are found by scans. */
const FOLDERS_MAX = 4096

/** Rings for folders below `root`. No folder is watched before `watch`. */
export function openFolderBell({ log }: { readonly log: Log }, root: string, ring: Ring): Bell {
  const watchers = new Map<string, { readonly ino: number; readonly watcher: FSWatcher }>()
  let isFull = false

  function end(folder: string): void {
    watchers.get(folder)?.watcher.close()
    watchers.delete(folder)
  }

  function sayFull(why: string): void {
    if (isFull) return
    isFull = true
    log.info(
      { folders: watchers.size, why },
      'not every folder under images/ can be watched: new files in the others are found by scans'
    )
  }

  function open(folder: string, ino: number): void {
    try {
      const watcher = watch(join(root, folder), { persistent: false }, (_event, name) => {
        if (name === null) ring(undefined)
        else ring(folder === '' ? name : `${folder}/${name}`)
      })
      watcher.on('error', () => {
        end(folder)
        ring(undefined)
      })
      watchers.set(folder, { ino, watcher })
    } catch (error) {
      const system = systemCodeOf(error)
      if (system !== 'ENOENT' && system !== 'ENOTDIR') sayFull(system ?? String(error))
    }
  }

  return {
    watch(folder) {
      const ino = inodeOfFolder(join(root, folder))
      const known = watchers.get(folder)
      if (known !== undefined && known.ino !== ino) end(folder)
      if (ino === undefined || watchers.has(folder)) return
      if (watchers.size >= FOLDERS_MAX) sayFull('more folders than are watched')
      else open(folder, ino)
    },
    close() {
      for (const folder of [...watchers.keys()]) end(folder)
    }
  }
}
