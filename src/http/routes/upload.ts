// POST /file-sync/api/file-sync/upload: images as a form.

import type { FastifyReply } from 'fastify'
import { z } from 'zod'
import type { ContentHash } from '../../../protocols/hash.ts'
import { NodeError } from '../../base/errors.ts'
import { checkExtension, type Ingested, ingest } from '../../flows/ingest.ts'
import { openBlob } from '../../flows/read.ts'
import { describeUpload, type Uploaded, uploadedShape, uploadStatus } from '../describe-upload.ts'
import { errorBody } from '../error-body.ts'
import { messageFor } from '../messages.ts'
import type { ApiOptions, HttpParts } from '../ports.ts'
import { askForBody, bodyLength } from '../request-body.ts'
import type { ApiRequest, Route } from '../route.ts'
import {
  FILES_MAX,
  FORM_BYTES_MAX,
  type FormFields,
  invalid,
  readUploadForm,
  type StagedFile
} from '../upload-form.ts'
import type { UploadGate } from '../upload-gate.ts'

const formShape = z.object({
  file: z.array(z.file()).min(1).max(FILES_MAX),
  path: z.string().optional().describe('Where the image should go; without it a name is made'),
  file_hash: z.string().optional().describe('MD5 that the bytes must have'),
  sha256: z.string().optional().describe('SHA-256 that they must have; may come without a file'),
  source_url: z.string().optional()
})
const refusedFileShape = z.object({
  status: z.literal('error'),
  filename: z.string(),
  detail: z.unknown(),
  code: z.string()
})
const severalShape = z.object({
  status: z.literal('success'),
  message: z.string(),
  files: z.array(z.union([uploadedShape, refusedFileShape]))
})
const answerShape = z.union([uploadedShape, severalShape])

export function uploadRoutes(parts: HttpParts, options: ApiOptions, gate: UploadGate): Route[] {
  return [
    {
      method: 'POST',
      url: '/file-sync/api/file-sync/upload',
      who: 'write',
      tag: 'documented',
      summary: `Add images: up to ${FILES_MAX} files in one request`,
      body: formShape,
      bodyKind: 'multipart',
      answers: {
        200: { means: 'The bytes were here already', shape: answerShape },
        201: { means: 'Stored, durably', shape: answerShape },
        400: { means: 'A hash does not match, or the form is broken' },
        404: { means: 'Only a hash was sent, and no image here has it: send the file' },
        413: { means: 'Larger than file_storage.max_file_size' },
        415: { means: 'The extension is not allowed, or the bytes are something else' },
        422: { means: 'The form lacks something, or the path is not possible' },
        503: { means: 'Too many uploads at one time' },
        507: { means: 'The disk is full' }
      },
      handle: (request, reply) => receive(parts, options, gate, request, reply)
    }
  ]
}

async function receive(
  parts: HttpParts,
  { ingest: limits }: ApiOptions,
  gate: UploadGate,
  request: ApiRequest,
  reply: FastifyReply
): Promise<unknown> {
  const bytes = bodyLength(request.raw)
  checkFormLength(bytes, limits.maxFileSizeBytes)
  parts.flows.room.demand(bytes ?? 0)
  const leave = await gate.enter(request.signal)
  try {
    askForBody(request.raw, reply.raw)
    const { files, fields } = await readUploadForm(parts.flows, request, {
      bytesMax: limits.maxFileSizeBytes,
      beforeFile({ path }) {
        if (path !== undefined) checkExtension(limits, path)
      }
    })
    const [first = await stageHeld(parts, fields.sha256, request.signal), ...more] = files
    const take = ({ staged, fileName }: StagedFile) =>
      ingest(parts.flows, limits, staged, { ...fields, fileName, replace: 'always' })
    if (more.length > 0) return await takeSeveral(parts, files, take, request, reply)
    const done = await take(first)
    reply.code(uploadStatus(done))
    return describeUpload(parts, request, done)
  } finally {
    leave()
  }
}

/**
 * How long the single files are can't be known before they are read; together they can't be longer
 * than this.
 */
function checkFormLength(bytes: number | undefined, fileBytesMax: number): void {
  const bytesMax = FILES_MAX * fileBytesMax + FORM_BYTES_MAX
  if (bytes === undefined || bytes <= bytesMax) return
  throw new NodeError('BLOB_TOO_LARGE', `A request may have ${bytesMax} bytes. Send fewer files.`)
}

/**
 * Bytes that are here already, as if the client had sent them again. Throws VALIDATION, or
 * NOT_FOUND.
 */
async function stageHeld(
  { flows }: HttpParts,
  hash: FormFields['sha256'],
  signal: AbortSignal
): Promise<StagedFile> {
  if (hash === undefined) throw invalid('file', 'is missing: send the image as the field "file"')
  const [path] = await flows.index.pathsOf(hash, 1)
  const blob = path === undefined ? undefined : await openHeld(flows, hash)
  if (blob === undefined || path === undefined) {
    throw new NodeError('NOT_FOUND', 'These bytes are not here: send the file.', { hash })
  }
  try {
    const source = blob.read(0, blob.bytes)
    return {
      fileName: path,
      staged: await flows.store.stage(source, { bytesMax: blob.bytes, signal })
    }
  } finally {
    blob.close()
  }
}

async function openHeld(flows: HttpParts['flows'], hash: ContentHash) {
  try {
    return (await openBlob(flows, hash))?.blob
  } catch (error) {
    if (error instanceof NodeError && ['GONE', 'NOT_AVAILABLE'].includes(error.code))
      return undefined
    throw error
  }
}

/**
 * Each on its own: what is refused does not take the others with it, but the answer is an error
 * then.
 */
async function takeSeveral(
  parts: HttpParts,
  files: readonly StagedFile[],
  take: (file: StagedFile) => Promise<Ingested>,
  request: ApiRequest,
  reply: FastifyReply
): Promise<unknown> {
  const answers: (Uploaded | z.output<typeof refusedFileShape>)[] = []
  let status = 200
  let failure: ReturnType<typeof errorBody> | undefined
  for (const file of files) {
    try {
      const done = await take(file)
      answers.push(describeUpload(parts, request, done))
      status = Math.max(status, uploadStatus(done))
    } catch (error) {
      const refusal = errorBody(error)
      failure ??= refusal
      answers.push({ status: 'error', filename: file.fileName, ...refusal.body })
    }
  }
  if (failure === undefined) {
    reply.code(status)
    const message = messageFor(
      request,
      `${files.length} images were taken.`,
      `已接收 ${files.length} 张图片。`
    )
    return { status: 'success', message, files: answers }
  }
  const taken = answers.filter((answer) => answer.status === 'success').length
  const detail = `${taken} of ${files.length} images were taken; "files" says what became of each. ${failure.body.detail}`
  reply.code(failure.status).headers(failure.headers)
  return { detail, code: failure.body.code, files: answers }
}
