// Reads the requests of /tumesh/entries/1 from outside.

import { badMessage, checkCount, checkText, parseMessage } from '../message.ts'
import { type ImagePath, pathFault } from '../path.ts'
import { childrenMax, parseTreeKey, type TreeKey } from '../time-tree-shape.ts'
import { WireError } from '../wire-error.ts'
import { type ReadEntries, readEntries } from './batch.ts'
import { decodeCursor, decodeRefs, type EntryRef } from './entry-ref.ts'
import {
  BATCH_BYTES_MAX,
  BATCH_ENTRIES_MAX,
  FETCH_REFS_MAX,
  PAIRS_NODES_MAX,
  PEER_ID_BYTES_MAX,
  SENT_TO_MAX,
  TREE_NODES_MAX
} from './limits.ts'
import {
  type PairsRequest,
  type ProveRequest,
  type PushRequest,
  type RangeRequest,
  RequestSchema,
  type ReviewRequest,
  type TreeRequest
} from './messages_pb.ts'
import { readNode } from './node-message.ts'
import type { Claim, Verdict } from './source.ts'
import { readDatabaseId, readVerdict, readVouches } from './vouches.ts'

export interface AskedNode {
  readonly key: TreeKey
  /** Only children below this one. */
  readonly before?: number | undefined
}

interface Below {
  readonly key: TreeKey
  readonly before: EntryRef | undefined
  readonly horizon: number
}

export type EntriesRequest =
  | ({ readonly kind: 'push'; readonly sentTo: readonly string[] } & ReadEntries)
  | { readonly kind: 'tree'; readonly nodes: readonly AskedNode[]; readonly horizon: number }
  | ({ readonly kind: 'pairs'; readonly moreKeys: readonly TreeKey[] } & Below)
  | ({ readonly kind: 'range' } & Below)
  | { readonly kind: 'fetch'; readonly refs: readonly EntryRef[] }
  | { readonly kind: 'report'; readonly horizon: number }
  | { readonly kind: 'prove'; readonly claim: Claim }
  | { readonly kind: 'review'; readonly verdict: Verdict }
  | { readonly kind: 'history'; readonly path: ImagePath }

/** Throws WireError, also for a request of a kind that this version does not know. */
export function parseRequest(frame: Uint8Array): EntriesRequest {
  const { kind } = parseMessage(RequestSchema, frame)
  switch (kind.case) {
    case 'push':
      return parsePush(kind.value)
    case 'tree':
      return parseTree(kind.value)
    case 'pairs': {
      const { moreKeys } = kind.value
      checkCount('nodes', moreKeys.length + 1, PAIRS_NODES_MAX)
      return { kind: 'pairs', ...parseBelow(kind.value), moreKeys: moreKeys.map(parseTreeKey) }
    }
    case 'range':
      return { kind: 'range', ...parseBelow(kind.value) }
    case 'fetch': {
      const refs = decodeRefs(kind.value.refs)
      checkCount('refs', refs.length, FETCH_REFS_MAX)
      return { kind: 'fetch', refs }
    }
    case 'report':
      return { kind: 'report', horizon: kind.value.horizon }
    case 'prove':
      return { kind: 'prove', claim: parseClaim(kind.value) }
    case 'review':
      return { kind: 'review', verdict: parseVerdict(kind.value) }
    case 'history':
      return { kind: 'history', path: parseWirePath(kind.value.path) }
    default:
      throw badMessage('this node knows no such request')
  }
}

/** Entries have their paths in normal form, so another form names none of them. */
function parseWirePath(path: string): ImagePath {
  const fault = pathFault(path)
  if (fault !== undefined) throw badMessage(`the path ${fault}`)
  return path as ImagePath
}

function parseBelow({ key, before, horizon }: RangeRequest | PairsRequest): Below {
  return { key: parseTreeKey(key), before: decodeCursor(before), horizon }
}

function parsePush({ entries, sentTo }: PushRequest): EntriesRequest {
  checkCount('entries', entries.length, BATCH_ENTRIES_MAX)
  checkCount('peers', sentTo.length, SENT_TO_MAX)
  const bytes = entries.reduce((sum, entry) => sum + entry.byteLength, 0)
  if (bytes > BATCH_BYTES_MAX) {
    throw new WireError(
      'TOO_LARGE',
      `${bytes} bytes of entries, where ${BATCH_BYTES_MAX} are the most`
    )
  }
  for (const peer of sentTo) checkText('a peer id', peer, PEER_ID_BYTES_MAX)
  return { kind: 'push', sentTo, ...readEntries(entries) }
}

function parseClaim({ cut, horizon, sums, database, vouches }: ProveRequest): Claim {
  return {
    cut,
    horizon,
    sums: readNode(sums),
    database: readDatabaseId(database),
    vouches: readVouches(vouches)
  }
}

function parseVerdict({ verdict }: ReviewRequest): Verdict {
  return readVerdict(verdict) ?? { refs: [], database: '', vouches: [], deletions: [] }
}

function parseTree({ nodes, horizon }: TreeRequest): EntriesRequest {
  checkCount('nodes', nodes.length, TREE_NODES_MAX)
  return {
    kind: 'tree',
    horizon,
    nodes: nodes.map(({ key, before }) => {
      if (before !== undefined && before > childrenMax(parseTreeKey(key))) {
        throw badMessage('a node has no such child')
      }
      return { key: parseTreeKey(key), before }
    })
  }
}
