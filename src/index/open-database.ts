// Opens the level database of a data folder, once per process and folder.
//
// A second open of the same folder in one process would be refused but would also release the lock
// of the first, and another process could then open the database too (LevelDB closes its descriptor
// of the lock file, which drops an fcntl lock). So the folders that are open are remembered here,
// before level is asked.

import { Level } from 'level'
import { NodeError, systemCodeOf } from '../base/errors.ts'
import { isDamage, isDiskFull } from './database-error.ts'
import {
  damageNoted,
  isBeheaded,
  isMisled,
  isWithoutLog,
  leftOut,
  noteDamaged,
  repairDatabase,
  requireUnlocked
} from './repair-database.ts'
import type { Database } from './tables.ts'
import { beginRun, endRunOf, isUnreadable, replaceUnreadable } from './unreadable-files.ts'

// The one piece of state that belongs to the process and not to a node: so does the lock.
const openFolders = new Set<string>()

// Measured on random keys: 154,000 rows/s written, 106 MB for a million, against 85,000 and 121
// with the defaults.
const LEVEL_OPTIONS = {
  keyEncoding: 'utf8',
  valueEncoding: 'view',
  writeBufferSize: 8 * 2 ** 20,
  cacheSize: 8 * 2 ** 20,
  blockSize: 16 * 2 ** 10,
  maxFileSize: 32 * 2 ** 20
} as const

/** No key is longer: a path has at most 1,024 bytes, and no table adds more than 100. */
const KEY_BYTES_MAX = 2048

/**
 * `folder` must be a real path. What was damaged there is told, and left out; it is told again by
 * each opening until `forgetDamaged`. Errors: FOLDER_IN_USE, DISK_FULL, DISK_FAULT.
 */
export async function openDatabase(
  folder: string,
  onDamage: (what: string) => void = () => {}
): Promise<Database> {
  const inUse = (cause?: unknown) =>
    new NodeError(
      'FOLDER_IN_USE',
      `Another node is using ${folder}. Stop it first, or give this one its own folder with --data.`,
      { folder },
      { cause }
    )
  if (openFolders.has(folder)) throw inUse()
  openFolders.add(folder)
  let level: Level<string, Uint8Array>
  try {
    level = await openOrRepair(folder, onDamage)
  } catch (error) {
    openFolders.delete(folder)
    if (systemCodeOf((error as Error).cause) === 'LEVEL_LOCKED') throw inUse(error)
    throw isDiskFull(error)
      ? new NodeError(
          'DISK_FULL',
          `The disk is full: the index in ${folder} can't be opened. Free some room on it, then start again.`,
          { folder },
          { cause: error }
        )
      : new NodeError(
          'DISK_FAULT',
          `The index in ${folder} could not be opened: ${reasonOf(error)} Check the disk and its permissions. ` +
            'If the index itself is damaged, move its folder away and start again: what images/ shows is taken in anew.',
          { folder },
          { cause: error }
        )
  }
  // Level writes the keys of synchronous reads into a buffer, and takes it for large enough unless
  // a key fills it to the last byte. One that would be cut amid a character does not fill it: then
  // a shorter key is read. The buffer is made by the first read, a little longer than its key.
  level.getSync('x'.repeat(KEY_BYTES_MAX))
  level.on('closed', () => {
    openFolders.delete(folder)
    endRunOf(folder)
  })
  level.on('open', () => {
    openFolders.add(folder) // opened anew
    beginRun(folder)
  })
  return level as unknown as Database
}

async function openOrRepair(
  folder: string,
  onDamage: (what: string) => void
): Promise<Level<string, Uint8Array>> {
  const repair = (what: string) => {
    onDamage(what)
    return repairDatabase(folder, what)
  }
  const repairUnreadable = async () => {
    const names = replaceUnreadable(folder)
    if (names.length > 0) await repair(`the disk can't read all of ${names.join(', ')}`)
    return names.length > 0
  }
  await requireUnlocked(folder)
  const noted = damageNoted(folder)
  if (noted !== undefined) onDamage(noted)
  if (beginRun(folder)) await repairUnreadable()
  // a database begins to open as soon as it is made
  if (isBeheaded(folder)) await repair('its file CURRENT is gone')
  else if (isWithoutLog(folder)) {
    noteDamaged(folder, 'its log is gone')
    onDamage('its log is gone')
  }
  const level = new Level<string, Uint8Array>(folder, LEVEL_OPTIONS)
  try {
    await level.open()
  } catch (error) {
    const isMended = isUnreadable(error) && (await repairUnreadable())
    if (!isMended) {
      if (!isDamage(error) && !isMisled(folder)) throw error
      await repair(reasonOf(error))
    }
    await level.open()
  }
  const what = leftOut(folder)
  if (what !== undefined) {
    onDamage(what)
    try {
      noteDamaged(folder, what)
    } catch {
      // a full disk: this run knows of it
    }
  }
  return level
}

/** As a sentence; some of the database's own end with a full stop. */
function reasonOf(error: unknown): string {
  const { cause, message } = error as Error
  const reason = cause instanceof Error ? cause.message : message
  return `${reason.replace(/\.$/, '')}.`
}
