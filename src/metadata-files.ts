// The small files under metadata/: keys, the readable copy of the index, the journal.

import { join } from 'node:path'
import { type Random, randomHex } from './base/clock.ts'
import { NodeError } from './base/errors.ts'
import { JOIN_FILE, readJoinList, writeJoinList } from './flows/join-targets.ts'
import type { MeshFiles } from './mesh/open-mesh.ts'
import { createIdentity, type Identity, readIdentity } from './network/identity.ts'
import type { FolderPaths } from './store/folder.ts'
import { stampAt } from './store/regular-file.ts'
import { readSmallFile, renameFile, writeFileAtomic } from './store/small-file.ts'

const KEY_FILE_BYTES_MAX = 4096
const JOURNAL_FILE_BYTES_MAX = 4 * 2 ** 20
/** 100,000 images make about 50 MB; a larger index of an earlier program is left aside. */
const LEGACY_FILE_BYTES_MAX = 256 * 2 ** 20
const PRIVATE = { mode: 0o600 }

export function metadataFiles({ metadata }: FolderPaths) {
  const at = (name: string) => join(metadata, name)
  return {
    identity: at('identity.key'),
    localKey: at('local.key'),
    export: at('file_index.json'),
    /** What an earlier program left, kept when ours takes its place. */
    legacy: at('file_index.earlier.json'),
    journal: at('sync_log.json'),
    /** Who did what; older lines are in audit.ndjson.1 and so on. */
    audit: at('audit.ndjson'),
    /** Files of the folders that were taken in last that were not, and why. */
    refused: at('adopt_refused.txt'),
    /** The secret of the mesh, where it was taken over while the node ran. */
    cluster: at('cluster.json'),
    /** What `join` left while the node was stopped. */
    joins: at(JOIN_FILE),
    index: at('index')
  }
}

export type MetadataFiles = ReturnType<typeof metadataFiles>

export async function loadIdentity(files: MetadataFiles): Promise<Identity> {
  const bytes = readSmallFile(files.identity, KEY_FILE_BYTES_MAX)
  if (bytes !== undefined) return readIdentity(bytes, files.identity)
  const made = await createIdentity()
  await writeFileAtomic(files.identity, made.bytes, PRIVATE)
  return made.identity
}

/** The key by which the command line shows that it may read this folder. */
export async function loadLocalKey(files: MetadataFiles, random: Random): Promise<string> {
  const text = readSmallFile(files.localKey, KEY_FILE_BYTES_MAX)?.toString().trim()
  if (text !== undefined && /^[0-9a-f]{64}$/.test(text)) return text
  const key = randomHex(random, 32)
  await writeFileAtomic(files.localKey, `${key}\n`, PRIVATE)
  return key
}

/** The text of the last run's journal; undefined if there is none or it can't be used. */
export function readJournal(files: MetadataFiles): string | undefined {
  try {
    return readSmallFile(files.journal, JOURNAL_FILE_BYTES_MAX)?.toString()
  } catch {
    return undefined
  }
}

/** Keeps the index of an earlier program under another name, once. */
export async function keepLegacyIndex(files: MetadataFiles): Promise<void> {
  let bytes: Buffer | undefined
  try {
    bytes = readSmallFile(files.export, LEGACY_FILE_BYTES_MAX)
  } catch (error) {
    if (!(error instanceof NodeError) || error.code !== 'FOLDER_FORMAT') throw error
    // it may be of this program, whose database was lost: that must keep no node from starting
    return renameFile(files.export, files.legacy)
  }
  if (bytes !== undefined) await writeFileAtomic(files.legacy, bytes, PRIVATE)
}

export function hasLegacyIndex(files: MetadataFiles): boolean {
  return stampAt(files.legacy) !== undefined
}

/** The text of an earlier program's index. Errors: FOLDER_FORMAT if it is too large. */
export function readLegacyIndexText(files: MetadataFiles): string | undefined {
  return readSmallFile(files.legacy, LEGACY_FILE_BYTES_MAX)?.toString()
}

/** What the mesh keeps here. Errors: FOLDER_FORMAT if a file is too large. */
export function meshFiles(files: MetadataFiles): MeshFiles {
  const text = readSmallFile(files.cluster, KEY_FILE_BYTES_MAX)?.toString()
  return {
    cluster: { text, file: files.cluster },
    saveCluster: (now) => writeFileAtomic(files.cluster, now, PRIVATE),
    readJoins: () => readJoinList(files.joins),
    saveJoins: (targets) => writeJoinList(files.joins, targets)
  }
}
