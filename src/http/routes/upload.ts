// POST /file-sync/api/file-sync/upload: images as a form.

import type { FastifyReply } from 'fastify'
import { z } from 'zod'
import type { ContentHash } from '../../../protocols/hash.ts'
import { saidAs } from '../../base/cause.ts'
import { NodeError } from '../../base/errors.ts'
import { formatSize } from '../../base/units.ts'
import { checkExtension, ingest } from '../../flows/ingest.ts'
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
import { waitFields, whenReplicated } from '../wait-for-replicas.ts'

const formShape = z.object({
  file: z.array(z.file()).min(1).max(FILES_MAX),
  path: z.string().optional().describe('Where the image should go; without it a name is made'),
  file_hash: z.string().optional().describe('MD5 that the bytes must have'),
  sha256: z.string().optional().describe('SHA-256 that they must have; may come without a file'),
  source_url: z.string().optional()
})
/** On an address that is documented to users, what is not known is ignored. */
const query = z.object(waitFields)
const refusedFileShape = z.object({
  status: z.literal('error'),
  filename: z.string(),
  detail: z.unknown(),
  code: z.string()
})
const severalShape = z.object({
  status: z.enum(['success', 'accepted']),
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
      query,
      body: formShape,
      bodyKind: 'multipart',
      answers: {
        200: { means: 'The bytes were here already', shape: answerShape },
        201: { means: 'Stored, durably, on as many nodes as were asked for', shape: answerShape },
        202: { means: 'Stored, but not yet on as many nodes', shape: answerShape },
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

/** One file of a request: what became of it, or why it was refused. */
type Outcome =
  | { readonly answer: Uploaded; readonly code: 200 | 201 }
  | { readonly fileName: string; readonly refusal: ReturnType<typeof errorBody> }

async function receive(
  parts: HttpParts,
  options: ApiOptions,
  gate: UploadGate,
  request: ApiRequest,
  reply: FastifyReply
): Promise<unknown> {
  const wait = request.query as z.output<typeof query>
  const stored = await store(parts, options, gate, request, reply)
  const outcomes = await Promise.all(
    stored.map(async (outcome) =>
      'answer' in outcome
        ? { ...outcome, answer: await whenReplicated(parts, request, wait, outcome.answer) }
        : outcome
    )
  )
  const [first, ...more] = outcomes
  if (more.length > 0 || first === undefined || !('answer' in first)) {
    return answerSeveral(outcomes, request, reply)
  }
  reply.code(first.answer.status === 'accepted' ? 202 : first.code)
  return first.answer
}

/** Takes the images in; they are durable here then. */
async function store(
  parts: HttpParts,
  { ingest: limits }: ApiOptions,
  gate: UploadGate,
  request: ApiRequest,
  reply: FastifyReply
): Promise<readonly Outcome[]> {
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
    const take = async ({ staged, fileName }: StagedFile) => {
      const upload = { ...fields, fileName, replace: 'always' } as const
      const done = await ingest(parts.flows, limits, staged, upload)
      return { answer: describeUpload(parts, request, done), code: uploadStatus(done) }
    }
    return more.length === 0 ? [await take(first)] : await takeSeveral(files, take)
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
  throw new NodeError(
    'BLOB_TOO_LARGE',
    `A request may have ${bytesMax} bytes. Send fewer files.`,
    saidAs('request_large', { max: formatSize(bytesMax) })
  )
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
  if (hash === undefined) {
    const fault = 'is missing: send the image as the field "file"'
    throw invalid('file', fault, saidAs('field_file_missing'))
  }
  const [path] = await flows.index.pathsOf(hash, 1)
  const blob = path === undefined ? undefined : await openHeld(flows, hash)
  if (blob === undefined || path === undefined) {
    const details = { hash, ...saidAs('bytes_to_send') }
    throw new NodeError('NOT_FOUND', 'These bytes are not here: send the file.', details)
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

/** Each on its own: what is refused does not take the others with it. */
async function takeSeveral(
  files: readonly StagedFile[],
  take: (file: StagedFile) => Promise<Outcome>
): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = []
  for (const file of files) {
    try {
      outcomes.push(await take(file))
    } catch (error) {
      outcomes.push({ fileName: file.fileName, refusal: errorBody(error) })
    }
  }
  return outcomes
}

/** If one of them is refused, the answer is an error. */
function answerSeveral(
  outcomes: readonly Outcome[],
  request: ApiRequest,
  reply: FastifyReply
): unknown {
  const files = outcomes.map((one) =>
    'answer' in one
      ? one.answer
      : { status: 'error' as const, filename: one.fileName, ...one.refusal.body }
  )
  const [failure] = outcomes.flatMap((one) => ('refusal' in one ? one.refusal : []))
  if (failure === undefined) {
    const isEnough = files.every(({ status }) => status === 'success')
    reply.code(isEnough ? codeOf(outcomes) : 202)
    const message = messageFor(
      request,
      `${files.length} images were taken.`,
      `已接收 ${files.length} 张图片。`
    )
    return { status: isEnough ? 'success' : 'accepted', message, files }
  }
  const taken = files.filter(({ status }) => status !== 'error').length
  const detail = `${taken} of ${files.length} images were taken; "files" says what became of each. ${failure.body.detail}`
  reply.code(failure.status).headers(failure.headers)
  return { detail, code: failure.body.code, files }
}

function codeOf(outcomes: readonly Outcome[]): number {
  return Math.max(...outcomes.map((one) => ('code' in one ? one.code : 200)))
}
