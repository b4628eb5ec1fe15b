// The whole index, out and in again, as gzipped lines.

import type { Readable } from 'node:stream'
import { createGunzip, createGzip } from 'node:zlib'
import type { FastifyReply } from 'fastify'
import { z } from 'zod'
import { saidAs } from '../../base/cause.ts'
import { NodeError } from '../../base/errors.ts'
import { backupLines, restoreBackup } from '../../flows/backup.ts'
import { messageFor } from '../messages.ts'
import type { HttpParts } from '../ports.ts'
import { askForBody } from '../request-body.ts'
import type { ApiRequest, Route } from '../route.ts'
import { readableOf } from '../stream-list.ts'

const restoredShape = z.object({
  status: z.literal('success'),
  message: z.string(),
  entries: z.int(),
  taken: z.int().describe('Those that were not known here, or older here'),
  left_out: z.int().describe('Images that may have been deleted long ago'),
  found: z.int().describe('Images whose bytes were lacking and are on the disk after all')
})
/** A line ends somewhere: what has none is no backup, and must not fill the memory. */
const INFLATED_CHUNK_BYTES = 64 * 1024

export function backupRoutes(parts: HttpParts): Route[] {
  return [
    {
      method: 'GET',
      url: '/api/backup',
      who: 'admin',
      tag: 'operations',
      summary: 'The index with all that it remembers, as gzipped lines of JSON',
      answers: { 200: { means: 'The backup' } },
      async handle(request, reply) {
        send(parts, request, reply)
      }
    },
    {
      method: 'POST',
      url: '/api/backup',
      who: 'admin',
      tag: 'operations',
      summary: 'Take in a backup: what is newer here stays',
      bodyKind: 'raw',
      answers: {
        200: { means: 'Taken in', shape: restoredShape },
        400: { means: 'It is no backup, or not whole' }
      },
      handle: (request, reply) => receive(parts, request, reply)
    }
  ]
}

function send({ flows }: HttpParts, { signal }: ApiRequest, reply: FastifyReply): void {
  const lines = readableOf(withEnds(backupLines(flows, signal)))
  const zipped = createGzip()
  lines.on('error', (error) => zipped.destroy(error))
  zipped.on('close', () => lines.destroy())
  reply.header('Content-Disposition', 'attachment; filename="tumesh-backup.ndjson.gz"')
  reply.type('application/gzip').send(lines.pipe(zipped))
}

async function* withEnds(lines: AsyncIterable<string>): AsyncGenerator<string> {
  for await (const line of lines) yield `${line}\n`
}

async function receive(
  { flows }: HttpParts,
  request: ApiRequest,
  reply: FastifyReply
): Promise<z.output<typeof restoredShape>> {
  askForBody(request.raw, reply.raw)
  const unzipped = createGunzip({ chunkSize: INFLATED_CHUNK_BYTES })
  request.raw.on('error', (error) => unzipped.destroy(error))
  const lines = linesOf(request.raw.pipe(unzipped))
  const done = await restoreBackup(flows, lines, request.signal)
  const { entries, taken, leftOut: left_out, found } = done
  return {
    status: 'success',
    message: messageFor(
      request,
      `${entries} entries read, ${taken} of them were news here; ${left_out} images that may have been deleted long ago were left out.`,
      `读取了 ${entries} 条记录，其中 ${taken} 条是新的；${left_out} 张可能早已删除的图片未导入。`
    ),
    ...{ entries, taken, left_out, found }
  }
}

/** Throws BAD_REQUEST for what is not gzip, or ends before its end. */
async function* linesOf(stream: Readable): AsyncGenerator<string> {
  let text = ''
  try {
    for await (const chunk of stream.setEncoding('utf8')) {
      text += chunk
      const lines = text.split('\n')
      text = lines.pop() ?? ''
      if (text.length > 4 * INFLATED_CHUNK_BYTES) throw notOne('a line has no end')
      yield* lines
    }
  } catch (error) {
    const { code } = error as { code?: string }
    if (code?.startsWith('Z_')) throw notOne('it is not gzip, or cut off')
    throw error
  }
  if (text !== '') yield text
}

function notOne(what: string): NodeError {
  return new NodeError(
    'BAD_REQUEST',
    `This is no backup of Tumesh: ${what}.`,
    saidAs('backup_none')
  )
}
