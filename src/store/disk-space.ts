// How much room the disk has, in bytes and in files.

import { rm, statfs, writeFile } from 'node:fs/promises'
import { diskError } from './disk-error.ts'

export interface DiskSpace {
  readonly total: number
  readonly used: number
  /** What this user may still write: without the blocks that the system keeps for root. */
  readonly free: number
  /** Undefined where the file system makes them as needed. */
  readonly inodesTotal: number | undefined
  readonly inodesFree: number | undefined
}

/** Of the file system that holds `path`; sizes in bytes. Errors: DISK_FAULT. */
export async function diskSpace(path: string): Promise<DiskSpace> {
  const { bsize, blocks, bfree, bavail, files, ffree } = await statfs(path).catch((error) => {
    throw diskError(error, `asking for the free space at ${path}`)
  })
  return {
    total: blocks * bsize,
    used: (blocks - bfree) * bsize,
    free: bavail * bsize,
    inodesTotal: files === 0 ? undefined : files,
    inodesFree: files === 0 ? undefined : ffree
  }
}

/** An image needs up to four: blob, view, and two names while it comes in. */
export const INODES_RESERVE = 1000

/** low: nothing is taken that need not be. full: not even this. */
export type Room = 'ok' | 'low' | 'full'

/** Whether `needBytes` more leave the reserve free; within twice the reserve the disk is low. */
export function planRoom(
  { free, inodesFree }: Pick<DiskSpace, 'free' | 'inodesFree'>,
  reserveBytes: number,
  needBytes: number
): Room {
  const left = free - needBytes
  const inodesLeft = inodesFree ?? Number.POSITIVE_INFINITY
  if (left < reserveBytes || inodesLeft < INODES_RESERVE) return 'full'
  return left < 2 * reserveBytes || inodesLeft < 2 * INODES_RESERVE ? 'low' : 'ok'
}

/**
 * Whether the disk really takes so many bytes: what a quota leaves, no figure tells. `file` is made
 * and removed.
 */
export async function takesBytes(file: string, bytes: number): Promise<boolean> {
  try {
    await writeFile(file, Buffer.alloc(bytes), { flush: true })
    return true
  } catch {
    return false
  } finally {
    await rm(file, { force: true })
  }
}
