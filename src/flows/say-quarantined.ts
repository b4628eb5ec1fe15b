// In words: that much was set aside, which nobody but a person removes.

import { type Cause, causeOf } from '../base/cause.ts'
import { formatSize } from '../base/units.ts'

const FILES_MIN = 1000
const BYTES_MIN = 10 ** 9

/** Undefined for what is not worth a word. */
export function sayQuarantined({
  files,
  bytes
}: {
  readonly files: number
  readonly bytes: number
}): Cause | undefined {
  if (files < FILES_MIN && bytes < BYTES_MIN) return undefined
  const size = formatSize(bytes)
  const held = files === 1 ? '1 file' : `${files} files`
  return causeOf(
    'quarantine_large',
    `quarantine/ holds ${held}, ${size}: damaged images, and what stood in images/ in the ` +
      'place of others. Nothing there is removed by itself: look at it, and remove what nobody needs.',
    { count: files, size }
  )
}
