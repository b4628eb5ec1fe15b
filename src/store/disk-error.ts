// What the system's errors mean: the one translation from ENOSPC and its kin into the codes of the
// node.

import { saidAs } from '../base/cause.ts'
import { NodeError, systemCodeOf } from '../base/errors.ts'

const FULL: ReadonlySet<string | undefined> = new Set(['ENOSPC', 'EDQUOT'])
const TOO_MANY_OPEN: ReadonlySet<string | undefined> = new Set(['EMFILE', 'ENFILE'])

/**
 * `doing` completes "while …": "writing a blob". Errors that have a meaning already stay as they
 * are.
 */
export function diskError(cause: unknown, doing: string): NodeError {
  if (cause instanceof NodeError) return cause
  const system = systemCodeOf(cause)
  const facts = { system, path: (cause as NodeJS.ErrnoException | undefined)?.path }
  const error = system ?? '?'
  if (FULL.has(system)) {
    const sentence = `The disk was full (${system}) while ${doing}. Make room on it, then try again.`
    return new NodeError(
      'DISK_FULL',
      sentence,
      { ...facts, ...saidAs('disk_was_full', { error }) },
      { cause }
    )
  }
  if (TOO_MANY_OPEN.has(system)) {
    const sentence = `Too many files were open (${system}) while ${doing}. Try again, or raise the limit (ulimit -n).`
    return new NodeError(
      'BUSY',
      sentence,
      { ...facts, ...saidAs('files_open_many', { error }) },
      { cause }
    )
  }
  const sentence = `The disk failed (${system ?? String(cause)}) while ${doing}. Look at the disk, its permissions and the system's log.`
  return new NodeError(
    'DISK_FAULT',
    sentence,
    { ...facts, ...saidAs('disk_failed', { error }) },
    { cause }
  )
}

/** Runs calls of node:fs; their errors come out translated. */
export function onDisk<T>(doing: string, task: () => T): T {
  try {
    return task()
  } catch (error) {
    throw diskError(error, doing)
  }
}
