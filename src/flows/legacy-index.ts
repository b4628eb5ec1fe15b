// Reads the file_index.json that an earlier file-sync program left: what it knew of each image, by
// path.
//
// Its documented layout is an object of files by path; lists, and objects with the files under
// `files`, are read too.

import { SOURCE_URL_BYTES_MAX } from '../../protocols/entry.ts'
import { type Md5, parseMd5 } from '../../protocols/hash.ts'
import { parsePath } from '../../protocols/path.ts'
import { WireError } from '../../protocols/wire-error.ts'

export interface LegacyFile {
  readonly md5?: Md5 | undefined
  readonly createdMs?: number | undefined
  readonly sourceUrl?: string | undefined
}

/**
 * Files by path. Throws SyntaxError if the text is no JSON; entries that say nothing usable are
 * left out. `onRefused` hears of names that can't be paths, and why.
 */
export function readLegacyIndex(
  text: string,
  onRefused: (name: string, reason: string) => void = () => {}
): Map<string, LegacyFile> {
  const found = new Map<string, LegacyFile>()
  const parsed: unknown = JSON.parse(text)
  const files = isObject(parsed) && isCollection(parsed.files) ? parsed.files : parsed
  if (!isCollection(files)) return found
  for (const [key, value] of Object.entries(files)) {
    if (!isObject(value)) continue
    const name =
      textOf(value.path) ??
      textOf(value.file_path) ??
      (Array.isArray(files) ? textOf(value.filename) : key)
    if (name === undefined) continue
    try {
      found.set(pathOf(name), fileOf(value))
    } catch (error) {
      if (!(error instanceof WireError)) throw error
      onRefused(name, error.message)
    }
  }
  return found
}

function fileOf(value: Record<string, unknown>): LegacyFile {
  return {
    md5: md5Of(value.hash) ?? md5Of(value.md5) ?? md5Of(value.file_hash),
    createdMs: timeOf(value.created_at) ?? timeOf(value.create_time),
    sourceUrl: urlOf(value.source_url)
  }
}

/** What is too long for an entry is left out. */
function urlOf(value: unknown): string | undefined {
  const url = textOf(value)
  return url !== undefined && Buffer.byteLength(url) <= SOURCE_URL_BYTES_MAX ? url : undefined
}

/** Paths of the old index may start with the folder they lay in. Throws WireError BAD_PATH. */
function pathOf(name: string): string {
  return parsePath(
    name.replaceAll('\\', '/').replace(/^(?:\.?\/)*(?:(?:static\/)?(?:data\/)?images\/)?/, '')
  )
}

function md5Of(value: unknown): Md5 | undefined {
  return typeof value === 'string' && /^[0-9a-f]{32}$/i.test(value) ? parseMd5(value) : undefined
}

/** ISO 8601, or seconds or milliseconds since 1970. */
function timeOf(value: unknown): number | undefined {
  const ms =
    typeof value === 'number'
      ? value < 1e11
        ? value * 1000
        : value
      : Date.parse(textOf(value) ?? '')
  return Number.isFinite(ms) && ms > 0 && ms < 8.64e15 ? Math.trunc(ms) : undefined
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isCollection(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
