// The path of an upload that came without one.

import { extensionOf, fileNameOf, type ImagePath, parsePath } from '../../protocols/path.ts'
import { cutToBytes } from '../base/cut-to-bytes.ts'

const STEM_BYTES_MAX = 120

/** `<stem>_<epoch ms>.<ext>` from whatever name a client gave. */
export function uploadName(fileName: string, ms: number): ImagePath {
  const last = fileNameOf(fileName.replaceAll('\\', '/')).normalize('NFC')
  const extension = extensionOf(last)
  const stem = extension === '' ? last : last.slice(0, -extension.length - 1)
  const clean = stem
    .toWellFormed()
    .replace(/[<>:"\\|?*\p{C}\u2028\u2029]/gu, '_')
    .replace(/^[\s.]+|[\s.]+$/g, '')
  const safe = cutToBytes(clean === '' ? 'image' : clean, STEM_BYTES_MAX)
  return parsePath(`${safe}_${ms}${extension === '' ? '' : `.${extension}`}`)
}
