// Reads the answers of /tumesh/entries/1 from outside. All of it throws WireError, and nothing
// else.

import { type Entry, KIND_IMAGE } from '../entry.ts'
import { badMessage, checkCount, checkNumber } from '../message.ts'
import type { ImagePath } from '../path.ts'
import { childrenMax, type TreeNode } from '../time-tree-shape.ts'
import { HISTORY, isFull, type ReadEntries, readEntries } from './batch.ts'
import { compareRefs, decodeCursor, decodeRefs, type EntryRef } from './entry-ref.ts'
import {
  FETCH_REFS_STEP,
  HISTORY_PAST_MAX,
  PAGE_ENTRIES_MAX,
  PAGE_PAIRS_MAX,
  TREE_CHILDREN_MAX,
  WANT_RANGES_MAX
} from './limits.ts'
import type { NodeResponse, Response } from './messages_pb.ts'
import { readNode } from './node-message.ts'
import type { AskedNode } from './parse-request.ts'
import {
  DISK_STATES,
  type EntriesStatus,
  type KeptPast,
  type Proof,
  type TreeChild,
  type Verdict
} from './source.ts'
import { readDatabaseId, readVerdict, readVouches } from './vouches.ts'

export type AnswerKind = Response['kind']

export interface Pushed {
  /** Entries that are durable there, or were known or superseded already. */
  readonly accepted: number
  /** Entries that the peer can't read. */
  readonly malformed: number
  /** Those that it may have deleted and forgotten. */
  readonly verdict: Verdict | undefined
}

export interface DescribedNode {
  readonly node: TreeNode
  /** Those that are not empty, highest index first. */
  readonly children: readonly TreeChild[]
  /** There are more children below the last one. */
  readonly more: boolean
}

export interface PairsPage {
  readonly refs: readonly EntryRef[]
  /** Where to go on; undefined at the end. */
  readonly next: EntryRef | undefined
}

export interface RangePage extends ReadEntries {
  readonly next: EntryRef | undefined
}

export interface FetchPage {
  readonly entries: readonly Uint8Array[]
  /** How many of the refs have been looked at. */
  readonly served: number
}

export interface ToldHistory {
  /** A tombstone too. */
  readonly current: Entry | undefined
  /** Newest first. */
  readonly past: readonly KeptPast[]
  /** False where there may be more that the answer had no room for, or some can't be read here. */
  readonly isAll: boolean
}

export function parsePushed(answer: AnswerKind, count: number): Pushed {
  const { accepted, malformed, review } = answerOf(answer, 'push')
  const verdict = readVerdict(review)
  if (accepted + malformed + (verdict?.refs.length ?? 0) !== count) {
    throw badMessage('another number of entries was pushed')
  }
  return { accepted, malformed, verdict }
}

export function parseNodes(answer: AnswerKind, asked: readonly AskedNode[]): DescribedNode[] {
  const { nodes } = answerOf(answer, 'tree')
  if (nodes.length !== asked.length) throw badMessage('other nodes were asked for')
  return nodes.map((node, at) => parseNode(node, asked[at] as AskedNode))
}

function parseNode(answer: NodeResponse, { key, before }: AskedNode): DescribedNode {
  checkCount('children', answer.children.length, TREE_CHILDREN_MAX)
  let below = before ?? childrenMax(key)
  const children = answer.children.map(({ index, node }) => {
    if (index >= below) throw badMessage('children that are not in their order')
    below = index
    return { index, node: readNode(node) }
  })
  if (answer.more && children.length === 0) throw badMessage('more children below none')
  return { node: readNode(answer.node), children, more: answer.more }
}

/** One page for each of the nodes that the answer tells of, of which there may be `nodes`. */
export function parsePairs(
  answer: AnswerKind,
  before: EntryRef | undefined,
  nodes: number
): PairsPage[] {
  const { refs, next, more } = answerOf(answer, 'pairs')
  checkCount('nodes', more.length + 1, nodes)
  const first = { refs: decodeRefs(refs), next: parseNext(next, before) }
  const pages = [first, ...more.map((bytes) => ({ refs: decodeRefs(bytes), next: undefined }))]
  const count = pages.reduce((sum, page) => sum + page.refs.length, 0)
  checkCount('refs', count, PAGE_PAIRS_MAX)
  if (before !== undefined) checkDescending([before, ...first.refs.slice(0, 1)])
  for (const page of pages) checkDescending(page.refs)
  return pages
}

