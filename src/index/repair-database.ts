// What becomes of a database whose files are damaged. Whatever can still be read is put together
// anew; what can't lies in `lost/` below its folder.

import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeSync
} from 'node:fs'
import { join } from 'node:path'
import { Level } from 'level'
import { systemCodeOf } from '../base/errors.ts'

/** The log of the database about itself, begun anew by each opening: a few lines. */
const LOG_BYTES_MAX = 2 ** 20

/** The database leaves files alone whose names are none of its own. */
const NOTE = 'DAMAGED'

/**
 * Before anything is counted or mended there: an open that must find no database takes the lock,
 * and reads none of the files.
 */
export async function requireUnlocked(folder: string): Promise<void> {
  if (!existsSync(folder)) return
  const probe = new Level(folder, { createIfMissing: false, errorIfExists: true })
  try {
    await probe.open()
    await probe.close()
  } catch (error) {
    if (systemCodeOf((error as Error).cause) === 'LEVEL_LOCKED') throw error
  }
}

/**
 * For one that nobody has open; `what` is wrong with it. Rejects with what the database says. After
 * it nothing in the files tells of the damage, so that is noted first: see damageNoted.
 */
export async function repairDatabase(folder: string, what: string): Promise<void> {
  noteDamaged(folder, what)
  await (Level as unknown as { repair(location: string): Promise<void> }).repair(folder)
}

/** What was damaged, until all is done that follows from it: however often the node is ended. */
export function damageNoted(folder: string): string | undefined {
  const file = join(folder, NOTE)
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined
}

/** Durable when it returns. */
export function noteDamaged(folder: string, what: string): void {
  const fd = openSync(join(folder, NOTE), 'w', 0o600)
  try {
    writeSync(fd, what)
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

/** Everything that follows from it is done. */
export function forgetDamaged(folder: string): void {
  rmSync(join(folder, NOTE), { force: true })
}

/** Without the file that says where to begin a new database is made, and the old one removed. */
export function isBeheaded(folder: string): boolean {
  if (existsSync(join(folder, 'CURRENT'))) return false
  return namesIn(folder).some((name) => /\.(ldb|sst|log)$|^MANIFEST-/.test(name))
}

/** A database that was open before has a log, be it an empty one. */
export function isWithoutLog(folder: string): boolean {
  const names = namesIn(folder)
  return names.includes('CURRENT') && !names.some((name) => /^\d+\.log$/.test(name))
}

/** Whether the file that says where to begin names one that is not there: its bytes are damaged. */
export function isMisled(folder: string): boolean {
  if (!statSync(join(folder, 'CURRENT'), { throwIfNoEntry: false })?.isFile()) return false
  const name = readFileSync(join(folder, 'CURRENT'), 'utf8').trim()
  return name === '' || !existsSync(join(folder, name))
}

/** What was found damaged and left out when the database was opened: it says so nowhere else. */
export function leftOut(folder: string): string | undefined {
  const file = join(folder, 'LOG')
  try {
    const text = readFileSync(file, 'utf8').slice(-LOG_BYTES_MAX)
    return /^.*\bdropping \d+ bytes.*$/m.exec(text)?.[0]
  } catch {
    return undefined
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return []
    throw error
  }
}
