// A data folder of a test, under the system's folder for temporary files.

import { existsSync, mkdtempSync, readdirSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock, systemRandom } from '../../src/base/clock.ts'
import { type FailPoint, noFailPoints } from '../../src/base/fail-point.ts'
import { silentLog } from '../../src/base/log.ts'
import { GroupCommit } from '../../src/store/commit.ts'
import { DiskBlobs } from '../../src/store/disk-blobs.ts'
import { DiskView, type DiskViewOptions } from '../../src/store/disk-view.ts'
import { type Folder, openFolder } from '../../src/store/folder.ts'
import { systemSyncCalls } from '../../src/store/sync-calls.ts'

const parts = { random: systemRandom, log: silentLog, clock: systemClock }

export function temporaryFolder(): { readonly path: string; remove(): void } {
  const path = realpathSync(mkdtempSync(join(tmpdir(), 'tumesh-test-')))
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}

export interface TestFolder {
  readonly folder: Folder
  readonly commit: GroupCommit
  /** A store on this folder; a second one stands for a restart. */
  store(onFailPoint?: (name: FailPoint) => void, commit?: GroupCommit): DiskBlobs
  view(mode?: DiskViewOptions['mode']): DiskView
  /** Names in one of its folders but those with a dot in front, sorted. */
  names(place: 'images' | 'temp' | 'quarantine'): string[]
  remove(): void
}

export async function makeTestFolder(at?: string): Promise<TestFolder> {
  const root = at === undefined ? temporaryFolder() : { path: at, remove: () => {} }
  const options = { path: join(root.path, 'data'), stateDir: join(root.path, 'state') }
  const folder = await openFolder(parts, { ...options, acceptNew: false })
  const commit = new GroupCommit(systemSyncCalls(), { folder: folder.path })
  return {
    folder,
    commit,
    store: (reach, ownCommit = commit) => {
      const failPoints = reach ? { reach } : noFailPoints
      return new DiskBlobs({ ...parts, folder, commit: ownCommit, failPoints })
    },
    view: (mode = 'auto') => new DiskView({ ...parts, folder, commit }, { mode }),
    names: (place) => (existsSync(folder[place]) ? visibleIn(folder[place]) : []),
    remove: () => root.remove()
  }
}

function visibleIn(path: string): string[] {
  const names = readdirSync(path).filter((name) => !name.startsWith('.'))
  return names.sort()
}

/** Bytes that differ from place to place and from one `seed` to another. */
export function testBytes(length: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(length)
  for (let i = 0, x = seed; i < length; i++) {
    x = (Math.imul(x, 1_103_515_245) + 12_345) >>> 0
    bytes[i] = x >>> 16
  }
  return bytes
}

/** The bytes as a stream of pieces. */
export async function* streamOf(bytes: Uint8Array, pieceBytes = 64 * 1024) {
  for (let at = 0; at < bytes.byteLength; at += pieceBytes) {
    yield bytes.subarray(at, at + pieceBytes)
  }
}

export async function collect(source: AsyncIterable<Uint8Array> | undefined): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(source ?? []))
}
