// What the errors of the database mean. LevelDB tells of the disk in words only.

/**
 * Whether the database, or a cause of its error, says that the disk or the user's share is full.
 */
export function isDiskFull(error: unknown): boolean {
  for (let at = error; at instanceof Error; at = at.cause) {
    const { code = '' } = at as NodeJS.ErrnoException
    if (/ENOSPC|EDQUOT|no space left|quota/i.test(`${code} ${at.message}`)) return true
  }
  return false
}
