import { afterEach, beforeEach, expect, test } from 'vitest'
import { recordScan } from '../../../../src/flows/last-scan.ts'
import { remove } from '../../../../src/flows/remove.ts'
import { verifyBlob } from '../../../../src/flows/verify-blob.ts'
import { storageStatusRoutes } from '../../../../src/http/routes/storage-status.ts'
import { syncStatusRoutes } from '../../../../src/http/routes/sync-status.ts'
import { type MemoryNode, openMemoryNode, tinyImage } from '../../../support/memory-node.ts'
import { serveRoutes } from '../../../support/serve-routes.ts'

let node: MemoryNode
beforeEach(async () => {
  node = await openMemoryNode()
})
afterEach(() => node.close())

async function get(url: string, options = node.options) {
  const routes = [
    ...storageStatusRoutes(node.http, options),
    ...syncStatusRoutes(node.http, options)
  ]
  const answer = await serveRoutes(routes).inject(url)
  expect(answer.statusCode).toBe(200)
  return answer.json()
}

const STORAGE = '/api/storage-status'
const SYNC = '/file-sync/api/file-sync/status'
const off = () => ({ ...node.options, sync: { enabled: false, verifyIntegrity: true } })

test('the storage status has the documented fields and no others', async () => {
  const status = await get(STORAGE)
  expect(Object.keys(status).sort()).toEqual(
    [
      'distributed_storage',
      'status_causes',
      ...['status', 'status_reasons', 'total_files', 'total_size', 'local_files', 'local_size'],
      ...['unique_blobs', 'sync_queue_size', 'pending_bytes', 'missing_files'],
      ...['under_replicated_files', 'corrupted_files', 'quarantined_files', 'deleted_files'],
      'blocked_files',
      ...['review_files', 'trash_size', 'disk', 'servers', 'integrity', 'node']
    ].sort()
  )
  expect(Object.keys(status.disk)).toEqual([
    ...[
      'total',
      'used',
      'free',
      'reserved',
      'inodes_total',
      'inodes_free',
      'inodes_reserved',
      'state'
    ]
  ])
  expect(Object.keys(status.integrity)).toEqual([
    ...['last_scan_at', 'next_scan_at', 'scanned_files'],
    ...['corrupted_files', 'repaired_files', 'unrepairable_files']
  ])
  expect(Object.keys(status.node)).toEqual([
    ...['name', 'peer_id', 'cluster', 'version', 'uptime_seconds', 'addresses', 'pid'],
    'signed_urls'
  ])
})

test('a lone node says nothing it does not know', async () => {
  node.clock.advance(61_500)
  const status = await get(STORAGE)
  expect(status).toMatchObject({
    distributed_storage: true,
    status: 'healthy',
    status_reasons: [],
    servers: [],
    disk: { total: 1_000_000, inodes_free: 5000, state: 'ok' },
    // it has not begun with the first one, but it is not off: null would say so
    integrity: { last_scan_at: null, next_scan_at: '2023-12-14T22:14:21.500Z', scanned_files: 0 },
    node: { name: 'a', peer_id: 'peer-a', uptime_seconds: 61, addresses: [], pid: process.pid }
  })
})

test('counts are those of the index: live, held, damaged, missing, deleted', async () => {
  const damaged = await node.put('damaged.svg', tinyImage(1))
  const lost = await node.put('lost.svg', tinyImage(2))
  await node.put('whole.svg', tinyImage(3))
  await node.put('again.svg', tinyImage(3))
  const gone = await node.put('gone.svg', tinyImage(4))
  await remove(node.flows, node.options, gone.entry.path as never)
  await node.flows.settler.idle()
  node.store.damage(damaged.entry.hash, 'by writing')
  node.store.lose(lost.entry.hash)
  await verifyBlob(node.flows, damaged.entry.hash)
  await verifyBlob(node.flows, lost.entry.hash)

  const status = await get(STORAGE)
  const size = tinyImage(1).length
  expect(status).toMatchObject({
    status: 'degraded',
    total_files: 4,
    total_size: 4 * size,
    local_files: 2,
    local_size: 2 * size,
    unique_blobs: 1,
    sync_queue_size: 2,
    pending_bytes: 2 * size,
    missing_files: 1,
    corrupted_files: 1,
    under_replicated_files: 2,
    deleted_files: 1,
    trash_size: size
  })
  expect(status.status_reasons).toHaveLength(2)
  expect(await get(SYNC)).toMatchObject({
    status: 'degraded',
    sync_queue_size: 2,
    progress: { done_files: 2, total_files: 4, percent: 50, eta_seconds: null }
  })
})

test('the last scan is shown', async () => {
  const scan = { scannedFiles: 9, corruptedFiles: 1, repairedFiles: 0, unrepairableFiles: 1 }
  await recordScan(node.flows, { atMs: Date.UTC(2026, 0, 2), ...scan })
  const { integrity } = await get(STORAGE)
  expect(integrity).toEqual({
    last_scan_at: '2026-01-02T00:00:00.000Z',
    next_scan_at: '2023-12-14T22:13:20.000Z',
    scanned_files: 9,
    corrupted_files: 1,
    repaired_files: 0,
    unrepairable_files: 1
  })
})

test('with file_sync off the storage status says so and has the local counts', async () => {
  await node.put('a.svg', tinyImage(1))
  const status = await get(STORAGE, off())
  expect(status).toMatchObject({
    distributed_storage: false,
    message: '分布式存储未启用',
    total_files: 1,
    local_files: 1
  })
  expect(status).not.toHaveProperty('servers')
  expect(status).not.toHaveProperty('sync_queue_size')
})

test('the sync status has the documented fields and no others', async () => {
  const status = await get(SYNC)
  expect(Object.keys(status)).toEqual([
    ...['status', 'server_name', 'peer_id', 'version', 'uptime_seconds', 'sync_enabled'],
    ...['verify_integrity', 'total_files', 'total_size', 'sync_queue_size', 'failed_files'],
    ...['bytes_received', 'bytes_sent', 'files_received', 'files_sent'],
    ...['progress', 'active_transfers', 'servers', 'last_sync', 'last_error']
  ])
  expect(Object.keys(status.progress)).toEqual([
    ...['done_files', 'total_files', 'done_bytes', 'total_bytes', 'percent', 'rate', 'eta_seconds']
  ])
})

test('a lone whole node is idle; one with file_sync off is stopped', async () => {
  expect(await get(SYNC)).toMatchObject({
    status: 'idle',
    server_name: 'a',
    sync_enabled: true,
    servers: [],
    active_transfers: [],
    progress: { percent: 100, eta_seconds: 0 },
    last_sync: null,
    last_error: null
  })
  expect(await get(SYNC, off())).toMatchObject({ status: 'stopped', sync_enabled: false })
})

test('one missing image of many never rounds up to all', async () => {
  const real = node.http.status()
  const counts = { ...real.counts, images: 2001, heldImages: 2000 }
  const http = { ...node.http, status: () => ({ ...real, counts }) }
  const answer = await serveRoutes(syncStatusRoutes(http, node.options)).inject(SYNC)
  expect(answer.json().progress).toMatchObject({ percent: 99.9, eta_seconds: null })
})
