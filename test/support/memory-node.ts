// One node in memory: real index, flows and content checks over a store, a view and a clock that
// tests control.

import { hash as digest } from 'node:crypto'
import type { ContentHash, Md5 } from '../../protocols/hash.ts'
import { parsePath } from '../../protocols/path.ts'
import { type Clock, type Random, systemRandom } from '../../src/base/clock.ts'
import { noFailPoints } from '../../src/base/fail-point.ts'
import { KeyedLock } from '../../src/base/keyed-lock.ts'
import { silentLog } from '../../src/base/log.ts'
import { TaskBoard } from '../../src/base/task-board.ts'
import { Packing } from '../../src/blob-sync/packing.ts'
import { Traffic } from '../../src/blob-sync/traffic.ts'
import { createInspector } from '../../src/content/inspect.ts'
import { AuditLog } from '../../src/flows/audit.ts'
import { Blocks } from '../../src/flows/blocks.ts'
import { Brakes } from '../../src/flows/brakes.ts'
import { followConfirmations } from '../../src/flows/decide-brakes.ts'
import { BlockEnforcer } from '../../src/flows/enforce-blocks.ts'
import { Feed } from '../../src/flows/feed.ts'
import { type Ingested, type IngestOptions, ingest } from '../../src/flows/ingest.ts'
import { Journal } from '../../src/flows/journal.ts'
import type { Seal } from '../../src/flows/keys.ts'
import type { FlowParts, Locks } from '../../src/flows/parts.ts'
import { Settler } from '../../src/flows/settle.ts'
import { type DiskStatus, statusOf } from '../../src/flows/status.ts'
import { tellFeed } from '../../src/flows/tell-feed.ts'
import type { ApiOptions, HttpParts } from '../../src/http/ports.ts'
import { Sessions } from '../../src/http/sessions.ts'
import type { ImageIndex } from '../../src/index/image-index.ts'
import { openIndex } from '../../src/index/open-index.ts'
import type { Database } from '../../src/index/tables.ts'
import type { BlobStore } from '../../src/store/blob-store.ts'
import type { ImageView } from '../../src/store/image-view.ts'
import { MemoryBlobs } from '../../src/store/memory-blobs.ts'
import { MemoryView } from '../../src/store/memory-view.ts'
import { BreakableLevel } from './breakable-level.ts'
import { ManualClock } from './manual-clock.ts'

export const TEST_INGEST: IngestOptions = {
  maxFileSizeBytes: 10_000_000,
  allowedExtensions: new Set(['jpg', 'png', 'gif', 'bmp', 'svg']),
  strict: false,
  minPixels: 0,
  maxPixels: 0
}

export const TEST_DISK: DiskStatus = {
  total: 1_000_000,
  used: 400_000,
  free: 600_000,
  reserved: 100_000,
  inodesFree: 5000,
  state: 'ok',
  sinceMs: 0
}

/** The bytes 0 to 31. */
export const TEST_SIGNING_KEY = Buffer.from(Array.from({ length: 32 }, (_, n) => n)).toString('hex')

/** Of a mesh without a secret. */
export const NO_SEAL: Seal = Object.assign(() => undefined, { former: () => undefined })

export const DAY_MS = 86_400_000

export interface MemoryNode {
  readonly clock: ManualClock
  readonly store: MemoryBlobs
  readonly view: MemoryView
  readonly level: BreakableLevel
  readonly database: Database
  readonly flows: FlowParts
  readonly http: HttpParts
  readonly options: ApiOptions
  /** Takes bytes in under a path, as a PUT does. */
  put(path: string, bytes: Uint8Array, sourceUrl?: string): Promise<Ingested>
  close(): Promise<void>
}

/** What outlives a node in memory: its disk, and the time. */
export type MemoryDisk = Pick<MemoryNode, 'clock' | 'level' | 'store' | 'view'>

export interface MemoryNodeOptions {
  /** What people call it. */
  readonly name?: string
  /** The writer of its entries. */
  readonly peerId?: string
  /** That of an earlier node; without it a new one. */
  readonly disk?: MemoryDisk
  /** What the flows get for the store and the view. */
  readonly wrap?: <T extends object>(part: T) => T
  /** What all get for the index. */
  readonly wrapIndex?: (index: ImageIndex) => ImageIndex
  /** As this node sees the time; without it that of the disk. */
  readonly clock?: Clock
  readonly random?: Random
}

export async function makeMemoryDisk(): Promise<MemoryDisk> {
  const level = new BreakableLevel()
  await level.open()
  const store = new MemoryBlobs()
  return { clock: new ManualClock(), level, store, view: new MemoryView({ blobs: store }) }
}

