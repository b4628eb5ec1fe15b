// Which images a bulk deletion means: ids, paths and hashes become paths before anything is
// deleted.

import type { ContentHash } from '../../protocols/hash.ts'
import { parseHash, parseMd5 } from '../../protocols/hash.ts'
import { type ImagePath, parsePath } from '../../protocols/path.ts'
import { WireError } from '../../protocols/wire-error.ts'
import { saidAs } from '../base/cause.ts'
import { NodeError } from '../base/errors.ts'
import type { ImageIndex } from '../index/image-index.ts'

export interface DeleteRequest {
  readonly image_ids?: readonly number[] | undefined
  readonly paths?: readonly string[] | undefined
  /** MD5 or SHA-256 in hex. */
  readonly hashes?: readonly string[] | undefined
}

export interface DeleteTargets {
  readonly paths: readonly ImagePath[]
  /** What names no live image, as it was sent. */
  readonly notFound: readonly (number | string)[]
  readonly failed: readonly { readonly path: string; readonly detail: string }[]
}

/** Images that one request deletes, whatever it names them by: their paths are in memory. */
const TARGETS_MAX = 100_000
/** Blobs of one MD5: more than one is an attack, more than these are not counted. */
const BLOBS_OF_MD5_MAX = 100

type Lookups = Pick<ImageIndex, 'image' | 'pathsWithId' | 'pathsOf' | 'hashesOf'>

/**
 * Throws AMBIGUOUS_ID if an id or an MD5 means more than one image, VALIDATION if they are too
 * many.
 */
export async function findTargets(index: Lookups, request: DeleteRequest): Promise<DeleteTargets> {
  const paths = new Set<ImagePath>()
  const notFound: (number | string)[] = []
  const failed: { path: string; detail: string }[] = []
  const take = (name: number | string, found: readonly ImagePath[]) => {
    if (found.length === 0) notFound.push(name)
    for (const path of found) paths.add(path)
    if (paths.size > TARGETS_MAX) throw tooMany()
  }
  for (const id of request.image_ids ?? []) take(id, await pathsOfId(index, id))
  for (const hash of request.hashes ?? []) take(hash, await pathsOfHash(index, hash))
  for (const text of request.paths ?? []) {
    try {
      const path = parsePath(text)
      take(text, index.image(path) === undefined ? [] : [path])
    } catch (error) {
      if (!(error instanceof WireError)) throw error
      failed.push({ path: text, detail: error.message })
    }
  }
  return { paths: [...paths], notFound, failed }
}

async function pathsOfId(index: Lookups, id: number): Promise<ImagePath[]> {
  const found = await index.pathsWithId(id, 2)
  if (found.length > 1) {
    throw new NodeError(
      'AMBIGUOUS_ID',
      `More than one image has the id ${id}: ${found.join(', ')}. Nothing was deleted; name them by path.`,
      { id }
    )
  }
  return found
}

async function pathsOfHash(index: Lookups, text: string): Promise<ImagePath[]> {
  if (text.length === 64) return index.pathsOf(parseHash(text), TARGETS_MAX + 1)
  const found: [ContentHash, ImagePath[]][] = []
  for (const hash of await index.hashesOf(parseMd5(text), BLOBS_OF_MD5_MAX)) {
    const paths = await index.pathsOf(hash, TARGETS_MAX + 1)
    if (paths.length > 0) found.push([hash, paths])
  }
  if (found.length > 1) {
    throw new NodeError(
      'AMBIGUOUS_ID',
      `Images with different bytes have the MD5 ${text}. Nothing was deleted; name them by SHA-256: ` +
        `${found.map(([hash]) => hash).join(', ')}.`
    )
  }
  return found[0]?.[1] ?? []
}

function tooMany(): NodeError {
  return new NodeError(
    'VALIDATION',
    `This names more than ${TARGETS_MAX} images. Nothing was deleted; delete them in parts.`,
    { place: 'body', ...saidAs('names_many', { max: TARGETS_MAX }) }
  )
}
