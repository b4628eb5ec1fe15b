// Self-check of the time tree (rule 11): the sums of its leaves are counted anew from the entries,
// and those of every other node from its children.

import { join } from '../../protocols/entries/join.ts'
import {
  childKey,
  EMPTY_NODE,
  isSameNode,
  LEAF_LEVEL,
  type TreeKey,
  type TreeNode,
  treeKey,
  versionsOf
} from '../../protocols/time-tree-shape.ts'
import { parseVersionKey, versionKey, versionMs } from '../../protocols/version.ts'
import { type Check, type Finding, pagesOf, type Row, type Scan, valuesOf } from './check-scan.ts'
import { isRowOf, readEntry, readEntryKey } from './read-entry.ts'
import { VERSION_LENGTH } from './tables.ts'
import { addNodes, addToNode } from './time-tree.ts'
import type { VersionRow } from './version-encoding.ts'

/**
 * Rows after which a slice ends with the node that it is in. One leaf is never divided, since its
 * sum is one: it may hold as many entries as can be written in 65 s.
 */
const SLICE_ROWS = 4096
/** Rows of no entry that are told of in one slice; the next round tells of more. */
const STRAYS_MAX = 10_000
/** No entry has it as its key. */
const NO_ENTRY = ''

interface Counted {
  readonly key: TreeKey
  readonly node: TreeNode
  /** How many rows it was counted from. */
  readonly rows: number
  /** Something below it can't be read: what the sum should be is not known. */
  readonly isPartial?: boolean
  /** Rows of versions that have other bytes than the entries from which it was counted. */
  readonly differing?: readonly string[] | undefined
}

export const checkLeaves: Check = async (scan, from) => {
  const findings: Finding[] = []
  const first = keyAt(LEAF_LEVEL, from)
  const { next } = await compare(
    scan,
    storedNodes(scan, first),
    countedLeaves(scan, first, (stray) => {
      if (findings.length < STRAYS_MAX) findings.push(stray)
    }),
    findings
  )
  return { findings, next }
}

/** The nodes of a level, whose children have been checked. */
export function checkLevel(level: number): Check {
  return async (scan, from) => {
    const findings: Finding[] = []
    const first = keyAt(level, from)
    const { next } = await compare(
      scan,
      storedNodes(scan, first),
      countedNodes(scan, first),
      findings
    )
    return { findings, next }
  }
}

async function compare(
  scan: Scan,
  stored: AsyncIterable<Counted>,
  counted: AsyncIterable<Counted>,
  findings: Finding[]
): Promise<{ next: string | undefined }> {
  let rows = 0
  for await (const { left, right } of join(stored, counted, inOrder)) {
    const { key } = (left ?? right) as Counted
    const found = left?.node ?? EMPTY_NODE
    const counted_ = right?.node ?? EMPTY_NODE
    if (isSameNode(found, counted_)) findings.push(...(right?.differing ?? []).map(wrongBytes))
    else if (!right?.isPartial) {
      const isEntry = await isOfEntry(scan, key, found, counted_)
      findings.push(isEntry ? damagedEntry(key) : wrongSum(key, found, counted_))
    }
    rows += 1 + (right?.rows ?? 0)
    if (rows >= SLICE_ROWS) return { next: positionAfter(key) }
  }
  return { next: undefined }
}

function inOrder(left: Counted, right: Counted): number {
  if (left.key === right.key) return 0
  return left.key < right.key ? 1 : -1
}

/**
 * Whether an entry has other bytes than were written, rather than a sum being wrong: there are as
 * many entries as should be, and the leaf is what its parent takes it for. The database does not
 * look at its checksums when it reads, so a bit that the disk has lost is seen here first.
 */
async function isOfEntry(
  scan: Scan,
  key: TreeKey,
  found: TreeNode,
  counted: TreeNode
): Promise<boolean> {
  const level = Number(key.charAt(0))
  if (level !== LEAF_LEVEL || found.live !== counted.live || found.dead !== counted.dead)
    return false
  const { tables, snapshot } = scan
  const parent = treeKey(level - 1, versionMs(versionsOf(key).first))
  const node = (await tables.tree.get(parent, { snapshot })) as TreeNode | undefined
  let sum = EMPTY_NODE
  const children = { gte: childKey(parent, 0), lt: `${childKey(parent, 255)}~` }
  for await (const page of pagesOf(scan, 'tree', children)) {
    for (const [, child] of page) sum = addNodes(sum, child as TreeNode, 1)
  }
  return node !== undefined && isSameNode(node, sum)
}

/**
 * Left as it is, and so is the sum. That is the one that other nodes know: with the sum of damaged
 * bytes they would be asked to take these for one more version of theirs.
 */
function damagedEntry(key: TreeKey): Finding {
  return { kind: 'damaged', subject: `an entry below ${key} has other bytes than were written` }
}

function wrongSum(key: TreeKey, found: TreeNode, right: TreeNode): Finding {
  const difference = addNodes(right, found, -1)
  return {
    kind: 'sum',
    subject: `tree ${key}: ${found.live} and ${found.dead} instead of ${right.live} and ${right.dead}`,
    mend({ rows }) {
      const now = (rows.get('tree', key) as TreeNode | undefined) ?? EMPTY_NODE
      const node = addNodes(now, difference, 1)
      rows.put('tree', key, isSameNode(node, EMPTY_NODE) ? undefined : node)
      return true
    }
  }
}

