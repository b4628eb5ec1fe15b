// Where a person wants a file to be written: looked at before anything is fetched for it.

import { realpathSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { NodeError } from '../base/errors.ts'

/**
 * The file that is meant, absolute: in a folder it is called `name`, as cp does it. Errors:
 * BAD_REQUEST where that can't be.
 */
export function namedTarget(path: string, name?: string): string {
  const at = resolve(path)
  const there = statSync(at, { throwIfNoEntry: false })
  if (there?.isDirectory() && name !== undefined) return namedTarget(join(at, name))
  if (there?.isDirectory()) throw refusal(`${path} is a folder: name a file.`)
  // a link stays, and leads to the new file; a device must not give way to one
  if (there?.isFile()) return realpathSync(at)
  if (there !== undefined) throw refusal(`${path} is no plain file: name another.`)
  if (statSync(dirname(at), { throwIfNoEntry: false })?.isDirectory()) return at
  throw refusal(`There is no folder ${dirname(at)}: make it first, or name another file.`)
}

function refusal(sentence: string): NodeError {
  return new NodeError('BAD_REQUEST', sentence)
}
