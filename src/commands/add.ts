// tumesh add: files, and the images of folders, into a node by HTTP: also one that is elsewhere.
// What the node has already under that path is not sent, so it can be broken off and begun again.

import { createHash } from 'node:crypto'
import { basename, join, resolve } from 'node:path'
import { plainLine } from '../../protocols/message.ts'
import { NodeError, systemCodeOf } from '../base/errors.ts'
import { forEachAtOnce } from '../base/for-each.ts'
import { formatSize } from '../base/units.ts'
import { isNamedFile, readNamedFile } from '../store/regular-file.ts'
import { ignoredBy, type LeftOut, scanFiles } from '../store/scan.ts'
import { type NodeTarget, openNode } from './node-client.ts'
import type { Order } from './order.ts'
import { counted, failureOf, type Terminal } from './terminal.ts'

/** Uploads at a time: each is durable before it is answered, so several keep the disk busy. */
const AT_ONCE = 8
const PROGRESS_MS = 1000

interface Item {
  readonly file: string
  readonly path: string
}

interface Refused {
  /** As it was named, or found. */
  readonly file: string
  readonly code: string
  readonly detail: string
}

interface Account {
  added: number
  held: number
  bytes: number
  readonly refused: Refused[]
}

/** Exit code 1 if something was refused. */
export async function runAdd(order: Order, terminal: Terminal): Promise<number> {
  const { words, options, target, isJson } = order
  const { out, progress, clock } = terminal
  const account: Account = { added: 0, held: 0, bytes: 0, refused: [] }
  let saidMs = clock.monotonicMs()
  const items = itemsOf(words, String(options.to ?? ''), terminal.folder, account)
  await forEachAtOnce(items, AT_ONCE, async (item) => {
    await addOne(target, item, account)
    if (clock.monotonicMs() - saidMs < PROGRESS_MS) return
    saidMs = clock.monotonicMs()
    const { refused, ...counts } = account
    const line = `${counts.added} added, ${counts.held} held already, ${refused.length} refused`
    progress(line, { ...counts, refused: refused.length })
  })
  const { refused, ...counts } = account
  if (isJson) out(`${JSON.stringify({ ...counts, refused })}\n`)
  else {
    for (const { file, detail } of refused) out(`✗ ${plainLine(`${file}: ${detail}`)}\n`)
    const { added, held, bytes } = counts
    const size = added === 0 ? '' : ` (${formatSize(bytes)})`
    out(
      `${counted(added, 'image')} added${size}, ${held} held already, ${refused.length} refused\n`
    )
  }
  return refused.length > 0 ? 1 : 0
}

/** Files as they are named; those of a folder under the name of the folder. */
async function* itemsOf(
  words: readonly string[],
  to: string,
  folder: string,
  account: Account
): AsyncGenerator<Item> {
  const prefix = to === '' || to.endsWith('/') ? to : `${to}/`
  for (const word of words) {
    const at = resolve(folder, word)
    const name = `${prefix}${basename(at)}`
    if (isNamedFile(at)) yield { file: at, path: name }
    else {
      const onLeftOut = (one: string, { code, why }: LeftOut) =>
        void account.refused.push({ file: join(word, one), code, detail: why })
      const options = { isIgnored: ignoredBy(['*.part', '*.tmp']), onLeftOut }
      try {
        for await (const one of scanFiles(at, options)) {
          yield { file: join(at, one), path: `${name}/${one}` }
        }
      } catch (error) {
        if (systemCodeOf(error) !== 'ENOENT') throw error
        const detail = 'there is no such file or folder'
        account.refused.push({ file: word, code: 'ENOENT', detail })
      }
    }
  }
}

/** A refusal of one image is counted; a node that can't be reached ends it all. */
async function addOne(target: NodeTarget, { file, path }: Item, account: Account): Promise<void> {
  try {
    const { hash, bytes } = await hashOf(file)
    if (await isHeld(target, path, hash)) {
      account.held++
      return
    }
    await openNode(target, 'PUT /images/{path}', {
      path: { path },
      headers: { 'x-content-sha256': hash, 'content-length': String(bytes) },
      bytes: () => readNamedFile(file)
    })
    account.added++
    account.bytes += bytes
  } catch (error) {
    if (error instanceof NodeError && error.code === 'NOT_AVAILABLE') throw error
    account.refused.push({ file, ...failureOf(error) })
  }
}

async function isHeld(target: NodeTarget, path: string, hash: string): Promise<boolean> {
  try {
    const head = { path: { path }, isHead: true }
    const { headers } = await openNode(target, 'GET /images/{path}', head)
    return headers.get('etag') === `"${hash}"`
  } catch (error) {
    if (error instanceof NodeError && error.code === 'BAD_REQUEST') return false
    throw error
  }
}

async function hashOf(file: string): Promise<{ hash: string; bytes: number }> {
  const digest = createHash('sha256')
  let bytes = 0
  for await (const piece of readNamedFile(file)) {
    digest.update(piece)
    bytes += piece.byteLength
  }
  return { hash: digest.digest('hex'), bytes }
}
