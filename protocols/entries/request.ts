// The asking side of /tumesh/entries/1.

import type { MessageInitShape } from '@bufbuild/protobuf'
import type { ByteStream } from '../byte-stream.ts'
import { encodeMessage, failureOf, parseMessage } from '../message.ts'
import type { ImagePath } from '../path.ts'
import { RequestStream } from '../request-stream.ts'
import type { TreeKey } from '../time-tree-shape.ts'
import { type ReadEntries, readEntries } from './batch.ts'
import { type EntryRef, encodeRefs } from './entry-ref.ts'
import { ENTRIES_LIMITS, REQUESTS_OUTSTANDING_MAX } from './limits.ts'
import { RequestSchema, ResponseSchema } from './messages_pb.ts'
import { nodeMessage } from './node-message.ts'
import {
  type AnswerKind,
  type DescribedNode,
  type PairsPage,
  type Pushed,
  parseFetched,
  parseHistory,
  parseNodes,
  parsePairs,
  parseProof,
  parsePushed,
  parseRange,
  parseReviewed,
  parseStatus,
  type RangePage,
  type ToldHistory
} from './parse-answer.ts'
import type { AskedNode } from './parse-request.ts'
import type { Claim, EntriesStatus, Proof, Verdict } from './source.ts'
import { verdictMessage } from './vouches.ts'

type Question = NonNullable<MessageInitShape<typeof RequestSchema>['kind']>

/**
 * Asks one peer about its entries over one stream, a few requests ahead of their answers. Each call
 * throws StatusError if the peer refuses (the stream stays usable), else WireError, the stream's
 * error or the signal's reason; then the stream is broken and every later call throws the same.
 */
export class EntriesClient {
  readonly #requests: RequestStream
  /** Tombstones of images in buckets below this one are left out of what is compared. */
  horizon = 0

  constructor(stream: ByteStream) {
    this.#requests = new RequestStream(stream, {
      outstandingMax: REQUESTS_OUTSTANDING_MAX
    })
  }

  /** Requests sent so far. */
  get asked(): number {
    return this.#requests.asked
  }

  /**
   * Hands over one of the `batchesOf` some entries, and resolves when it is durable there. `sentTo`
   * are the peers that get the same batch, so that the receiver need not pass it on to them.
   */
  push(
    entries: readonly Uint8Array[],
    sentTo: readonly string[],
    signal: AbortSignal
  ): Promise<Pushed> {
    const value = { entries: [...entries], sentTo: [...sentTo] }
    return this.#ask({ case: 'push', value }, (it) => parsePushed(it, entries.length), signal)
  }

  /** Counts, sums and children of at most TREE_NODES_MAX nodes. */
  tree(nodes: readonly AskedNode[], signal: AbortSignal): Promise<readonly DescribedNode[]> {
    const { horizon } = this
    const value = { nodes: nodes.map(({ key, before }) => ({ key, before })), horizon }
    return this.#ask({ case: 'tree', value }, (it) => parseNodes(it, nodes), signal)
  }

  /** A page of the refs below a node, newest first, from `before` on. */
  async pairs(key: TreeKey, before: EntryRef | undefined, signal: AbortSignal): Promise<PairsPage> {
    const value = { key, before: cursorOf(before), horizon: this.horizon }
    const parse = (it: AnswerKind) => parsePairs(it, before, 1)
    const [page] = await this.#ask({ case: 'pairs', value }, parse, signal)
    return page as PairsPage
  }

  /** First pages of at most PAIRS_NODES_MAX nodes: of the first one, and of those that fit. */
  pairsOfMany(keys: readonly TreeKey[], signal: AbortSignal): Promise<readonly PairsPage[]> {
    const [key = '', ...moreKeys] = keys
    const value = { key, moreKeys, horizon: this.horizon }
    const parse = (it: AnswerKind) => parsePairs(it, undefined, keys.length)
    return this.#ask({ case: 'pairs', value }, parse, signal)
  }

  /** A page of the entries below a node, newest first, from `before` on. */
  range(key: TreeKey, before: EntryRef | undefined, signal: AbortSignal): Promise<RangePage> {
    const value = { key, before: cursorOf(before), horizon: this.horizon }
    return this.#ask({ case: 'range', value }, (it) => parseRange(it, before), signal)
  }

  /** Those entries of at most FETCH_REFS_MAX that are still current there. */
  async fetch(refs: readonly EntryRef[], signal: AbortSignal): Promise<ReadEntries> {
    const found: Uint8Array[] = []
    for (let at = 0; at < refs.length; ) {
      const left = refs.slice(at)
      const value = { refs: encodeRefs(left) }
      const parse = (it: AnswerKind) => parseFetched(it, left.length)
      const { entries, served } = await this.#ask({ case: 'fetch', value }, parse, signal)
      found.push(...entries)
      at += served
    }
    return readEntries(found)
  }

  /** What the peer says of itself as a whole. */
  status(signal: AbortSignal): Promise<EntriesStatus> {
    const value = { horizon: this.horizon }
    return this.#ask({ case: 'report', value }, parseStatus, signal)
  }

  /** Asks whether the peer has the same below a cut. */
  prove({ sums, vouches, ...claim }: Claim, signal: AbortSignal): Promise<Proof> {
    const value = { ...claim, sums: nodeMessage(sums), vouches: [...vouches] }
    return this.#ask({ case: 'prove', value }, parseProof, signal)
  }

  /** Tells the peer which of its images may have been deleted and forgotten here. */
  review(verdict: Verdict, signal: AbortSignal): Promise<number> {
    const value = { verdict: verdictMessage(verdict) }
    return this.#ask({ case: 'review', value }, parseReviewed, signal)
  }

  /** What the peer keeps of a path of an image. */
  history(path: ImagePath, signal: AbortSignal): Promise<ToldHistory> {
    return this.#ask({ case: 'history', value: { path } }, (it) => parseHistory(it, path), signal)
  }

  /** Ends the stream in good order. */
  end(signal: AbortSignal): Promise<void> {
    return this.#requests.end(signal)
  }

  /** Breaks the stream; a call under way throws. */
  abort(error: Error): void {
    this.#requests.abort(error)
  }

  async #ask<T>(kind: Question, parse: (answer: AnswerKind) => T, signal: AbortSignal): Promise<T> {
    const outcome = await this.#requests.ask(
      encodeMessage(RequestSchema, { kind }),
      async (reader) => {
        const frame = await reader.nextFrame(ENTRIES_LIMITS.answerBytesMax)
        const response = parseMessage(ResponseSchema, frame)
        const failure = failureOf(response)
        return failure === undefined ? { value: parse(response.kind) } : { failure }
      },
      signal
    )
    if ('failure' in outcome) throw outcome.failure
    return outcome.value
  }
}

function cursorOf(before: EntryRef | undefined): Uint8Array {
  return encodeRefs(before === undefined ? [] : [before])
}
