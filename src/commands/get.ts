// tumesh get: one image, into a file that is there whole or not at all.

import { basename, resolve } from 'node:path'
import { formatSize } from '../base/units.ts'
import { namedTarget } from '../store/named-target.ts'
import { writeFileAtomic } from '../store/small-file.ts'
import { bytesOf, noNode, openNode } from './node-client.ts'
import type { Order } from './order.ts'
import type { Terminal } from './terminal.ts'

const READABLE = 0o644

export async function runGet(
  { words, target, isJson }: Order,
  { out, err, folder }: Terminal
): Promise<undefined> {
  const [path = '', name = basename(path)] = words
  const isOutput = name === '-'
  const file = isOutput ? '' : namedTarget(resolve(folder, name), basename(path))
  const answer = await openNode(target, 'GET /images/{path}', { path: { path } })
  if (!answer.headers.has('x-file-hash')) throw noNode(answer, target)
  const bytes = bytesOf(answer, target)
  if (isOutput) {
    for await (const piece of bytes) await written(piece)
    return undefined
  }
  let size = 0
  async function* countedBytes() {
    for await (const piece of bytes) {
      size += piece.byteLength
      yield piece
    }
  }
  await writeFileAtomic(file, countedBytes(), { mode: READABLE })
  if (isJson) out(`${JSON.stringify({ path, file, size })}\n`)
  else err(`${file}: ${formatSize(size)}\n`)
  return undefined
}

/** The output may be slower than the node. */
function written(piece: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(piece, (error) => (error ? reject(error) : resolve()))
  })
}
