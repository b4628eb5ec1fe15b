// GET /file-sync/api/file-sync/files: all images, or a page of them.

import { Readable } from 'node:stream'
import type { FastifyReply } from 'fastify'
import { z } from 'zod'
import type { ImageEntry } from '../../../protocols/entry.ts'
import { asksFor } from '../accepted.ts'
import { parseCursor } from '../cursor.ts'
import {
  type DescribedImage,
  describedImageShape,
  describeImage,
  viewpointOf
} from '../describe-image.ts'
import { type ImageOrder, type Listed, type Page, readPage } from '../image-orders.ts'
import { type FilesQuery, filesQuery, filterFor, isFiltered, orderFor } from '../list-query.ts'
import type { ApiOptions, HttpParts } from '../ports.ts'
import type { ApiRequest, Route } from '../route.ts'
import { streamJson, streamLines } from '../stream-list.ts'

const shape = z.object({
  status: z.literal('success'),
  total_files: z.int().nullable().describe('Null where only a longer search could tell'),
  total_size: z.int().nullable(),
  count: z.int(),
  next_cursor: z.string().nullable().describe('Null at the end; a short page may have one'),
  files: z.array(describedImageShape)
})

const LINES_TYPE = 'application/x-ndjson'

export function filesRoutes(parts: HttpParts, _options: ApiOptions): Route[] {
  return [
    {
      method: 'GET',
      url: '/file-sync/api/file-sync/files',
      who: 'read',
      tag: 'documented',
      summary:
        'List images: without limit all of them, streamed; with Accept: application/x-ndjson one a line',
      query: filesQuery,
      answers: { 200: { means: 'The images', shape } },
      handle: (request, reply) => list(parts, request, reply)
    }
  ]
}

async function list(parts: HttpParts, request: ApiRequest, reply: FastifyReply): Promise<unknown> {
  const { index } = parts.flows
  const query = request.query as FilesQuery
  const viewpoint = viewpointOf(parts)
  const wanted: Wanted = {
    query,
    order: orderFor(index, query),
    keep: filterFor(parts, query),
    describe: (entry) => describeImage(entry, index.blob(entry.hash), viewpoint),
    asLines: asksFor(request.headers.accept, LINES_TYPE, 'application/json'),
    signal: request.signal
  }
  reply.raw.appendHeader('Vary', 'Accept')
  reply.type(wanted.asLines ? LINES_TYPE : 'application/json; charset=utf-8')
  if (query.limit !== undefined) return sendPage(parts, wanted, query.limit, reply)
  const isHead = request.raw.method === 'HEAD'
  reply.send(isHead ? Readable.from([]) : streamAll(parts, wanted))
  return undefined
}

interface Wanted {
  readonly query: FilesQuery
  readonly order: ImageOrder
  readonly keep: (entry: ImageEntry) => boolean
  readonly describe: (entry: ImageEntry) => DescribedImage
  readonly asLines: boolean
  readonly signal: AbortSignal
}

async function sendPage(
  parts: HttpParts,
  { query, order, keep, describe, asLines, signal }: Wanted,
  limit: number,
  reply: FastifyReply
): Promise<unknown> {
  const page = await readPage(order, keep, { limit, cursor: query.cursor, signal })
  const shown = page.entries.map(describe)
  if (!asLines) return pageOf(parts, query, page, shown)
  if (page.nextCursor !== undefined) reply.header('X-Next-Cursor', page.nextCursor)
  return shown.map((file) => `${JSON.stringify(file)}\n`).join('')
}

function pageOf(
  { flows: { index } }: HttpParts,
  query: FilesQuery,
  { nextCursor }: Page,
  shown: DescribedImage[]
): z.output<typeof shape> {
  const { images, imageBytes } = index.counts()
  const isAll = query.cursor === undefined && nextCursor === undefined
  const total = !isFiltered(query)
    ? { files: images, size: imageBytes }
    : isAll
      ? { files: shown.length, size: sizeOf(shown) }
      : { files: null, size: null }
  return {
    status: 'success',
    total_files: total.files,
    total_size: total.size,
    count: shown.length,
    next_cursor: nextCursor ?? null,
    files: shown
  }
}

function sizeOf(shown: readonly DescribedImage[]): number {
  return shown.reduce((sum, { size }) => sum + size, 0)
}

function streamAll({ flows: { index } }: HttpParts, wanted: Wanted): Readable {
  const { query, order, asLines } = wanted
  const start = query.cursor === undefined ? undefined : parseCursor(order.name, query.cursor)
  const tally = { count: 0, size: 0 }
  const all = described(order.from(start), wanted, tally)
  if (asLines) return streamLines(all)
  const status = 'success' as const
  const { images: total_files, imageBytes: total_size } = index.counts()
  if (!isFiltered(query)) {
    const head = { status, total_files, total_size }
    return streamJson(head, 'files', all, () => ({ count: tally.count, next_cursor: null }))
  }
  // the totals of a filtered list are known, and written, at its end
  const isWhole = query.cursor === undefined
  return streamJson({ status }, 'files', all, () => ({
    total_files: isWhole ? tally.count : null,
    total_size: isWhole ? tally.size : null,
    count: tally.count,
    next_cursor: null
  }))
}

async function* described(
  listed: AsyncIterable<Listed>,
  { keep, describe, signal }: Wanted,
  tally: { count: number; size: number }
): AsyncGenerator<DescribedImage> {
  for await (const { entry } of listed) {
    signal.throwIfAborted()
    if (entry === undefined || !keep(entry)) continue
    tally.count++
    tally.size += entry.bytes
    yield describe(entry)
  }
}
