// The empty files in temp/ that say after a crash that a blob was being published.

import { linkSync, writeFileSync } from 'node:fs'

/** One more link of an empty file: a file of its own costs several times as much. */
export function leaveNote(note: string, original: string): void {
  try {
    linkSync(original, note)
  } catch {
    // The first one, too many at once, or no links here.
    writeFileSync(note, '', { flag: 'wx', mode: 0o600 })
    linkQuietly(note, original)
  }
}

function linkQuietly(file: string, name: string): void {
  try {
    linkSync(file, name)
  } catch {}
}
