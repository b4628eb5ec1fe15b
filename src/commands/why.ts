// tumesh why, history: where an image is and where not, and what became of it.

import { formatSize } from '../base/units.ts'
import { API, inAddress } from './addresses.ts'
import type { Order } from './catalog.ts'
import { callNode } from './node-client.ts'
import { columns, type Terminal } from './terminal.ts'

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
  readonly servers: readonly {
    readonly name: string
    readonly has: boolean
    readonly verified_at: string | null
    readonly reason: string | null
    readonly next_try_at: string | null
  }[]
  readonly history: readonly {
    readonly at: string
    readonly event: string
    readonly node: string | null
    readonly sha256: string | null
    readonly conflict: boolean
  }[]
}

const INCOMPLETE = 'Not all servers could be asked: there may be more.\n'

/** Exit code 1 if a server that was asked lacks the image. */
export async function runWhy(order: Order, { out }: Terminal): Promise<number> {
  const file = await fileOf(order)
  if (order.isJson) out(`${JSON.stringify(file)}\n`)
  else
    out(`${headOf(file)}${columns(file.servers.map(serverRow))}${file.complete ? '' : INCOMPLETE}`)
  return file.deleted || file.servers.every(({ has }) => has) ? 0 : 1
}

export async function runHistory(order: Order, { out }: Terminal): Promise<undefined> {
  const file = await fileOf(order)
  if (order.isJson) out(`${JSON.stringify(file.history)}\n`)
  else out(`${columns(file.history.map(historyRow))}${file.complete ? '' : INCOMPLETE}`)
}

async function fileOf({ words: [path = ''], target }: Order): Promise<File> {
  return (await callNode(target, 'GET', `${API}/file/${inAddress(path)}`)) as unknown as File
}

function headOf(file: File): string {
  const { path, deleted, size, mime_type, sha256, modified_at, writer } = file
  if (deleted) {
    const until = file.recoverable_until
    const rest = until ? `; it can be restored until ${until}` : ''
    return `${path} was deleted at ${modified_at} by ${writer}${rest}\n`
  }
  return `${path}: ${mime_type}, ${formatSize(size ?? 0)}, written at ${modified_at} by ${writer}\n${sha256}\n`
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
