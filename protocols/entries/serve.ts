// The answering side of /tumesh/entries/1. Keeps nothing between two requests.

import type { MessageInitShape } from '@bufbuild/protobuf'
import type { ByteStream } from '../byte-stream.ts'
import { decodeEntry } from '../entry.ts'
import { ENTRIES_ID } from '../ids.ts'
import { encodeMessage, headOf } from '../message.ts'
import type { Protocol } from '../protocol.ts'
import { serveRequests } from '../serve-requests.ts'
import { STATUS } from '../status.ts'
import { LEAF_LEVEL, levelOf, type TreeKey } from '../time-tree-shape.ts'
import { WireError } from '../wire-error.ts'
import { HISTORY, isFull } from './batch.ts'
import { type EntryRef, encodeRefs, refOf } from './entry-ref.ts'
import {
  ENTRIES_LIMITS,
  FETCH_REFS_STEP,
  PAGE_BYTES,
  PAGE_ENTRIES_MAX,
  PAGE_PAIRS_MAX,
  TREE_CHILDREN_MAX
} from './limits.ts'
import { ResponseSchema } from './messages_pb.ts'
import { nodeMessage } from './node-message.ts'
import { type AskedNode, type EntriesRequest, parseRequest } from './parse-request.ts'
import {
  type ComparedEntries,
  DISK_STATES,
  type EntriesSource,
  type KeptHistory
} from './source.ts'
import { verdictMessage } from './vouches.ts'

export const entriesProtocol: Protocol<EntriesSource> = {
  id: ENTRIES_ID,
  limits: ENTRIES_LIMITS,
  serve: serveEntries
}

const PAGE = { entriesMax: PAGE_ENTRIES_MAX, bytes: PAGE_BYTES }
/** Nodes of which one answer reads the refs side by side. */
const READ_AT_ONCE = 8

type Answer = NonNullable<MessageInitShape<typeof ResponseSchema>['kind']>

function serveEntries(stream: ByteStream, source: EntriesSource, from: string): Promise<void> {
  return serveRequests(stream, {
    requestBytesMax: ENTRIES_LIMITS.requestBytesMax,
    parse: parseRequest,
    perform: async (request) =>
      encodeMessage(ResponseSchema, {
        status: STATUS.OK,
        kind: await answerTo(request, source, from)
      }),
    failure: (error) => encodeMessage(ResponseSchema, headOf(error))
  })
}

async function answerTo(
  request: EntriesRequest,
  source: EntriesSource,
  from: string
): Promise<Answer> {
  switch (request.kind) {
    case 'push': {
      const { entries, malformed, sentTo } = request
      const verdict = await source.push(entries, sentTo, from)
      const accepted = entries.length - (verdict?.refs.length ?? 0)
      return { case: 'push', value: { accepted, malformed, review: verdictMessage(verdict) } }
    }
    case 'tree': {
      const nodes = []
      const compared = source.beyond(request.horizon)
      for (const asked of request.nodes) nodes.push(await describeNode(compared, asked))
      return { case: 'tree', value: { nodes } }
    }
    case 'pairs':
      return { case: 'pairs', value: await pairsPages(source.beyond(request.horizon), request) }
    case 'range':
      return { case: 'range', value: await rangePage(source.beyond(request.horizon), request) }
    case 'fetch':
      return { case: 'fetch', value: await fetchPage(source.beyond(0), request.refs) }
    case 'report': {
      const { root, wantRanges, horizon, disk, ...wants } = await source.status(request.horizon)
      const report = {
        root: nodeMessage(root),
        horizon,
        wantsFiles: BigInt(wants.wantsFiles),
        wantsBytes: BigInt(wants.wantsBytes),
        wantRanges: [...wantRanges],
        ...(disk && {
          disk: DISK_STATES.indexOf(disk.state) + 1,
          diskSinceMs: BigInt(disk.sinceMs)
        })
      }
      return { case: 'report', value: report }
    }
    case 'prove': {
      const { vouches, ...proof } = await source.prove(request.claim, from)
      return { case: 'prove', value: { ...proof, vouches: [...vouches] } }
    }
    case 'review':
      return { case: 'review', value: { taken: await source.review(request.verdict, from) } }
    case 'history':
      return { case: 'history', value: await describeHistory(source.history(request.path)) }
  }
}

