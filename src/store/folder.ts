// The data folder: its layout, its marker, and whether it is the right one and can be written.

import {
  existsSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeFileSync
} from 'node:fs'
import { userInfo } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import type { ContentHash } from '../../protocols/hash.ts'
import { saidAs } from '../base/cause.ts'
import { type Random, randomHex } from '../base/clock.ts'
import { type ErrorCode, NodeError, systemCodeOf } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import { sameStamp } from './blob-store.ts'
import { diskError } from './disk-error.ts'
import { makeFolder } from './make-folder.ts'
import { FOLDER_FORMAT_MAX, type Marker, type MarkerPlan, planMarker } from './plan-marker.ts'
import { RememberedFolders } from './remembered-folders.ts'
import { readSmallFile, writeFileAtomic } from './small-file.ts'
import { syncFolder } from './sync-calls.ts'

export interface FolderPaths {
  /** Absolute, links resolved. */
  readonly path: string
  readonly images: string
  readonly blobs: string
  readonly temp: string
  readonly quarantine: string
  readonly trash: string
  readonly metadata: string
}

export interface Folder extends FolderPaths {
  readonly id: string
  /** Whether it became a data folder just now. */
  readonly isNew: boolean
  /**
   * Whether the folder is still the one that was opened. One stat: cheap enough before every
   * change.
   */
  markerPresent(): boolean
}

export interface FolderOptions {
  readonly path: string
  /** Where this user's programs keep state: $XDG_STATE_HOME/tumesh or ~/.local/state/tumesh. */
  readonly stateDir: string
  /** Take whatever is there, once, as told by --accept-folder. */
  readonly acceptNew: boolean
}

export interface FolderParts {
  readonly random: Random
  readonly log: Log
}

const MARKER = '.tumesh'
const MARKER_BYTES_MAX = 4096

/** Where a blob's file is. */
export function blobFile(folder: FolderPaths, place: 'blobs' | 'trash', hash: ContentHash): string {
  return join(folder[place], hash.slice(0, 2), hash)
}

/** Throws READ_ONLY when the folder is not the one that was opened. */
export function requireMarker(folder: Folder): void {
  if (folder.markerPresent()) return
  throw new NodeError(
    'READ_ONLY',
    `The marker ${join(folder.path, MARKER)} is gone or another. Is the disk still mounted? Nothing is written until it is back.`,
    { path: folder.path, ...saidAs('marker_absent') }
  )
}

/**
 * Opens the data folder and makes what is missing in it. Errors: FOLDER_UNWRITABLE, FOLDER_FORMAT,
 * MARKER_MISSING, MARKER_FOREIGN, DISK_FULL, DISK_FAULT. A folder that is refused is left as it
 * was.
 */
export async function openFolder(parts: FolderParts, options: FolderOptions): Promise<Folder> {
  const path = realPathOf(resolve(options.path))
  const paths = pathsIn(path)
  const remembered = new RememberedFolders(parts, options)
  const marker = writable(path, () => readMarker(path))
  const plan = planMarker({
    marker,
    remembered: remembered.idOf(path),
    content: writable(path, () => contentOf(paths)),
    acceptNew: options.acceptNew
  })
  if (plan.do === 'refuse') throw refusal(path, plan.why)
  writable(path, () => makeFolders(paths))
  const device = requireOneDevice(paths)
  for (const folder of foldersOf(paths)) probe(paths, folder, parts.random)
  const id = plan.do === 'take' ? plan.id : randomHex(parts.random, 16)
  await keepMarker(parts.log, path, marker, { format: FOLDER_FORMAT_MAX, id, device })
  await makeDurable(paths)
  await remembered.remember(path, id)
  return { ...paths, id, isNew: plan.do === 'make', markerPresent: markerWatch(path, id) }
}

function pathsIn(path: string): FolderPaths {
  const at = (name: string) => join(path, name)
  return {
    path,
    images: at('images'),
    blobs: at('blobs'),
    temp: at('temp'),
    quarantine: at('quarantine'),
    trash: at('trash'),
    metadata: at('metadata')
  }
}

function foldersOf(paths: FolderPaths): readonly string[] {
  return Object.values(paths)
}

/** Links resolved as far as the path exists. */
function realPathOf(path: string): string {
  try {
    return realpathSync(path)
  } catch (error) {
    const above = dirname(path)
    if (systemCodeOf(error) !== 'ENOENT' || above === path) return path
    return join(realPathOf(above), basename(path))
  }
}

function readMarker(path: string): Marker | 'absent' | 'damaged' {
  let bytes: Buffer | undefined
  try {
    bytes = readSmallFile(join(path, MARKER), MARKER_BYTES_MAX)
  } catch (error) {
    if (error instanceof NodeError && error.code === 'FOLDER_FORMAT') return 'damaged'
    throw error
  }
  if (bytes === undefined) return existsSync(join(path, MARKER)) ? 'damaged' : 'absent'
  try {
    const { format, id, device }: Record<keyof Marker, unknown> = JSON.parse(bytes.toString())
    const whole = Number.isInteger(format) && typeof id === 'string' && id !== ''
    return whole ? { format: Number(format), id, device: Number(device) } : 'damaged'
  } catch {
    return 'damaged'
  }
}

function contentOf({
  path,
  images,
  metadata,
  ...others
}: FolderPaths): 'empty' | 'images' | 'other' {
  if (existsSync(images) || existsSync(join(metadata, 'file_index.json'))) return 'images'
  const occupied = Object.values(others).some((at) => existsSync(at) && readdirSync(at).length > 0)
  return occupied ? 'other' : 'empty'
}

function makeFolders({ path, images, ...others }: FolderPaths): void {
  // People and web servers reach images/ through the data folder; what is not theirs is closed.
  for (const open of [path, images]) makeFolder(open, 0o755)
  for (const closed of Object.values(others)) makeFolder(closed, 0o700)
}

