// tumesh why, history: where an image is and where not, and what became of it.

import { formatSize } from '../base/units.ts'
import type { AnswerOf } from '../client/plan-request.ts'
import { callNode } from './node-client.ts'
import type { Order } from './order.ts'
import { columns, type Terminal } from './terminal.ts'

type File = AnswerOf<'GET /file-sync/api/file-sync/file/{path}'>
/** What is known of bytes, whatever images have them. */
type Copies = AnswerOf<'GET /api/copies/{hash}'>

const INCOMPLETE = 'Not all servers could be asked: there may be more.\n'
const PARTLY =
  'There may be more: not all servers could be asked, or they keep more versions than they tell.\n'

/** SHA-256, CID or MD5. */
const HASH = /^(?:[0-9a-f]{64}|[0-9a-f]{32}|bafkrei[a-z2-7]{52})$/i

/** Exit code 1 if a server that was asked lacks the image. */
export async function runWhy(order: Order, { out }: Terminal): Promise<number> {
  const about = (await copiesOf(order)) ?? (await fileOf(order))
  const { servers, complete } = about
  const head = 'path' in about ? headOf(about) : headOfCopies(about)
  if (order.isJson) out(`${JSON.stringify(about)}\n`)
  else out(`${head}${columns(servers.map(serverRow))}${complete ? '' : INCOMPLETE}`)
  const isGone = 'path' in about && about.deleted
  return isGone || servers.every(({ has }) => has) ? 0 : 1
}

/** Undefined if the word is a path. */
async function copiesOf({ words: [word = ''], target }: Order): Promise<Copies | undefined> {
  if (!HASH.test(word)) return undefined
  const path = { hash: word.toLowerCase() }
  return callNode(target, 'GET /api/copies/{hash}', { path })
}

export async function runHistory(order: Order, { out }: Terminal): Promise<undefined> {
  const file = await fileOf(order)
  if (order.isJson) out(`${JSON.stringify(file.history)}\n`)
  else out(`${columns(file.history.map(historyRow))}${file.complete ? '' : PARTLY}`)
}

function fileOf({ words: [path = ''], target }: Order): Promise<File> {
  return callNode(target, 'GET /file-sync/api/file-sync/file/{path}', { path: { path } })
}

function headOfCopies({ sha256, cid, size, paths }: Copies): string {
  const bytes = size === null ? '' : `, ${formatSize(size)}`
  const images = paths.length === 0 ? ['No image has these bytes now.'] : paths
  return `${sha256}${bytes}\n${cid}\n${images.join('\n')}\n`
}

function headOf(file: File): string {
  const { path, mime_type, sha256, modified_at, writer } = file
  if (file.deleted) {
    const until = file.recoverable_until
    const rest = until ? `; it can be restored until ${until}` : ''
    return `${path} was deleted at ${modified_at} by ${writer}${rest}\n`
  }
  const facts = `${mime_type}, ${formatSize(file.size)}, written at ${modified_at} by ${writer}`
  const shown = file.shown_as ? `in images/ as ${file.shown_as}\n` : ''
  return `${path}: ${facts}\n${sha256}\n${shown}`
}

function serverRow({ name, has, verified_at, reason, next_try_at }: File['servers'][number]) {
  if (has)
    return ['✓', name, verified_at === null ? 'has it' : `has it, verified at ${verified_at}`]
  const next = next_try_at === null ? '' : `; tried again at ${next_try_at}`
  return ['✗', name, `${reason ?? 'does not have it'}${next}`]
}

function historyRow({ at, event, node, sha256, conflict }: File['history'][number]): string[] {
  const lost = conflict ? 'conflict: the other version won' : ''
  return [at, event, node ?? '', sha256 ?? '', lost]
}