export function parseRange(answer: AnswerKind, before: EntryRef | undefined): RangePage {
  const { entries, next } = answerOf(answer, 'range')
  checkCount('entries', entries.length, PAGE_ENTRIES_MAX)
  return { ...readEntries(entries), next: parseNext(next, before) }
}

export function parseFetched(answer: AnswerKind, count: number): FetchPage {
  const { entries, served } = answerOf(answer, 'fetch')
  if (served < Math.min(count, FETCH_REFS_STEP) || served > count || entries.length > served) {
    throw badMessage('other entries were asked for')
  }
  return { entries, served }
}

export function parseProof(answer: AnswerKind): Proof {
  const { equal, database, vouches } = answerOf(answer, 'prove')
  return { equal, database: readDatabaseId(database), vouches: readVouches(vouches) }
}

export function parseReviewed(answer: AnswerKind): number {
  return answerOf(answer, 'review').taken
}

export function parseStatus(answer: AnswerKind): EntriesStatus {
  const { root, wantsFiles, wantsBytes, wantRanges, horizon, disk, diskSinceMs } = answerOf(
    answer,
    'report'
  )
  const diskState = DISK_STATES[disk - 1]
  checkCount('ranges', wantRanges.length, WANT_RANGES_MAX)
  let after = -1
  return {
    root: readNode(root),
    wantsFiles: checkNumber('a count', wantsFiles),
    wantsBytes: checkNumber('a count', wantsBytes),
    wantRanges: wantRanges.map(({ from, to }) => {
      if (from <= after || to < from) throw badMessage('ranges that are not in their order')
      after = to
      return { from, to }
    }),
    horizon,
    disk: diskState && { state: diskState, sinceMs: checkNumber('a time', diskSinceMs) }
  }
}

export function parseHistory(answer: AnswerKind, path: ImagePath): ToldHistory {
  const { current, past } = answerOf(answer, 'history')
  checkCount('past entries', past.length, HISTORY_PAST_MAX)
  const readable = past.flatMap(({ entry: raw, sinceMs }) => {
    const entry = entryOf(raw, path)
    return entry === undefined ? [] : [{ entry, sinceMs: checkNumber('a time', sinceMs) }]
  })
  const raws = past.map(({ entry }) => entry)
  const bytes = raws.reduce((sum, { byteLength }) => sum + byteLength, 0)
  const isAll = readable.length === past.length && !isFull(raws, bytes, HISTORY)
  return { current: entryOf(current, path), past: readable, isAll }
}

/** Undefined if this node can't read it, as one that is not there. */
function entryOf(raw: Uint8Array, path: ImagePath): Entry | undefined {
  const [entry] = readEntries([raw]).entries
  if (entry !== undefined && (entry.kind !== KIND_IMAGE || entry.path !== path)) {
    throw badMessage('an entry of something else')
  }
  return entry
}

function answerOf<Case extends AnswerKind['case']>(answer: AnswerKind, kind: Case) {
  if (answer.case !== kind) throw badMessage('an answer to something else')
  return answer.value as Extract<AnswerKind, { case: Case }>['value']
}

/** Cursors only go down, so that pages come to an end. */
function parseNext(bytes: Uint8Array, before: EntryRef | undefined): EntryRef | undefined {
  const next = decodeCursor(bytes)
  if (next !== undefined && before !== undefined) checkDescending([before, next])
  return next
}

function checkDescending(refs: readonly EntryRef[]): void {
  for (const [at, ref] of refs.entries()) {
    const above = at === 0 ? undefined : refs[at - 1]
    if (above !== undefined && compareRefs(above, ref) <= 0) {
      throw badMessage('refs that are not in their order')
    }
  }
}
