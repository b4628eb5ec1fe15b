// tumesh ls: the images of a node, as they come: it may have millions.

import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import { plainLine } from '../../protocols/message.ts'
import { formatSize } from '../base/units.ts'
import type { AnswerOf } from '../client/plan-request.ts'
import { bytesOf, openNode } from './node-client.ts'
import type { Order } from './order.ts'
import type { Terminal } from './terminal.ts'

type File = AnswerOf<'GET /file-sync/api/file-sync/files'>['files'][number]

export async function runLs(
  { words, options, target, isJson }: Order,
  { out }: Terminal
): Promise<undefined> {
  const [prefix] = words
  const headers = { accept: 'application/x-ndjson' }
  const answer = await openNode(target, 'GET /file-sync/api/file-sync/files', {
    query: { prefix },
    headers
  })
  const input = Readable.from(bytesOf(answer, target), { objectMode: false })
  for await (const line of createInterface({ input })) {
    if (line !== '') out(isJson ? `${line}\n` : `${lineOf(line, options.long === true)}\n`)
  }
  return undefined
}

function lineOf(line: string, isLong: boolean): string {
  const { path, size, modified_at, replicas, state } = JSON.parse(line) as File
  if (!isLong) return plainLine(path)
  const servers = `${replicas}×`.padStart(4)
  const mark = state === 'ok' ? '' : `  (${state})`
  return `${modified_at}  ${formatSize(size).padStart(8)}  ${servers}  ${plainLine(path)}${mark}`
}
