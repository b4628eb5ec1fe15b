// Recomputes everything that the index keeps about its entries from the entries alone, and says
// what differs.

import { decodeEntry, type Entry, isImage, KIND_IMAGE } from '../../protocols/entry.ts'
import type { ContentHash } from '../../protocols/hash.ts'
import { EMPTY_NODE, type TreeNode } from '../../protocols/time-tree-shape.ts'
import { decodePast } from '../../src/index/past.ts'
import {
  type BlobRow,
  type Counts,
  NO_COUNTS,
  type PastVersion,
  type ReviewRow
} from '../../src/index/rows.ts'
import {
  type Database,
  entryKey,
  keys,
  openTables,
  type TableName
} from '../../src/index/tables.ts'

type Rows = Map<string, unknown>

/** Empty if the index is consistent. */
export async function auditIndex(database: Database): Promise<string[]> {
  const tables = await openTables(database)
  const rowsOf = async (name: TableName): Promise<Rows> =>
    new Map((await tables[name].iterator({}).all()) as [string, unknown][])
  const entries = [...(await rowsOf('entry')).values()].map((raw) => decodeEntry(raw as Uint8Array))
  const past = [...(await rowsOf('past')).values()].map((raw) => decodePast(raw as Uint8Array))
  const blobs = await rowsOf('blob')
  const faults: string[] = []
  const compare = async (name: TableName, expected: Iterable<string>) => {
    const found = [...(await rowsOf(name)).keys()].sort()
    const wanted = [...new Set(expected)].sort()
    if (found.join('\n') !== wanted.join('\n')) {
      faults.push(`table ${name}: ${JSON.stringify(found)} instead of ${JSON.stringify(wanted)}`)
    }
  }
  const live = entries.filter(isImage)
  await compare(
    'version',
    entries.map((e) => keys.version(e.version, entryKey(e.kind, e.path)))
  )
  const byVersion = await rowsOf('version')
  for (const { kind, path, version, raw } of entries) {
    const key = entryKey(kind, path)
    const told = byVersion.get(keys.version(version, key))
    // up to format 3 the key of the entry
    if (told !== key && !(told instanceof Uint8Array && Buffer.compare(told, raw) === 0)) {
      faults.push(`version of ${key}: ${told}`)
    }
  }
  const late = lateRows(await rowsOf('late'))
  const isLate = (e: Entry) => late.has(keys.version(e.version, entryKey(e.kind, e.path)))
  const ids = await rowsOf('id')
  await compare(
    'id',
    live.map((e) => keys.id(e.path)).filter((key, at) => ids.has(key) || !isLate(live[at] as Entry))
  )
  const inBlobs = [...blobs].flatMap(([hash, row]) => {
    const { path } = row as BlobRow
    return path === undefined ? [] : [keys.hash(hash as ContentHash, path)]
  })
  const named = [...inBlobs, ...(await rowsOf('hash')).keys()].sort()
  const naming = live.map((e) => keys.hash(e.hash, e.path)).sort()
  if (named.join('\n') !== naming.join('\n')) {
    faults.push(`paths of blobs ${JSON.stringify(named)} instead of ${JSON.stringify(naming)}`)
  }
  await compare(
    'source',
    live.flatMap((e) => (e.sourceUrl ? [keys.source(e.sourceUrl, e.path)] : []))
  )
  const reviews = [...(await rowsOf('review'))] as [string, ReviewRow][]
  const inReview = new Set(reviews.map(([, row]) => row.past))
  const pastKey = ({ entry }: PastVersion) => keys.past(entryKey(entry.kind, entry.path), entry)
  for (const [path, row] of reviews) {
    if (!past.some((one) => one.entry.path === path && pastKey(one) === row.past)) {
      faults.push(`review ${path}: no past version ${row.past}`)
    }
    if (entries.some((e) => e.kind === KIND_IMAGE && e.path === path)) {
      faults.push(`review ${path}: the path has an entry`)
    }
  }
  const ageing = past.filter((one) => !inReview.has(pastKey(one)))
  await compare(
    'age',
    ageing.map(({ entry, sinceMs }) =>
      keys.age(sinceMs, keys.past(entryKey(entry.kind, entry.path), entry))
    )
  )
  await compare('blob', namedBlobs(live, past).keys())
  const md5s = await rowsOf('md5')
  const lateHashes = new Set(live.filter(isLate).map(({ hash }) => hash as string))
  await compare(
    'md5',
    [...blobs]
      .map(([hash, row]) => [hash, keys.md5((row as BlobRow).md5, hash as never)] as const)
      .filter(([hash, key]) => md5s.has(key) || !lateHashes.has(hash))
      .map(([, key]) => key)
  )
  await compare(
    'want',
    [...blobs].flatMap(([hash, row]) => {
      const { want } = row as BlobRow
      return want === undefined ? [] : [keys.want(want, hash as ContentHash)]
    })
  )
  faults.push(...treeFaults(entries, await rowsOf('tree')))
  faults.push(...blobFaults(live, past, blobs))
  faults.push(
    ...countFaults(
      [entries, blobs, reviews.length],
      (await rowsOf('meta')).get('counts') as Counts | undefined
    )
  )
  return faults
}