async function* storedNodes(scan: Scan, first: TreeKey): AsyncGenerator<Counted> {
  for await (const page of pagesOf(scan, 'tree', { gte: first, lt: endOfLevel(first) })) {
    for (const [key, node] of page) yield { key, node: node as TreeNode, rows: 1 }
  }
}

/** Every node that has children, from `first` on, as the sum of these. */
async function* countedNodes(scan: Scan, first: TreeKey): AsyncGenerator<Counted> {
  const level = Number(first.charAt(0))
  let current: Counted | undefined
  for await (const child of storedNodes(scan, childKey(first, 0))) {
    const key = treeKey(level, versionMs(versionsOf(child.key).first))
    if (current !== undefined && current.key !== key) yield current
    current = added(current?.key === key ? current : undefined, key, child)
  }
  if (current !== undefined) yield current
}

/** Every leaf that has entries, from `first` on, as the sum of these. */
async function* countedLeaves(
  scan: Scan,
  first: TreeKey,
  onFinding: (finding: Finding) => void
): AsyncGenerator<Counted> {
  let current: Counted | undefined
  const gte = versionKey(versionsOf(first).first)
  for await (const page of pagesOf(scan, 'version', { gte })) {
    const isAlike = scan.right.has('versions') && page.every(isOfItself)
    for (const [row, raw, told] of isAlike ? page.map(asEntry) : await withEntries(scan, page)) {
      const ms = versionMs(parseVersionKey(row.slice(0, VERSION_LENGTH)))
      const key = treeKey(LEAF_LEVEL, ms)
      if (current !== undefined && current.key !== key) yield current
      const before = current?.key === key ? current : undefined
      const entry = raw && readEntry(raw)
      if (entry !== undefined && (isAlike || isRowOf(row, entry))) {
        const differing = raw !== undefined && isOther(told, raw) ? [row] : []
        const node = addToNode(EMPTY_NODE, entry)
        current = added(before, key, { key, node, rows: 1, differing })
      } else {
        const isPartial = raw !== undefined && entry === undefined
        if (!isPartial) onFinding(strayVersion(row))
        current = added(before, key, { key, node: EMPTY_NODE, rows: 1, isPartial })
      }
    }
  }
  if (current !== undefined) yield current
}

type VersionOf = readonly [row: string, raw: Uint8Array | undefined, told: VersionRow]

function isOfItself([, told]: Row): boolean {
  return typeof told !== 'string'
}

/** Where all are right as a whole, their bytes are those of the entry. */
function asEntry([row, told]: Row): VersionOf {
  return [row, told as Uint8Array, told as Uint8Array]
}

/** Rows of versions, the bytes of their entries by path, and what they themselves say. */
async function withEntries(scan: Scan, page: readonly Row[]): Promise<VersionOf[]> {
  const owners = page.map(([, row]) => readEntryKey(row as VersionRow) ?? NO_ENTRY)
  const raws = await valuesOf(scan, 'entry', owners)
  return page.map(
    ([row, told], at) => [row, raws[at] as Uint8Array | undefined, told as VersionRow] as const
  )
}

function isOther(told: VersionRow, raw: Uint8Array): boolean {
  return typeof told !== 'string' && Buffer.compare(told, raw) !== 0
}

/** The sum is that of the entry as its path has it: what other nodes are told is not. */
function wrongBytes(row: string): Finding {
  return {
    kind: 'look_up',
    subject: `version ${row} has other bytes than its entry`,
    mend({ rows }) {
      const told = rows.get('version', row) as VersionRow | undefined
      const owner = told === undefined ? undefined : readEntryKey(told)
      const raw = owner && (rows.get('entry', owner) as Uint8Array | undefined)
      if (told === undefined || !raw || !isRowOf(row, readEntry(raw)) || !isOther(told, raw))
        return false
      rows.put('version', row, raw)
      return true
    }
  }
}

function strayVersion(row: string): Finding {
  return {
    kind: 'look_up',
    subject: `version ${row} of no entry`,
    mend({ rows }) {
      const told = rows.get('version', row) as VersionRow | undefined
      if (told === undefined) return false
      const raw = rows.get('entry', readEntryKey(told) ?? NO_ENTRY)
      const entry = raw === undefined ? undefined : readEntry(raw)
      if (raw !== undefined && (entry === undefined || isRowOf(row, entry))) return false
      rows.put('version', row, undefined)
      return true
    }
  }
}

function added(to: Counted | undefined, key: TreeKey, one: Counted): Counted {
  if (to === undefined) return { ...one, key }
  return {
    key,
    node: addNodes(to.node, one.node, 1),
    rows: to.rows + one.rows,
    isPartial: to.isPartial || one.isPartial || false,
    differing: one.differing?.length ? [...(to.differing ?? []), ...one.differing] : to.differing
  }
}

/** Positions are the upper bits of a node, in hex, as in its key. */
function keyAt(level: number, from: string): TreeKey {
  return `${level}${from.padStart(8, '0')}`
}

function positionAfter(key: TreeKey): string | undefined {
  const level = Number(key.charAt(0))
  const next = versionsOf(key).end
  return next >> 64n > 0n ? undefined : treeKey(level, versionMs(next)).slice(1)
}

function endOfLevel(key: TreeKey): string {
  return String(Number(key.charAt(0)) + 1)
}
