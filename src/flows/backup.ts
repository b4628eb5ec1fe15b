// The index as lines of JSON that outlive the node: every entry as its author wrote it, deletions
// and records too. Taking one in again is hearing it from a server that had it: what is newer here
// stays, and nothing that was deleted comes back. Bytes come from the disk or from other servers.

import { decodeEntry, type Entry } from '../../protocols/entry.ts'
import { ROOT_KEY } from '../../protocols/time-tree-shape.ts'
import { WireError } from '../../protocols/wire-error.ts'
import { saidAs } from '../base/cause.ts'
import { NodeError } from '../base/errors.ts'
import { readEntry } from '../index/read-entry.ts'
import { receive } from '../index-sync/receive.ts'
import { findAgain } from './find-again.ts'
import type { FlowParts } from './parts.ts'

const FORMAT = 1
const GROUP_ENTRIES = 256
const LINE_LENGTH_MAX = 64 * 1024
/** Under which entries of a backup come in; no peer has this id. */
const FROM = 'backup'

/** One line each, without its end. */
export async function* backupLines(
  { index, clock, name, log }: Pick<FlowParts, 'index' | 'clock' | 'name' | 'log'>,
  signal: AbortSignal
): AsyncGenerator<string> {
  const madeAt = new Date(clock.now()).toISOString()
  yield JSON.stringify({ tumesh_backup: FORMAT, node: name, made_at: madeAt })
  let entries = 0
  for await (const raw of index.tree.range(ROOT_KEY)) {
    signal.throwIfAborted()
    const entry = readEntry(raw)
    if (entry === undefined) {
      log.error('an entry that the disk has changed is not in the backup')
      continue
    }
    const { path, hash } = entry
    yield JSON.stringify({ path, sha256: hash, entry: Buffer.from(raw).toString('base64') })
    entries++
  }
  yield JSON.stringify({ end: true, entries })
}

export interface RestoredBackup {
  readonly entries: number
  /** Those that were not known here, or older here. */
  readonly taken: number
  /** Images that may have been deleted long ago, and were left out. */
  readonly leftOut: number
  /** Blobs that were lacking and had a file after all. */
  readonly found: number
}

/**
 * Takes in a backup. Errors: BAD_REQUEST if it is none, or not whole: then what came before the
 * fault was taken in, and it can be repeated.
 */
export async function restoreBackup(
  parts: FlowParts,
  lines: AsyncIterable<string>,
  signal: AbortSignal
): Promise<RestoredBackup> {
  const { index, settler } = parts
  const tally = { entries: 0, taken: 0, leftOut: 0 }
  let group: Entry[] = []
  const flush = async () => {
    const entries = group
    group = []
    const { merged, review } = await index.change((tx) => receive(tx, entries, FROM))
    tally.entries += entries.length
    tally.taken += merged.length
    tally.leftOut += review.length
  }
  let state: 'new' | 'begun' | 'ended' = 'new'
  try {
    for await (const line of lines) {
      signal.throwIfAborted()
      const fields = fieldsOf(line)
      if (state === 'ended') throw broken('it goes on after its end')
      if (state === 'new') checkHead(fields)
      else if (fields.end === true) {
        await flush()
        if (fields.entries !== tally.entries) throw broken('it lacks lines in the middle')
        state = 'ended'
      } else group.push(entryOf(fields))
      if (state === 'new') state = 'begun'
      if (group.length === GROUP_ENTRIES) await flush()
    }
    if (state !== 'ended') throw broken('its end is missing')
  } catch (error) {
    if (!signal.aborted && group.length > 0) await flush()
    throw error
  }
  await settler.settleAll({ signal })
  return { ...tally, found: await findAgain(parts, signal) }
}

function fieldsOf(line: string): Record<string, unknown> {
  if (line.length > LINE_LENGTH_MAX) throw broken('a line is too long')
  try {
    const fields = JSON.parse(line)
    if (typeof fields === 'object' && fields !== null) return fields
  } catch {}
  throw broken('a line is not JSON')
}

function checkHead({ tumesh_backup: format }: Record<string, unknown>): void {
  if (format === FORMAT) return
  throw typeof format === 'number'
    ? broken(`it has format ${format}, made by a newer Tumesh: update this one`)
    : broken('its first line does not say that it is one')
}

function entryOf({ entry }: Record<string, unknown>): Entry {
  try {
    return decodeEntry(Buffer.from(String(entry), 'base64'))
  } catch (error) {
    if (!(error instanceof WireError)) throw error
    throw broken(`an entry can't be read (${error.message})`)
  }
}

function broken(what: string): NodeError {
  return new NodeError(
    'BAD_REQUEST',
    `This backup can't be taken in whole: ${what}. What came before that is here now.`,
    saidAs('backup_broken')
  )
}