/** Rows of versions whose images get their look-ups later: the last 24 of each 40 bytes. */
function lateRows(rows: Rows): Set<string> {
  const texts = [...rows.values()].map((places) =>
    Buffer.from(places as Uint8Array).toString('hex')
  )
  return new Set(texts.flatMap((text) => (text.match(/.{80}/g) ?? []).map((one) => one.slice(32))))
}

function namedBlobs(
  live: readonly Entry[],
  past: readonly PastVersion[]
): Map<string, { live: number; past: number }> {
  const named = new Map<string, { live: number; past: number }>()
  const at = (hash: string) => {
    const row = named.get(hash) ?? { live: 0, past: 0 }
    named.set(hash, row)
    return row
  }
  for (const entry of live) at(entry.hash as string).live++
  for (const { entry } of past) at(entry.hash as string).past++
  return named
}

/** Bits of a version below each level of the tree: 16 of the counter, the rest of milliseconds. */
const LEVEL_BITS = [64n, 48n, 40n, 32n]

function nodeKey(level: number, version: bigint): string {
  return level + (version >> (LEVEL_BITS[level] as bigint)).toString(16).padStart(8, '0')
}

function treeFaults(entries: readonly Entry[], found: Rows): string[] {
  const expected = new Map<string, TreeNode>()
  for (const { kind, deleted, version, id } of entries) {
    const isDead = kind === 1 && deleted
    const add = (sum: bigint) => (sum + BigInt(`0x${Buffer.from(id).toString('hex')}`)) % 2n ** 256n
    for (const key of [...LEVEL_BITS.keys()].map((level) => nodeKey(level, version))) {
      const { live, dead, liveSum, deadSum } = expected.get(key) ?? EMPTY_NODE
      expected.set(
        key,
        isDead
          ? { live, liveSum, dead: dead + 1, deadSum: add(deadSum) }
          : { live: live + 1, liveSum: add(liveSum), dead, deadSum }
      )
    }
  }
  const text = (node: TreeNode) => `${node.live} ${node.dead} ${node.liveSum} ${node.deadSum}`
  const keysSeen = new Set([...expected.keys(), ...found.keys()])
  return [...keysSeen].flatMap((key) => {
    const have = found.get(key)
    const a = have === undefined ? 'nothing' : text(have as TreeNode)
    const node = expected.get(key)
    const b = node === undefined ? 'nothing' : text(node)
    return a === b ? [] : [`tree ${key}: ${a} instead of ${b}`]
  })
}

function blobFaults(live: readonly Entry[], past: readonly PastVersion[], blobs: Rows): string[] {
  return [...namedBlobs(live, past)].flatMap(([hash, expected]) => {
    const row = blobs.get(hash) as BlobRow | undefined
    if (row?.live !== expected.live || row.past !== expected.past) {
      return [
        `blob ${hash}: ${row?.live}/${row?.past} instead of ${expected.live}/${expected.past}`
      ]
    }
    return isLacking(row) === (row.want !== undefined) ? [] : [`blob ${hash}: want ${row.want}`]
  })
}

function countFaults(
  [entries, blobs, reviewImages]: readonly [readonly Entry[], Rows, number],
  found: Counts | undefined
): string[] {
  const rows = [...blobs.values()] as BlobRow[]
  const live = entries.filter(isImage)
  const held = rows.filter(({ state }) => state === 'held')
  const trashed = rows.filter(({ state }) => state === 'trashed')
  const lost = rows.filter(isLacking)
  const sum = <T>(items: readonly T[], value: (item: T) => number) =>
    items.reduce((total, item) => total + value(item), 0)
  const bytesOf = ({ bytes }: { bytes: number }) => bytes
  const liveOf = (state: string) =>
    sum(
      rows.filter((row) => row.state === state),
      (row) => row.live
    )
  const expected: Counts = {
    images: live.length,
    imageBytes: sum(live, bytesOf),
    heldImages: liveOf('held'),
    heldImageBytes: sum(held, (row) => row.live * row.bytes),
    blobs: held.length,
    blobBytes: sum(held, bytesOf),
    wants: lost.length,
    wantBytes: sum(lost, bytesOf),
    damagedImages: liveOf('damaged'),
    missingImages: liveOf('missing'),
    blockedImages: liveOf('blocked'),
    tombstones: entries.filter((entry) => entry.kind === KIND_IMAGE && entry.deleted).length,
    reviewImages,
    trashBlobs: trashed.length,
    trashBytes: sum(trashed, bytesOf)
  }
  const a = JSON.stringify({ ...NO_COUNTS, ...found })
  const b = JSON.stringify(expected)
  return a === b ? [] : [`counts ${a} instead of ${b}`]
}

function isLacking({ live, state }: BlobRow): boolean {
  return live > 0 && ['wanted', 'damaged', 'missing'].includes(state)
}
