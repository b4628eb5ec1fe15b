// tumesh why, history: where an image is and where not, and what became of it.

import { formatSize } from '../base/units.ts'
import { API, inAddress } from './addresses.ts'
import type { Order } from './catalog.ts'
import { callNode } from './node-client.ts'
import { columns, type Terminal } from './terminal.ts'

interface Server {
  readonly name: string
  readonly has: boolean
  readonly verified_at: string | null
  readonly reason: string | null
  readonly next_try_at: string | null
}

/** What is known of bytes, whatever images have them. */
interface Copies {
  readonly sha256: string
  readonly cid: string
  readonly size: number | null
  readonly paths: readonly string[]
  readonly servers: readonly Server[]
  readonly complete: boolean
}

interface File {
  readonly path: string
  readonly deleted: boolean
  readonly size: number | null
  readonly sha256: string | null
  readonly mime_type: string | null
  readonly modified_at: string
  readonly writer: string
  readonly recoverable_until?: string | null
  readonly complete: boolean
  readonly shown_as?: string | null
  readonly servers: readonly Server[]
  readonly history: readonly {
    readonly at: string
    readonly event: string
    readonly node: string | null
    readonly sha256: string | null
    readonly conflict: boolean
  }[]
}

const INCOMPLETE = 'Not all servers could be asked: there may be more.\n'

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
  const url = `/api/copies/${inAddress(word.toLowerCase())}`
  return (await callNode(target, 'GET', url)) as unknown as Copies
}

export async function runHistory(order: Order, { out }: Terminal): Promise<undefined> {
  const file = await fileOf(order)
  if (order.isJson) out(`${JSON.stringify(file.history)}\n`)
  else out(`${columns(file.history.map(historyRow))}${file.complete ? '' : INCOMPLETE}`)
}

async function fileOf({ words: [path = ''], target }: Order): Promise<File> {
  return (await callNode(target, 'GET', `${API}/file/${inAddress(path)}`)) as unknown as File
}

function headOfCopies({ sha256, cid, size, paths }: Copies): string {
  const bytes = size === null ? '' : `, ${formatSize(size)}`
  const images = paths.length === 0 ? ['No image has these bytes now.'] : paths
  return `${sha256}${bytes}\n${cid}\n${images.join('\n')}\n`
}

function headOf(file: File): string {
  const { path, deleted, size, mime_type, sha256, modified_at, writer } = file
  if (deleted) {
    const until = file.recoverable_until
    const rest = until ? `; it can be restored until ${until}` : ''
    return `${path} was deleted at ${modified_at} by ${writer}${rest}\n`
  }
  const facts = `${mime_type}, ${formatSize(size ?? 0)}, written at ${modified_at} by ${writer}`
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
