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

/**
 * Whether the database says that its files are damaged: what is left of them can be put together
 * anew. A table that was cut short is an invalid argument to it, as it can't be mapped.
 */
export function isDamage(error: unknown): boolean {
  for (let at = error; at instanceof Error; at = at.cause) {
    if (/^Corruption: |\.ldb: Invalid argument|\.ldb: No such file/.test(at.message)) return true
    if ((at as NodeJS.ErrnoException).code === 'LEVEL_CORRUPTION') return true
  }
  return false
}

/** Whether it is closed, as it is for a moment while it is opened anew. */
export function isClosed(error: unknown): boolean {
  const { code } = (error ?? {}) as NodeJS.ErrnoException
  return code === 'LEVEL_DATABASE_NOT_OPEN' || code === 'LEVEL_ITERATOR_NOT_OPEN'
}
