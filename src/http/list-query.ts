// The parameters of the file list, and the order and filter that follow from them.

import { z } from 'zod'
import type { ImageEntry } from '../../protocols/entry.ts'
import { type ContentHash, type Md5, parseCid, parseHash, parseMd5 } from '../../protocols/hash.ts'
import { PATH_BYTES_MAX } from '../../protocols/path.ts'
import { type Version, versionAt } from '../../protocols/version.ts'
import { saidAs } from '../base/cause.ts'
import type { ImageIndex } from '../index/image-index.ts'
import { CURSOR_LENGTH_MAX } from './cursor.ts'
import { stateOf } from './describe-image.ts'
import { byPath, bySource, type ImageOrder, oldestFirst, wanted } from './image-orders.ts'
import type { HttpParts } from './ports.ts'

/** A page is built in memory; longer lists are streamed. */
const FILES_LIMIT_MAX = 10_000
const SOURCE_URL_LENGTH_MAX = 2048
/**
 * Larger numbers than this are milliseconds: as seconds it is the year 5138, as milliseconds 1973.
 */
const EPOCH_SECONDS_MAX = 1e11
/** What a version can hold. */
const VERSION_MS_MAX = 2 ** 48 - 1
const ISO_TIME =
  /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?)(?:(Z)|([+ -])(\d\d):?(\d\d))?)?$/i

/** Only paths that begin with it, in the normal form of paths. */
export const prefixField = z
  .string()
  .max(PATH_BYTES_MAX)
  .transform((text) => text.normalize('NFC'))
/** Only paths with this part, however it is capitalised. */
export const containsField = z
  .string()
  .max(PATH_BYTES_MAX)
  .transform(foldCase)
  .describe('Part of the path, in capitals or not; pages may be short, with a cursor')

/** As searches compare names. */
export function foldCase(text: string): string {
  return text.normalize('NFC').toLowerCase()
}

export type HashQuery = { readonly sha256: ContentHash } | { readonly md5: Md5 }

/** Only images with these bytes. */
export const hashField = z
  .string()
  .transform((text, context): HashQuery => {
    try {
      if (/^[0-9a-f]{32}$/i.test(text)) return { md5: parseMd5(text) }
      return { sha256: /^[0-9a-f]{64}$/i.test(text) ? parseHash(text) : parseCid(text) }
    } catch {
      const message = 'must be a SHA-256 or an MD5 in hex, or a CID'
      context.addIssue({ code: 'custom', message, params: saidAs('field_hash') })
      return z.NEVER
    }
  })
  .describe('SHA-256 or MD5 in hex, or CID')

export const cursorField = z.string().max(CURSOR_LENGTH_MAX)

export function limitField(max: number) {
  return z.coerce.number().int().min(1).max(max)
}

const sinceField = z.string().transform((text, context) => {
  const ms = parseTime(text)
  if (ms !== undefined) return ms
  const message = 'not a time: give ISO 8601 (2026-01-31T12:00:00Z), or seconds since 1970'
  context.addIssue({ code: 'custom', message, params: saidAs('field_since') })
  return z.NEVER
})

export const filesQuery = z.object({
  limit: limitField(FILES_LIMIT_MAX).optional(),
  cursor: cursorField.optional(),
  prefix: prefixField.optional(),
  state: z.enum(['ok', 'pending', 'missing', 'corrupted', 'blocked']).optional(),
  since: sinceField.optional(),
  source_url: z.string().max(SOURCE_URL_LENGTH_MAX).optional()
})

export type FilesQuery = z.output<typeof filesQuery>

/**
 * Milliseconds since 1970 from ISO 8601 (UTC where it names no zone), or from epoch seconds or
 * milliseconds.
 */
export function parseTime(text: string): number | undefined {
  if (/^\d+(?:\.\d+)?$/.test(text)) {
    const number = Number(text)
    return Math.min(number < EPOCH_SECONDS_MAX ? number * 1000 : number, VERSION_MS_MAX)
  }
  const [, day, time = '00:00', , sign, hours, minutes] = ISO_TIME.exec(text) ?? []
  if (day === undefined) return undefined
  // an unescaped "+" arrives as a space
  const zone = hours === undefined ? 'Z' : `${sign === '-' ? '-' : '+'}${hours}:${minutes}`
  const ms = Date.parse(`${day}T${time}${zone}`)
  return Number.isNaN(ms) ? undefined : ms
}

/** The order that looks at the fewest images for these filters. */
export function orderFor(index: ImageIndex, query: FilesQuery): ImageOrder {
  if (query.source_url !== undefined) return bySource(index, query.source_url)
  const isWanted = query.state !== undefined && !['ok', 'blocked'].includes(query.state)
  if (isWanted) return wanted(index)
  if (query.since !== undefined) return oldestFirst(index, versionAt(query.since))
  return byPath(index, query.prefix ?? '')
}

/** Whether an image passes all filters. */
export function filterFor(
  { flows }: Pick<HttpParts, 'flows'>,
  { prefix = '', state, since, source_url }: FilesQuery
): (entry: ImageEntry) => boolean {
  const sinceVersion: Version = since === undefined ? 0n : versionAt(since)
  return (entry) =>
    entry.path.startsWith(prefix) &&
    entry.version >= sinceVersion &&
    (source_url === undefined || entry.sourceUrl === source_url) &&
    (state === undefined || stateIn(flows, entry) === state)
}

function stateIn({ index, blocks }: HttpParts['flows'], { hash }: ImageEntry) {
  return stateOf(index.blob(hash)?.state, blocks.has(hash))
}

export function isFiltered({ prefix = '', state, since, source_url }: FilesQuery): boolean {
  return prefix !== '' || state !== undefined || since !== undefined || source_url !== undefined
}