/** Also those that an earlier run made and was killed before it could say so to the disk. */
async function makeDurable(paths: FolderPaths): Promise<void> {
  try {
    for (const folder of foldersOf(paths)) await syncFolder(folder)
  } catch (error) {
    throw diskError(error, 'making the data folder durable')
  }
  await syncFolder(dirname(paths.path)).catch(() => {}) // may be closed to this user
}

/** Writes for real: permission bits say nothing about read-only mounts, quotas or ACLs. */
function probe(paths: FolderPaths, folder: string, random: Random): void {
  const name = `.probe-${randomHex(random, 6)}`
  const file = join(folder, name)
  const isMovable = writable(folder, () => {
    try {
      writeFileSync(file, 'x', { flag: 'wx', mode: 0o600 })
      return folder === paths.metadata || canMove(file, join(paths.path, name))
    } catch (error) {
      if (diskError(error, '').code !== 'DISK_FULL') throw error
      return true // a full disk still serves, deletes and purges
    } finally {
      rmSync(file, { force: true })
    }
  })
  if (!isMovable) throw onOtherDisk(paths, folder)
}

/** Nothing leaves a mount by renaming, though it be of the same disk. */
function canMove(file: string, to: string): boolean {
  try {
    renameSync(file, to)
    rmSync(to)
    return true
  } catch (error) {
    if (systemCodeOf(error) === 'EXDEV') return false
    throw error
  }
}

/** The device number. Blobs and views are moved by renaming, which never leaves a file system. */
function requireOneDevice(paths: FolderPaths): number {
  const { dev } = statSync(paths.path)
  for (const folder of foldersOf(paths)) {
    if (statSync(folder).dev !== dev) throw onOtherDisk(paths, folder)
  }
  return dev
}

function onOtherDisk({ path }: FolderPaths, folder: string): NodeError {
  return new NodeError(
    'FOLDER_UNWRITABLE',
    `${folder} is on another disk, or another mount, than ${path}. Put the whole data folder on one (choose it with --data).`,
    { path: folder }
  )
}

async function keepMarker(
  log: Log,
  path: string,
  found: Marker | 'absent' | 'damaged',
  marker: Marker
): Promise<void> {
  const same = typeof found === 'object' && found.id === marker.id
  if (same && found.device === marker.device) return
  const write = () =>
    writeFileAtomic(join(path, MARKER), `${JSON.stringify(marker)}\n`, { mode: 0o600 })
  if (!same) return write()
  log.info(
    { path, device: marker.device, before: found.device },
    'the data folder is on another device than last time'
  )
  await write().catch((error) => log.warn({ path, err: error }, 'its marker could not be updated'))
}

/** One stat; reads the marker again only when its file is another or was written. */
function markerWatch(path: string, id: string): () => boolean {
  const file = join(path, MARKER)
  let known: Stats | undefined
  return () => {
    try {
      const now = statSync(file, { throwIfNoEntry: false })
      if (now === undefined) return false
      if (known?.dev === now.dev && sameStamp(known, now)) return true
      const marker = readMarker(path)
      if (typeof marker === 'string' || marker.id !== id) return false
      known = now
      return true
    } catch {
      return false
    }
  }
}

/** Runs file calls whose failure means that this folder can't be used by this user. */
function writable<T>(path: string, task: () => T): T {
  try {
    return task()
  } catch (cause) {
    const system = systemCodeOf(cause)
    if (system === 'EEXIST' || system === 'ENOTDIR') {
      const sentence = `${path} is not a folder, or something in it is a file where a folder must be. Choose another with --data.`
      throw new NodeError('FOLDER_UNWRITABLE', sentence, { path, system }, { cause })
    }
    if (system === undefined || !['EACCES', 'EPERM', 'EROFS', 'ENOENT'].includes(system)) {
      throw diskError(cause, `opening the data folder ${path}`)
    }
    throw new NodeError(
      'FOLDER_UNWRITABLE',
      `The folder ${path} can't be written by the user ${userName()} (${system}). Give it to that user, or choose another with --data.`,
      { path, system },
      { cause }
    )
  }
}

function userName(): string {
  try {
    return userInfo().username
  } catch {
    return String(process.getuid?.()) // a user without a line in /etc/passwd, as in containers
  }
}

type Refusal = Extract<MarkerPlan, { do: 'refuse' }>['why']

function refusal(path: string, why: Refusal): NodeError {
  const accept = 'start once with --accept-folder'
  const kinds: Record<Refusal, readonly [ErrorCode, string]> = {
    missing: [
      'MARKER_MISSING',
      `The folder ${path} was used before, but its marker ${MARKER} is missing. Is its disk not mounted? Mount it; or, if the folder is meant to start anew, ${accept}.`
    ],
    occupied: [
      'MARKER_MISSING',
      `The folder ${path} has files of something else in temp/, trash/, blobs/ or quarantine/ and no marker ${MARKER}. Choose another with --data; or, if they may be used and swept, ${accept}.`
    ],
    foreign: [
      'MARKER_FOREIGN',
      `The folder ${path} is not the one that was used here before: its marker ${MARKER} has another id. Mount the right disk; or, if this folder is meant, ${accept}.`
    ],
    damaged: [
      'MARKER_FOREIGN',
      `The marker ${join(path, MARKER)} is damaged, so this may be another folder than before. Put the right one back; or, if this folder is meant, ${accept}.`
    ],
    newer: [
      'FOLDER_FORMAT',
      `The folder ${path} was written by a newer version of this program. Update this one, or choose another folder with --data.`
    ]
  }
  const [code, sentence] = kinds[why]
  return new NodeError(code, sentence, { path, why })
}
