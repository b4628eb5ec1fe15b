// The few images and paths of a world: so few that nodes get into each other's way.

import { hash as digest } from 'node:crypto'
import type { ContentHash, Md5 } from '../../../protocols/hash.ts'
import { type ImagePath, parsePath } from '../../../protocols/path.ts'
import type { ImageDraft } from '../../../src/index/transaction.ts'

const PATHS = ['a.svg', 'b.svg', 'c/d.svg', 'c/e.svg', 'f.svg'].map(parsePath)
const CONTENTS = Array.from({ length: 6 }, (_, n) => ({
  hash: digest('sha256', `image ${n}`) as ContentHash,
  md5: digest('md5', `image ${n}`) as Md5
}))
export const PATHS_COUNT = PATHS.length
export const CONTENTS_COUNT = CONTENTS.length

export function pathOf(path: number): ImagePath {
  return PATHS[path % PATHS.length] as ImagePath
}

/** `createdMs` tells the writes of a world apart. */
export function draftOf(path: number, content: number, createdMs: number): ImageDraft {
  const image = CONTENTS[content % CONTENTS.length] as (typeof CONTENTS)[number]
  return { ...image, path: pathOf(path), bytes: 1000, mediaType: 'image/svg+xml', createdMs }
}
