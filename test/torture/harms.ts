// What happens to the nodes. Whatever it is, nothing that was acknowledged may be lost by it: so
// bytes are harmed only where another disk has them whole.

import { createHash } from 'node:crypto'
import {
  chmodSync,
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Fleet, TortureNode } from './fleet.ts'

export interface HarmParts {
  readonly fleet: Fleet
  readonly random: () => number
  readonly count: (what: string) => void
}

export type Harm = (parts: HarmParts, node: TortureNode) => Promise<void>

const SETTLED_MS = 10_000
const HARMED_AT_ONCE_MAX = 8

const shortWhile = (random: () => number, maxMs: number) => sleep(random() ** 2 * maxMs)

async function kill({ fleet, random, count }: HarmParts, node: TortureNode): Promise<void> {
  await fleet.kill(node)
  count('kill -9')
  await shortWhile(random, 2000)
  await fleet.start(node)
}

async function pause({ fleet, random, count }: HarmParts, node: TortureNode): Promise<void> {
  fleet.pause(node)
  count('SIGSTOP')
  await shortWhile(random, 8000)
  fleet.resume(node)
}

async function unplug({ fleet, random, count }: HarmParts, node: TortureNode): Promise<void> {
  fleet.plug(node, false)
  count('cable pulled')
  await shortWhile(random, 12_000)
  fleet.plug(node, true)
}

async function disturb({ fleet, random, count }: HarmParts, node: TortureNode): Promise<void> {
  if (!fleet.disturb(node, true)) return
  count('packets lost')
  await shortWhile(random, 8000)
  fleet.disturb(node, false)
}

/** As when a stretch of a disk goes bad. */
async function harmBlobs(parts: HarmParts, node: TortureNode): Promise<void> {
  for (let left = 1 + Math.floor(parts.random() * HARMED_AT_ONCE_MAX); left > 0; left--) {
    harmBlob(parts, node)
  }
}

/** Bytes of a blob change, or end early, or the whole file goes. */
function harmBlob({ fleet, random, count }: HarmParts, node: TortureNode): void {
  const found = someBlob(node, random)
  if (found === undefined) return
  const { hash, file } = found
  const others = fleet.nodes.filter((other) => other !== node)
  if (!others.some((other) => isSettled(blobFile(other, hash), hash))) return
  const how = random()
  try {
    chmodSync(file, 0o644)
    if (how < 0.3) rmSync(file)
    else if (how < 0.5) truncateSync(file, Math.floor(random() * 200))
    else flipByte(file, random)
    count(how < 0.3 ? 'blob removed' : how < 0.5 ? 'blob cut' : 'byte flipped')
  } catch {
    // the node has moved it meanwhile
  }
}

async function removeView({ random, count }: HarmParts, node: TortureNode): Promise<void> {
  const folder = join(node.folder, 'images')
  const name = pick(namesIn(folder), random)
  if (name === undefined) return
  rmSync(join(folder, name), { force: true, recursive: true })
  count('image file removed')
}

async function hideMarker({ random, count }: HarmParts, node: TortureNode): Promise<void> {
  const marker = join(node.folder, '.tumesh')
  if (!existsSync(marker)) return
  renameSync(marker, `${marker}.away`)
  count('marker removed')
  await shortWhile(random, 4000)
  renameSync(`${marker}.away`, marker)
}

/** Another program fills a disk to the last block. */
async function fill({ fleet, random, count }: HarmParts): Promise<void> {
  const node = fleet.nodes.find(({ isSmall }) => isSmall)
  if (node === undefined) return
  const file = join(node.folder, 'of-another-program')
  const { bavail, bsize } = statfsSync(node.folder)
  try {
    writeFileSync(file, Buffer.alloc(Math.max(0, bavail * bsize - random() * 200_000)))
  } catch {
    // the node was faster
  }
  count('disk filled')
  await shortWhile(random, 6000)
  rmSync(file, { force: true })
}

/** With how often they happen. */
export const HARMS: readonly (readonly [number, Harm])[] = [
  [16, kill],
  [3, pause],
  [2, unplug],
  [1, disturb],
  [9, harmBlobs],
  [2, removeView],
  [1, hideMarker],
  [1, fill]
]

export function blobFile({ folder }: Pick<TortureNode, 'folder'>, hash: string): string {
  return join(folder, 'blobs', hash.slice(0, 2), hash)
}

export function isWhole(file: string, hash: string): boolean {
  try {
    return createHash('sha256').update(readFileSync(file)).digest('hex') === hash
  } catch {
    return false
  }
}

/** Whole, and not just being taken in: a crash would take that back. */
function isSettled(file: string, hash: string): boolean {
  const stats = statSync(file, { throwIfNoEntry: false })
  return stats !== undefined && Date.now() - stats.ctimeMs > SETTLED_MS && isWhole(file, hash)
}

function someBlob(
  node: TortureNode,
  random: () => number
): { hash: string; file: string } | undefined {
  const blobs = join(node.folder, 'blobs')
  const folder = pick(namesIn(blobs), random)
  const hash = folder === undefined ? undefined : pick(namesIn(join(blobs, folder)), random)
  return hash === undefined ? undefined : { hash, file: blobFile(node, hash) }
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

function pick<T>(all: readonly T[], random: () => number): T | undefined {
  return all[Math.floor(random() * all.length)]
}

function flipByte(file: string, random: () => number): void {
  const bytes = readFileSync(file)
  if (bytes.length === 0) return
  const at = Math.floor(random() * bytes.length)
  const fd = openSync(file, 'r+')
  writeSync(fd, Buffer.of((bytes[at] as number) ^ 1), 0, 1, at)
  closeSync(fd)
}
