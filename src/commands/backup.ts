// tumesh backup FILE: the index of a running node, into a file and back. tumesh export FILE: a list
// of the images that needs no program.

import { formatSize } from '../base/units.ts'
import { namedTarget } from '../store/named-target.ts'
import { readNamedFile } from '../store/regular-file.ts'
import { writeFileAtomic } from '../store/small-file.ts'
import { bytesOf, callNode, openNode } from './node-client.ts'
import type { Order } from './order.ts'
import type { Terminal } from './terminal.ts'

const PROGRESS_MS = 1000
const NEWLINE = 0x0a

export async function runBackup(order: Order, terminal: Terminal): Promise<undefined> {
  if (order.options.restore === true) return restore(order, terminal)
  const { file, size } = await save('GET /api/backup', order, terminal)
  const sentence = `${file} holds the index. The images themselves are in the data folder and on the other servers.`
  terminal.out(order.isJson ? `${JSON.stringify({ file, size })}\n` : `${sentence}\n`)
}

export async function runExport(order: Order, terminal: Terminal): Promise<undefined> {
  const { file, size, lines } = await save('GET /file-sync/api/file-sync/files', order, terminal)
  const account = { file, size, images: lines }
  terminal.out(
    order.isJson ? `${JSON.stringify(account)}\n` : `${file} lists the images, one a line.\n`
  )
}

const TYPES = {
  'GET /api/backup': 'application/gzip',
  'GET /file-sync/api/file-sync/files': 'application/x-ndjson'
} as const

interface Saved {
  /** As it was named. */
  readonly file: string
  readonly size: number
  /** Of a text. */
  readonly lines: number
}

async function save(
  operation: keyof typeof TYPES,
  { words: [file = ''], target }: Order,
  { clock, progress }: Terminal
): Promise<Saved> {
  const place = namedTarget(file)
  const answer = await openNode(target, operation, { headers: { accept: TYPES[operation] } })
  let [size, lines, saidMs] = [0, 0, clock.monotonicMs()]
  async function* countedBytes() {
    for await (const piece of bytesOf(answer, target)) {
      size += piece.byteLength
      lines += newlinesIn(piece)
      if (clock.monotonicMs() - saidMs >= PROGRESS_MS) {
        saidMs = clock.monotonicMs()
        progress(formatSize(size), { size })
      }
      yield piece
    }
  }
  await writeFileAtomic(place, countedBytes(), { mode: 0o600 })
  return { file, size, lines }
}

function newlinesIn(piece: Uint8Array): number {
  let count = 0
  for (let at = piece.indexOf(NEWLINE); at >= 0; at = piece.indexOf(NEWLINE, at + 1)) count++
  return count
}

async function restore(
  { words: [file = ''], target, isJson }: Order,
  { out }: Terminal
): Promise<undefined> {
  const bytes = () => readNamedFile(file)
  const answer = await callNode(target, 'POST /api/backup', { bytes })
  const { message, found } = answer
  const also = `Images that were lacking and are on the disk after all: ${found}.\n`
  out(isJson ? `${JSON.stringify(answer)}\n` : `${message}\n${found === 0 ? '' : also}`)
}
