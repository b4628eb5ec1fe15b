// The system's calls that make bytes and names durable, none of which blocks the event loop.

import { close, closeSync, fdatasync, fsync, open } from 'node:fs'
import { release } from 'node:os'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import { systemCodeOf } from '../base/errors.ts'
import { SyncProcess } from './sync-process.ts'

export interface SyncCalls {
  file(fd: number): Promise<void>
  /**
   * A folder that is gone by now stands for its nearest parent: that is where its name was taken
   * out.
   */
  folder(path: string): Promise<void>
  /**
   * Everything on the file system of `path`; false if that can't be had here, and nothing was done.
   */
  all(path: string): Promise<boolean>
}

const openAsync = promisify(open)
const fsyncAsync = promisify(fsync)

/** The calls of this machine. */
export function systemSyncCalls(): SyncCalls {
  const flusher = new SyncProcess()
  let canSyncAll = syncfsReportsErrors(process.platform, release())
  return {
    file: promisify(fdatasync),
    folder: syncFolder,
    async all(path) {
      if (!canSyncAll) return false
      const answer = await flusher.sync(path)
      if (typeof answer === 'object') throw new Error(`sync -f ${path}: ${answer.failed}`)
      if (answer === 'unknown') canSyncAll = false
      return answer === 'synced'
    }
  }
}

/** Before Linux 5.8 a failed write-back was not reported by syncfs(2): good for nothing here. */
export function syncfsReportsErrors(platform: string, kernel: string): boolean {
  const [major = 0, minor = 0] = kernel.split('.', 2).map(Number)
  return platform === 'linux' && (major > 5 || (major === 5 && minor >= 8))
}

export async function syncFolder(path: string): Promise<void> {
  let fd: number
  try {
    fd = await openAsync(path, 'r')
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT' && dirname(path) !== path) return syncFolder(dirname(path))
    throw error
  }
  try {
    await fsyncAsync(fd)
  } catch (error) {
    closeSync(fd)
    throw error
  }
  close(fd)
}
