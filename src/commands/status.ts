// tumesh status: is all well, and if not, what is to be done?

import { sleep } from '../base/clock.ts'
import { formatSize } from '../base/units.ts'
import { API } from './addresses.ts'
import type { Order } from './catalog.ts'
import { callNode } from './node-client.ts'
import { columns, counted, lasting, type Terminal } from './terminal.ts'

const WATCH_MS = 2000
/** Clears the screen and goes to its top. */
const CLEAR = '\u001b[2J\u001b[H'

interface Server {
  readonly name: string
  readonly status: string
  readonly host: string
  readonly missing_files: number
  readonly missing_bytes: number
  readonly eta_seconds: number | null
  readonly latency_ms: number | null
  readonly last_error: string | null
}

interface Storage {
  readonly status: string
  readonly status_reasons: readonly string[]
  readonly total_files: number
  readonly total_size: number
  readonly local_files: number
  readonly sync_queue_size: number
  readonly pending_bytes: number
  readonly corrupted_files: number
  readonly review_files: number
  readonly blocked_files?: number
  readonly disk: { readonly free: number; readonly total: number; readonly state: string }
  readonly servers: readonly Server[]
  readonly node: {
    readonly name: string
    readonly cluster: string
    readonly version: string
    readonly uptime_seconds: number
  }
}

interface Sync {
  readonly progress: { readonly rate: number; readonly eta_seconds: number | null }
}

/** Exit code 1 while the node is not healthy. */
export async function runStatus(
  { target, options, isJson }: Order,
  { out, isTerminal, clock }: Terminal
): Promise<number> {
  for (;;) {
    const storage = await callNode(target, 'GET', '/api/storage-status')
    const sync = await callNode(target, 'GET', `${API}/status`)
    const text = isJson
      ? `${JSON.stringify({ storage, sync })}\n`
      : statusText(storage as unknown as Storage, sync as unknown as Sync)
    out(options.watch === true && isTerminal && !isJson ? CLEAR + text : text)
    if (options.watch !== true) return storage.status === 'healthy' ? 0 : 1
    await sleep(clock, WATCH_MS)
  }
}

export function statusText(storage: Storage, { progress }: Sync): string {
  const { node, disk, servers } = storage
  const lines = [
    `${node.name} is ${storage.status} (Tumesh ${node.version}, cluster ${node.cluster}, up ${lasting(node.uptime_seconds)})`,
    ...storage.status_reasons.map((reason) => `  ! ${reason}`),
    '',
    `${counted(storage.total_files, 'image')}, ${formatSize(storage.total_size)}; ${heldText(storage)}`,
    ...comingLines(storage, progress),
    `disk ${disk.state}: ${formatSize(disk.free)} of ${formatSize(disk.total)} free`,
    ''
  ]
  const about = servers.length === 0 ? 'No other servers.\n' : columns(servers.map(serverRow))
  return `${lines.join('\n')}\n${about}`
}

function heldText(storage: Storage): string {
  const { total_files, local_files, corrupted_files, review_files, blocked_files = 0 } = storage
  const held = local_files === total_files ? 'all of them here' : `${local_files} of them here`
  const damaged = corrupted_files > 0 ? `, ${corrupted_files} damaged` : ''
  const review = review_files > 0 ? `, ${counted(review_files, 'image')} to review` : ''
  const blocked = blocked_files > 0 ? `, ${blocked_files} blocked` : ''
  return `${held}${damaged}${review}${blocked}`
}

function comingLines(
  { sync_queue_size, pending_bytes }: Storage,
  { rate, eta_seconds }: Sync['progress']
): string[] {
  if (sync_queue_size === 0) return []
  const pace = rate > 0 ? `, ${formatSize(rate)}/s` : ''
  const left = eta_seconds === null ? '' : `, about ${lasting(eta_seconds)}`
  return [`coming: ${counted(sync_queue_size, 'blob')}, ${formatSize(pending_bytes)}${pace}${left}`]
}

function serverRow(server: Server): string[] {
  const { name, status, host, missing_files, missing_bytes, eta_seconds, latency_ms } = server
  const eta = eta_seconds === null ? '' : `, about ${lasting(eta_seconds)}`
  const lacks =
    missing_files === 0
      ? ''
      : `lacks ${counted(missing_files, 'image')}, ${formatSize(missing_bytes)}${eta}`
  const latency = latency_ms === null ? '' : `${latency_ms} ms`
  return [name, status, host, latency, server.last_error ?? lacks]
}
