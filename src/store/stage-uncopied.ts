// Takes files in whose bytes stay where they are on the disk: by one more link, or by a clone,
// which shares them until somebody writes. They are read once, to be hashed.

import { closeSync, constants, copyFileSync, fstatSync, linkSync } from 'node:fs'
import { NodeError, systemCodeOf } from '../base/errors.ts'
import {
  type ExistingFile,
  type FileStamp,
  STAGED_HEAD_BYTES,
  type StageOptions,
  sameContentStamp
} from './blob-store.ts'
import { boundedSource } from './bounded-source.ts'
import { diskError, onDisk } from './disk-error.ts'
import { whereSupported } from './file-linker.ts'
import { requireMarker } from './folder.ts'
import { HashStream } from './hashes.ts'
import { openRegularFile, readPieces, readWhole, removeQuietly, stampOf } from './regular-file.ts'
import { DiskStagedBlob, newDataFile, type StagingParts } from './staging.ts'

const DOING = 'writing a temporary file'
/** There a file that is open can be named. */
const isLinux = process.platform === 'linux'
const CLONED = constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE_FORCE

/** See BlobStore.stageUncopied. */
export async function stageUncopied(
  parts: StagingParts,
  { path, stamp }: ExistingFile,
  { by, ...options }: StageOptions & { readonly by: 'link' | 'clone' }
): Promise<DiskStagedBlob | undefined> {
  const make = by === 'link' ? link : clone
  const isMeant = (fd: number, made: FileStamp) =>
    by === 'link' ? sameContentStamp(made, stamp) && isOwn(fd) : made.size === stamp.size
  requireMarker(parts.folder)
  const data = newDataFile(parts)
  if (!makes(() => make(path, data))) return undefined
  const file = openRegularFile(data)
  let staged: DiskStagedBlob | undefined
  try {
    if (file === undefined || !isMeant(file.fd, file.stamp)) return
    const { size } = file.stamp
    const hashes = new HashStream()
    const pieces = readPieces(file.fd, 0, size)
    for await (const piece of boundedSource(pieces, options)) hashes.update(piece)
    const after = onDisk(DOING, () => stampOf(fstatSync(file.fd)))
    if (!sameContentStamp(after, file.stamp)) return
    const head = readWhole(file.fd, Math.min(size, STAGED_HEAD_BYTES))
    const content = { bytes: size, head, whole: undefined, data }
    staged = new DiskStagedBlob(parts, hashes.digest(), content)
    return staged
  } catch (error) {
    // its bytes are those of the file: whoever reads that says what is wrong with it
    if (error instanceof NodeError && error.code === 'DISK_FAULT') return
    throw error
  } finally {
    if (file !== undefined) closeSync(file.fd)
    if (staged === undefined) removeQuietly(data)
  }
}

/** False where the file system can't, or the file is gone: whoever has it open can read it. */
function makes(call: () => boolean): boolean {
  let isMade = true
  try {
    const isSupported = whereSupported(() => {
      isMade = call()
    })
    return isSupported && isMade
  } catch (error) {
    if (['ENOENT', 'EACCES'].includes(systemCodeOf(error) ?? '')) return false
    throw diskError(error, DOING)
  }
}

function link(path: string, data: string): boolean {
  linkSync(path, data)
  return true
}

/** False where another thing has its name by now: opening a pipe would wait for its writer. */
function clone(path: string, data: string): boolean {
  const file = openRegularFile(path)
  if (file === undefined) return false
  try {
    copyFileSync(isLinux ? `/proc/self/fd/${file.fd}` : path, data, CLONED)
    return true
  } finally {
    closeSync(file.fd)
  }
}

/** Only its owner may make a file read-only. */
function isOwn(fd: number): boolean {
  const uid = process.getuid?.()
  return uid === undefined || uid === 0 || fstatSync(fd).uid === uid
}