async function describeNode(source: ComparedEntries, { key, before }: AskedNode) {
  const node = nodeMessage(await source.node(key))
  if (levelOf(key) === LEAF_LEVEL) return { node }
  const children = []
  for await (const child of source.children(key, before)) {
    children.push({ index: child.index, node: nodeMessage(child.node) })
    if (children.length === TREE_CHILDREN_MAX) return { node, children, more: true }
  }
  return { node, children }
}

interface Below {
  readonly key: string
  readonly before: EntryRef | undefined
}

/** A page of the first node, and all refs of further ones as long as they fit with it. */
async function pairsPages(
  source: ComparedEntries,
  { key, before, moreKeys }: Below & { readonly moreKeys: readonly TreeKey[] }
) {
  const first = await pairsOf(source, { key, before }, PAGE_PAIRS_MAX)
  const isWhole = first.length < PAGE_PAIRS_MAX
  const more: Uint8Array[] = []
  let room = PAGE_PAIRS_MAX - first.length
  const further = isWhole ? moreKeys : []
  for (let at = 0; at < further.length && room > 0; at += READ_AT_ONCE) {
    const keys = further.slice(at, at + READ_AT_ONCE)
    const max = room
    const read = keys.map((one) => pairsOf(source, { key: one, before: undefined }, max))
    for (const refs of await Promise.all(read)) {
      room -= refs.length
      if (room <= 0) break // there may be more of them
      more.push(encodeRefs(refs))
    }
  }
  return { refs: encodeRefs(first), next: encodeRefs(isWhole ? [] : first.slice(-1)), more }
}

/** The newest ones, at most so many. */
async function pairsOf(source: ComparedEntries, { key, before }: Below, max: number) {
  const refs: EntryRef[] = []
  for await (const ref of source.pairs(key, before)) {
    refs.push(ref)
    if (refs.length === max) break
  }
  return refs
}

async function rangePage(source: ComparedEntries, { key, before }: Below) {
  const entries: Uint8Array[] = []
  let bytes = 0
  for await (const entry of source.range(key, before)) {
    entries.push(entry)
    bytes += entry.byteLength
    if (isFull(entries, bytes, PAGE)) return { entries, next: encodeRefs(lastRefOf(entries)) }
  }
  return { entries }
}

/** One ref, or none: bytes that a disk has changed may be no entry. */
function lastRefOf(entries: readonly Uint8Array[]): EntryRef[] {
  for (const entry of entries.toReversed()) {
    try {
      return [refOf(decodeEntry(entry))]
    } catch (error) {
      if (!(error instanceof WireError)) throw error
    }
  }
  return []
}

async function fetchPage(source: ComparedEntries, refs: readonly EntryRef[]) {
  const entries: Uint8Array[] = []
  let served = 0
  for (let bytes = 0; served < refs.length && bytes < PAGE_BYTES; ) {
    const step = refs.slice(served, served + FETCH_REFS_STEP)
    for (const entry of await source.fetch(step)) {
      entries.push(entry)
      bytes += entry.byteLength
    }
    served += step.length
  }
  return { entries, served }
}

async function describeHistory({ current, past }: KeptHistory) {
  const told = []
  const entries: Uint8Array[] = []
  let bytes = 0
  for await (const { entry, sinceMs } of past) {
    told.push({ entry: entry.raw, sinceMs: BigInt(Math.max(0, Math.trunc(sinceMs))) })
    entries.push(entry.raw)
    bytes += entry.raw.byteLength
    if (isFull(entries, bytes, HISTORY)) break
  }
  return { ...(current && { current: current.raw }), past: told }
}
