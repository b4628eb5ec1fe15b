// Reads the form of an upload: files are staged as they come, fields may stand before or after
// them.

import type { MultipartValue } from '@fastify/multipart'
import { z } from 'zod'
import { SOURCE_URL_BYTES_MAX } from '../../protocols/entry.ts'
import { parseHash, parseMd5 } from '../../protocols/hash.ts'
import { parsePath } from '../../protocols/path.ts'
import { saidAs, type Word } from '../base/cause.ts'
import { NodeError } from '../base/errors.ts'
import type { Upload } from '../flows/ingest.ts'
import type { FlowParts } from '../flows/parts.ts'
import type { StagedBlob } from '../store/blob-store.ts'
import { takingRoom } from './request-body.ts'
import type { ApiRequest } from './route.ts'

/** Files in one request. */
export const FILES_MAX = 100
const FIELDS_MAX = 32
/** A path, or a source URL. */
const FIELD_BYTES_MAX = 8 * 1024
/** What surrounds the files: boundaries, headers of parts, fields. */
export const FORM_BYTES_MAX = 1024 * 1024

export type FormFields = Pick<Upload, 'path' | 'md5' | 'sha256' | 'sourceUrl'>

export interface StagedFile {
  readonly fileName: string
  readonly staged: StagedBlob
}

interface UploadForm {
  readonly files: readonly StagedFile[]
  readonly fields: FormFields
}

interface FormOptions {
  readonly bytesMax: number
  /** Called before each file, with the fields so far: what it throws saves reading the file. */
  readonly beforeFile: (fields: FormFields) => void
}

/**
 * The staged files are the caller's, to be finished each. If this throws, none is left. Errors:
 * VALIDATION, BAD_REQUEST for a form that is broken, BAD_PATH, BAD_HASH, and those of the store.
 */
export async function readUploadForm(
  { store, room }: Pick<FlowParts, 'store' | 'room'>,
  request: ApiRequest,
  { bytesMax, beforeFile }: FormOptions
): Promise<UploadForm> {
  const files: StagedFile[] = []
  const texts = new Map<string, string>()
  let fields: FormFields = {}
  if (!request.fastify.isMultipart()) return { files, fields }
  try {
    for await (const part of partsOf(request, bytesMax)) {
      if (part.type === 'field') {
        takeField(texts, part)
        fields = parseFields(texts)
      } else if (part.fieldname !== 'file') part.file.resume()
      else {
        // nobody has sent these for long, and what is left of them would pass for the image
        if (!/^(?:7bit|8bit|binary)$/i.test(part.encoding)) {
          const fault = `must be sent as it is, not as ${part.encoding}`
          throw invalid('file', fault, saidAs('field_file_coding', { coding: part.encoding }))
        }
        beforeFile(fields)
        const source = takingRoom(room, translated<Uint8Array>(part.file))
        const staged = await store.stage(source, { bytesMax, signal: request.signal })
        files.push({ fileName: part.filename, staged })
      }
      checkSingle(fields, files.length)
    }
    return { files, fields }
  } catch (error) {
    for (const { staged } of files) store.finish(staged)
    throw error
  }
}

function partsOf({ fastify }: ApiRequest, bytesMax: number) {
  const limits = {
    fieldNameSize: 100,
    fieldSize: FIELD_BYTES_MAX,
    fields: FIELDS_MAX,
    files: FILES_MAX,
    parts: FIELDS_MAX + FILES_MAX,
    headerPairs: 32,
    fileSize: bytesMax + 1 // the store refuses the byte too many, with a better sentence
  }
  return translated(fastify.parts({ limits }))
}

/** A form that is broken, or has too much in it, is the client's fault. */
async function* translated<T>(source: AsyncIterable<T>): AsyncGenerator<T> {
  try {
    yield* source
  } catch (error) {
    throw formError(error)
  }
}

function formError(cause: unknown): NodeError {
  if (cause instanceof NodeError) return cause
  const { code, message } = cause as { code?: string; message?: string }
  if (/^FST_(?:FILES|FIELDS|PARTS)_LIMIT$/.test(code ?? '')) {
    const fault = `at most ${FILES_MAX} files and ${FIELDS_MAX} fields in one request`
    return invalid('file', fault, saidAs('field_files_many', { max: FILES_MAX }))
  }
  return new NodeError(
    'BAD_REQUEST',
    `The form could not be read (${message}). Send multipart/form-data with the image as the field "file".`,
    saidAs('form_broken'),
    { cause }
  )
}

function takeField(texts: Map<string, string>, { fieldname, value, ...cut }: MultipartValue): void {
  if (fieldname === 'file')
    throw invalid('file', 'must be sent as a file, with a file name', saidAs('field_file_text'))
  if (!['path', 'file_hash', 'sha256', 'source_url'].includes(fieldname)) return
  if (typeof value !== 'string' || cut.valueTruncated) {
    const fault = `must be text of at most ${FIELD_BYTES_MAX} bytes`
    throw invalid(fieldname, fault, saidAs('field_long', { max: FIELD_BYTES_MAX }))
  }
  if (texts.has(fieldname) && texts.get(fieldname) !== value) {
    throw invalid(fieldname, 'was given twice', saidAs('field_twice'))
  }
  texts.set(fieldname, value)
}

/** Fields that are left empty, as pages send them, are not there. */
function parseFields(texts: ReadonlyMap<string, string>): FormFields {
  const [path, md5, sha256, sourceUrl] = ['path', 'file_hash', 'sha256', 'source_url'].map(
    (name) => texts.get(name)?.trim() || undefined
  )
  if (sourceUrl !== undefined) {
    const fits = Buffer.byteLength(sourceUrl) <= SOURCE_URL_BYTES_MAX
    if (!fits || !URL.canParse(sourceUrl)) {
      const fault = `must be a URL of at most ${SOURCE_URL_BYTES_MAX} bytes`
      throw invalid('source_url', fault, saidAs('field_url', { max: SOURCE_URL_BYTES_MAX }))
    }
  }
  return {
    path: path === undefined ? undefined : parsePath(path),
    md5: md5 === undefined ? undefined : parseMd5(md5),
    sha256: sha256 === undefined ? undefined : parseHash(sha256),
    sourceUrl
  }
}

/** With several files nobody could say whose path or hash it is. */
function checkSingle({ path, md5, sha256 }: FormFields, files: number): void {
  if (files < 2) return
  const name = path ? 'path' : md5 ? 'file_hash' : sha256 ? 'sha256' : undefined
  if (name !== undefined) {
    const fault = 'goes with one file only; send the files one by one'
    throw invalid(name, fault, saidAs('field_one_file'))
  }
}

/** VALIDATION for one field of the form. */
export function invalid(field: string, fault: string, params: { readonly cause: Word }): NodeError {
  const cause = new z.ZodError([{ code: 'custom', path: [field], message: fault, params }])
  return new NodeError('VALIDATION', `${field} ${fault}`, { place: 'body' }, { cause })
}
