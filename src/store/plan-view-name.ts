// Which name under images/ a path gets on a disk that can't hold the path itself.

import { createHash } from 'node:crypto'
import type { ImagePath } from '../../protocols/path.ts'
import { cutToBytes } from '../base/cut-to-bytes.ts'

/** The longest name of a file on common file systems. */
const NAME_BYTES_MAX = 255
/** Names of our own making also fit encrypted folders, which hold 143 bytes. */
const MADE_NAME_BYTES_MAX = 140
/** A longer "extension" is part of the name. */
const EXTENSION_BYTES_MAX = 20

/**
 * The path with a suffix in the parts that need one: those in `taken` (by their position), because
 * the disk has something else under that name, and those that are too long. The suffix depends on
 * the path alone, so that all paths of a folder agree on its name: `a/b.jpg` with part 1 taken is
 * `a/b~0123456789.jpg`.
 */
export function planViewName(path: ImagePath, taken: ReadonlySet<number>): string {
  const parts = path.split('/')
  const names = parts.map((part, i) => {
    if (!taken.has(i) && Buffer.byteLength(part) <= NAME_BYTES_MAX) return part
    return madeName(part, parts.slice(0, i + 1).join('/'), i === parts.length - 1)
  })
  return names.join('/')
}

function madeName(part: string, prefix: string, isFile: boolean): string {
  const dot = isFile ? part.lastIndexOf('.') : -1
  const hasExtension = dot > 0 && Buffer.byteLength(part.slice(dot)) <= EXTENSION_BYTES_MAX
  const extension = hasExtension ? part.slice(dot) : ''
  const stem = hasExtension ? part.slice(0, dot) : part
  const suffix = `~${createHash('sha256').update(prefix).digest('hex').slice(0, 10)}${extension}`
  return cutToBytes(stem, MADE_NAME_BYTES_MAX - Buffer.byteLength(suffix)) + suffix
}
