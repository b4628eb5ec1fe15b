// Small files that are read whole and replaced whole: keys, the marker, the readable copy of the
// index.

import { closeSync, readdirSync } from 'node:fs'
import { open, rename } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { randomHex, systemRandom } from '../base/clock.ts'
import { cutToBytes } from '../base/cut-to-bytes.ts'
import { NodeError } from '../base/errors.ts'
import { formatSize } from '../base/units.ts'
import { diskError, onDisk } from './disk-error.ts'
import { openRegularFile, readWhole, removeQuietly } from './regular-file.ts'
import { syncFolder } from './sync-calls.ts'

/** With what is added to it, it also fits encrypted folders, which hold 143 bytes. */
const CUT_NAME_BYTES_MAX = 120

export type FileContent = string | Uint8Array | AsyncIterable<string | Uint8Array>

/**
 * Undefined if there is no such file. Errors: FOLDER_FORMAT if it is longer than `bytesMax`;
 * DISK_FAULT.
 */
export function readSmallFile(path: string, bytesMax: number): Buffer | undefined {
  const file = openRegularFile(path, 'followed') // as secrets in containers often are
  if (file === undefined) return undefined
  try {
    if (file.stamp.size > bytesMax) {
      throw new NodeError(
        'FOLDER_FORMAT',
        `The file ${path} has ${formatSize(file.stamp.size)}, more than the ${formatSize(bytesMax)} it can have. Move it away or put the right one in its place.`,
        { path, bytes: file.stamp.size, bytesMax }
      )
    }
    return readWhole(file.fd, file.stamp.size)
  } finally {
    closeSync(file.fd)
  }
}

/**
 * Puts a file in the place of what is at `path`: readers see the old one or the new one, whole, and
 * the new one is durable when it resolves. On failure nothing changes. Errors: DISK_FULL,
 * DISK_FAULT; those of `content` as they are.
 */
export async function writeFileAtomic(
  path: string,
  content: FileContent,
  { mode = 0o600 }: { readonly mode?: number } = {}
): Promise<void> {
  const temp = join(dirname(path), temporaryName(basename(path)))
  let sourceFault: { readonly error: unknown } | undefined
  const guarded = isStream(content)
    ? guard(content, (error) => {
        sourceFault = { error }
      })
    : content
  try {
    const handle = await open(temp, 'wx', mode)
    try {
      await handle.writeFile(guarded)
      await handle.datasync()
    } finally {
      await handle.close()
    }
    await rename(temp, path)
    await syncFolder(dirname(path))
  } catch (error) {
    removeQuietly(temp)
    throw sourceFault === undefined ? diskError(error, `writing ${path}`) : sourceFault.error
  }
}

/** Durable; what is at `to` gives way. Errors: DISK_FAULT. */
export async function renameFile(from: string, to: string): Promise<void> {
  try {
    await rename(from, to)
    await syncFolder(dirname(to))
  } catch (error) {
    throw diskError(error, `renaming ${from}`)
  }
}

/** Of a name that is as long as any can be, too. */
function temporaryName(name: string): string {
  return `${cutToBytes(name, CUT_NAME_BYTES_MAX)}.${randomHex(systemRandom, 6)}.tmp`
}

/** Removes what writers were writing in this folder when their process ended. */
export function sweepUnfinished(folder: string): void {
  for (const entry of onDisk(`reading ${folder}`, () =>
    readdirSync(folder, { withFileTypes: true })
  )) {
    const isOurs = /\.[0-9a-f]{12}\.tmp$/.test(entry.name)
    if (isOurs && entry.isFile()) removeQuietly(join(folder, entry.name))
  }
}

function isStream(content: FileContent): content is AsyncIterable<string | Uint8Array> {
  return typeof content === 'object' && Symbol.asyncIterator in content
}

async function* guard<T>(source: AsyncIterable<T>, onFault: (error: unknown) => void) {
  try {
    for await (const piece of source) yield piece
  } catch (error) {
    onFault(error)
    throw error
  }
}
