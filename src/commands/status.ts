// tumesh status: is all well, and if not, what is to be done?

import { sleep } from '../base/clock.ts'
import { formatSize } from '../base/units.ts'
import type { AnswerOf } from '../client/plan-request.ts'
import { callNode } from './node-client.ts'
import type { Order } from './order.ts'
import { columns, counted, lasting, type Terminal } from './terminal.ts'

const WATCH_MS = 2000
/** Clears the screen and goes to its top. */
const CLEAR = '\u001b[2J\u001b[H'

type Storage = AnswerOf<'GET /api/storage-status'>
type Meshed = Extract<Storage, { readonly distributed_storage: true }>
type Server = Meshed['servers'][number]
type Sync = AnswerOf<'GET /file-sync/api/file-sync/status'>

/** Exit code 1 while the node is not healthy. */
export async function runStatus(
  { target, options, isJson }: Order,
  { out, isTerminal, clock }: Terminal
): Promise<number> {
  for (;;) {
    const storage = await callNode(target, 'GET /api/storage-status')
    const sync = await callNode(target, 'GET /file-sync/api/file-sync/status')
    const text = isJson ? `${JSON.stringify({ storage, sync })}\n` : statusText(storage, sync)
    out(options.watch === true && isTerminal && !isJson ? CLEAR + text : text)
    if (options.watch !== true) return storage.status === 'healthy' ? 0 : 1
    await sleep(clock, WATCH_MS)
  }
}

/** A node that stands alone says nothing of other servers. */
const ALONE = { servers: [], review_files: 0, sync_queue_size: 0, pending_bytes: 0 }

export function statusText(said: Storage, { progress }: Sync): string {
  const storage = { ...ALONE, ...said }
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

type Counted = Storage & Pick<Meshed, keyof typeof ALONE>

function heldText(storage: Counted): string {
  const { total_files, local_files, corrupted_files, review_files, blocked_files } = storage
  const held = local_files === total_files ? 'all of them here' : `${local_files} of them here`
  const damaged = corrupted_files > 0 ? `, ${corrupted_files} damaged` : ''
  const review = review_files > 0 ? `, ${counted(review_files, 'image')} to review` : ''
  const blocked = blocked_files > 0 ? `, ${blocked_files} blocked` : ''
  return `${held}${damaged}${review}${blocked}`
}

function comingLines(
  { sync_queue_size, pending_bytes }: Counted,
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
