// Which name under images/ a path gets on a disk that can't hold the path itself.

import { createHash } from 'node:crypto'
import { type ImagePath, parsePath } from '../../protocols/path.ts'
import { cutToBytes } from '../base/cut-to-bytes.ts'

/** The longest name of a file on common file systems. */
const NAME_BYTES_MAX = 255
/** Names of our own making also fit encrypted folders, which hold 143 bytes. */
const MADE_NAME_BYTES_MAX = 140
/** A longer "extension" is part of the name. */
const EXTENSION_BYTES_MAX = 20
const MADE = /~[0-9a-f]{10}$/i

/**
 * The path with a suffix in the parts that need one: those in `taken` (by their position), because
 * the disk has something else under that name, those that are too long, and those that look as if
 * they had one, so that no path is the name of another. The suffix depends on the path alone, so
 * that all paths of a folder agree on its name: `a/b.jpg` with part 1 taken is
 * `a/b~0123456789.jpg`.
 */
export function planViewName(path: ImagePath, taken: ReadonlySet<number>): string {
  const parts = path.split('/')
  const names = parts.map((part, i) => {
    const fits = Buffer.byteLength(part) <= NAME_BYTES_MAX && !looksMade(part)
    return fits && !taken.has(i) ? part : madeName(parts, i)
  })
  return names.join('/')
}

/** Whether a name can be of the view's own making. */
export function mayBeMade(name: string): boolean {
  return name.split('/').some(looksMade)
}

/** Whether a path may have got this name, whatever was in its way. */
export function isViewNameOf(name: string, path: ImagePath): boolean {
  const names = name.split('/')
  const parts = path.split('/')
  return (
    names.length === parts.length &&
    parts.every((part, i) => names[i] === part || names[i] === madeName(parts, i))
  )
}

/**
 * The path that got this name, which is of the view's own making. Undefined if it is not, or where
 * the path was too long for the name to say all of it.
 */
export function pathOfViewName(name: string): ImagePath | undefined {
  if (!mayBeMade(name)) return undefined
  const names = name.split('/')
  const parts = names.map((part, i) => (looksMade(part) ? unmadeName(names, i) : part))
  try {
    const path = parsePath(parts.join('/'))
    return isViewNameOf(name, path) ? path : undefined
  } catch {
    return undefined // no path
  }
}

function unmadeName(names: readonly string[], i: number): string {
  const part = names[i] as string
  if (i < names.length - 1) return part.replace(MADE, '')
  const { stem, extension } = splitName(part)
  return stem.replace(MADE, '') + extension
}

function madeName(parts: readonly string[], i: number): string {
  const part = parts[i] as string
  const isFile = i === parts.length - 1
  const { stem, extension } = isFile ? splitName(part) : { stem: part, extension: '' }
  const prefix = parts.slice(0, i + 1).join('/')
  const suffix = `~${createHash('sha256').update(prefix).digest('hex').slice(0, 10)}${extension}`
  return cutToBytes(stem, MADE_NAME_BYTES_MAX - Buffer.byteLength(suffix)) + suffix
}

function looksMade(part: string): boolean {
  return MADE.test(part) || MADE.test(splitName(part).stem)
}

function splitName(part: string): { stem: string; extension: string } {
  const dot = part.lastIndexOf('.')
  const hasExtension = dot > 0 && Buffer.byteLength(part.slice(dot)) <= EXTENSION_BYTES_MAX
  if (!hasExtension) return { stem: part, extension: '' }
  return { stem: part.slice(0, dot), extension: part.slice(dot) }
}