export async function openMemoryNode(options: MemoryNodeOptions = {}): Promise<MemoryNode> {
  const { name = 'a', peerId = 'peer-a', wrap = (part) => part } = options
  const { random = systemRandom, wrapIndex = (index) => index } = options
  const disk = options.disk ?? (await makeMemoryDisk())
  const { level, store, view } = disk
  const { database } = level
  const { clock = disk.clock } = options
  const base = { clock, random, log: silentLog, failPoints: noFailPoints }
  const index = wrapIndex(
    await openIndex({ ...base, database, requireWritable: () => {} }, { writer: peerId })
  )
  const locks: Locks = { path: new KeyedLock(), blob: new KeyedLock() }
  const seen = { store: wrap<BlobStore>(store), view: wrap<ImageView>(view) }
  const settler = new Settler({ ...base, ...seen, index, locks })
  const journal = new Journal({ ...base, write: async () => {} }, undefined)
  const room = { demand: () => {}, take: () => {}, status: () => TEST_DISK }
  const inspect = createInspector(base)
  const brakes = new Brakes({ ...base, index })
  const feed = new Feed(base)
  tellFeed({ feed, index, journal })
  const blocks = await Blocks.open({ ...base, index, brakes })
  const traffic = new Traffic(base)
  const packing = new Packing({ traffic }, 'remote')
  const made = { index, blocks, inspect, room, settler, journal, feed, brakes, locks }
  const flows = { ...base, ...seen, ...made, traffic, packing, name }
  const enforcer = new BlockEnforcer(flows)
  followConfirmations(flows)
  const tasks = new TaskBoard(base)
  const http: HttpParts = {
    flows,
    tasks,
    status: () =>
      statusOf({
        flows,
        disk: () => TEST_DISK,
        quarantinedFiles: () => 0,
        folderPresent: () => true
      }),
    node: { name, peerId, cluster: 'default', version: '0.0.0', startedAtMs: clock.now() },
    clock,
    log: silentLog,
    page: new Map(),
    exportIndex: async () => ({ file: '/tmp/file_index.json', entries: 0 }),
    audit: new AuditLog({ ...base, file: undefined }),
    sessions: new Sessions(base),
    signingKeys: () => [TEST_SIGNING_KEY],
    seal: NO_SEAL,
    adopting: () => false,
    adoptFolders: () => {
      throw new Error('a node in memory has no folders')
    }
  }
  return {
    ...disk,
    database,
    flows,
    http,
    options: {
      ingest: TEST_INGEST,
      trashKeepMs: 7 * DAY_MS,
      sync: { enabled: true, verifyIntegrity: true },
      scrubMs: 30 * DAY_MS,
      uploadsMax: 64,
      signedUrls: false,
      hotlink: { allowed: [], withoutReferer: 'allow', placeholder: undefined },
      read: 'public'
    },
    async put(path, bytes, sourceUrl) {
      const source = (async function* () {
        yield bytes
      })()
      const staged = await store.stage(source, { bytesMax: TEST_INGEST.maxFileSizeBytes })
      const upload = { path: parsePath(path), replace: 'always' as const, sourceUrl }
      return ingest(flows, TEST_INGEST, staged, upload)
    },
    async close() {
      await tasks.stop()
      await enforcer.idle()
      await settler.idle()
      await index.close()
    }
  }
}

/** An image that nothing but its number tells from others. */
export function tinyImage(n: number): Buffer {
  return Buffer.from(
    `<svg xmlns="http://www.w3.org/2000/svg" width="4" height="3"><!--${n}--></svg>`
  )
}

/** Adds live images straight to the index, all held; far faster than taking bytes in. */
export async function addEntries(
  { flows: { index }, clock }: MemoryNode,
  paths: readonly string[],
  about: { readonly sourceUrl?: string; readonly versionMs?: number } = {}
): Promise<void> {
  const stamp = { ino: 1, size: 1000, mtimeMs: 1, ctimeMs: 1 }
  await index.change((tx) => {
    for (const path of paths) {
      const hash = digest('sha256', path) as ContentHash
      tx.putImage({
        path: parsePath(path),
        hash,
        md5: digest('md5', path) as Md5,
        bytes: 1000,
        mediaType: 'image/jpeg',
        width: 4,
        height: 3,
        createdMs: clock.now(),
        ...about
      })
      tx.setBlob(hash, { state: 'held', stamp, verifiedAtMs: clock.now() })
    }
  })
}

/** Entries that all name one blob, which is not here. */
export async function addNames(
  { flows: { index }, clock }: MemoryNode,
  paths: readonly string[],
  hash: ContentHash
): Promise<void> {
  const about = { md5: digest('md5', 'it') as Md5, bytes: 1000, mediaType: 'image/jpeg' }
  await index.change((tx) => {
    for (const path of paths) {
      tx.putImage({ ...about, path: parsePath(path), hash, createdMs: clock.now() })
    }
  })
}

/** A part with some of its methods replaced. */
export function withMethod<T extends object>(part: T, methods: Partial<T>): T {
  return new Proxy(part, {
    get(target, key) {
      if (key in methods) return Reflect.get(methods, key)
      const value = Reflect.get(target, key, target)
      return typeof value === 'function' ? value.bind(target) : value
    }
  })
}
