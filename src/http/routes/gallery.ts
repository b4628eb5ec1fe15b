// GET /api/images: the newest images, page by page, as gallery pages show them.

import { z } from 'zod'
import { type ImageEntry, isImage } from '../../../protocols/entry.ts'
import type { ImageIndex } from '../../index/image-index.ts'
import { imageIdOf } from '../../index/tables.ts'
import {
  describedImageShape,
  describeImage,
  imageFactsShape,
  type Viewpoint,
  viewpointOf
} from '../describe-image.ts'
import { type ImageOrder, newestFirst, newestFirstOf, readPage } from '../image-orders.ts'
import {
  containsField,
  cursorField,
  foldCase,
  type HashQuery,
  hashField,
  limitField,
  prefixField
} from '../list-query.ts'
import type { ApiOptions, HttpParts } from '../ports.ts'
import type { ApiRequest, Route } from '../route.ts'

const LIMIT_MAX = 1000
/**
 * So many images with a prefix are sorted here; with more of them, pages are soon found by going
 * through all.
 */
const SORTED_MAX = 2000
/** Blobs with one MD5 that are looked at; there are two where somebody made them. */
const SAME_MD5_MAX = 100

const querySchema = z.strictObject({
  limit: limitField(LIMIT_MAX).default(50),
  cursor: cursorField.optional(),
  prefix: prefixField.default(''),
  contains: containsField.default(''),
  hash: hashField.optional()
})
type GalleryQuery = z.output<typeof querySchema>

const galleryImageShape = imageFactsShape.extend({
  url: describedImageShape.shape.url,
  state: describedImageShape.shape.state,
  id: z.int().describe('The first 53 bits of SHA-256 of the path')
})

const shape = z.object({
  status: z.literal('success'),
  total: z.int().nullable().describe('Null where only a longer search could tell'),
  count: z.int(),
  next_cursor: z.string().nullable().describe('Null at the end; a short page may have one'),
  images: z.array(galleryImageShape)
})

export function galleryRoutes(parts: HttpParts, _options: ApiOptions): Route[] {
  return [
    {
      method: 'GET',
      url: '/api/images',
      who: 'read',
      tag: 'images',
      summary: 'List images, newest first',
      query: querySchema,
      answers: { 200: { means: 'A page of images', shape } },
      handle: (request) => list(parts, request)
    }
  ]
}

async function list(parts: HttpParts, request: ApiRequest): Promise<z.output<typeof shape>> {
  const query = request.query as GalleryQuery
  const { limit, cursor, prefix, contains } = query
  const { order, total } = await orderFor(parts.flows.index, query, request.signal)
  const keep = (image: ImageEntry) =>
    image.path.startsWith(prefix) &&
    foldCase(image.path).includes(contains) &&
    hasHash(image, query.hash)
  const page = await readPage(order, keep, { limit, cursor, signal: request.signal })
  const viewpoint = viewpointOf(parts)
  return {
    status: 'success',
    total,
    count: page.entries.length,
    next_cursor: page.nextCursor ?? null,
    images: page.entries.map((entry) => describe(parts, viewpoint, entry))
  }
}

async function orderFor(
  index: ImageIndex,
  { prefix, contains, hash }: GalleryQuery,
  signal: AbortSignal
): Promise<{ order: ImageOrder; total: number | null }> {
  if (hash !== undefined) return { order: await orderOf(index, hash), total: null }
  if (prefix === '') {
    const total = contains === '' ? index.counts().images : null
    return { order: newestFirst(index), total }
  }
  const entries: ImageEntry[] = []
  let looked = 0
  for await (const entry of index.listAll({ prefix })) {
    signal.throwIfAborted()
    if (looked++ === SORTED_MAX) return { order: newestFirst(index), total: null }
    if (isImage(entry)) entries.push(entry)
  }
  return { order: newestFirstOf(entries), total: contains === '' ? entries.length : null }
}

/** Of its blob, or of those with its MD5. */
async function orderOf(index: ImageIndex, hash: HashQuery): Promise<ImageOrder> {
  const hashes = 'md5' in hash ? await index.hashesOf(hash.md5, SAME_MD5_MAX) : [hash.sha256]
  const paths = await Promise.all(hashes.map((one) => index.pathsOf(one, SORTED_MAX)))
  if (paths.some(({ length }) => length === SORTED_MAX)) return newestFirst(index)
  return newestFirstOf(paths.flat().flatMap((path) => index.image(path) ?? []))
}

function hasHash({ md5, hash }: ImageEntry, query: HashQuery | undefined): boolean {
  if (query === undefined) return true
  return 'md5' in query ? md5 === query.md5 : hash === query.sha256
}

function describe(
  { flows: { index } }: HttpParts,
  viewpoint: Viewpoint,
  entry: ImageEntry
): z.output<typeof galleryImageShape> {
  const image = describeImage(entry, index.blob(entry.hash), viewpoint)
  return {
    id: imageIdOf(entry.path),
    path: image.path,
    filename: image.filename,
    size: image.size,
    hash: image.hash,
    sha256: image.sha256,
    cid: image.cid,
    mime_type: image.mime_type,
    width: image.width,
    height: image.height,
    source_url: image.source_url,
    created_at: image.created_at,
    modified_at: image.modified_at,
    url: image.url,
    state: image.state
  }
}
