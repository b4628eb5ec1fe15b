// How much goes into one message of /tumesh/entries/1.

import { ENTRY_BYTES_MAX } from '../entry.ts'

export const ENTRIES_LIMITS = {
  /** Pushes, an exchange, reports and histories, and one more of each while an old stream ends. */
  streamsMax: 8,
  /** A full batch (72 KiB) and a full list of who has got it (128 KiB). */
  requestBytesMax: 256 * 1024,
  /** A full page and one entry; or all children of as many nodes as one request may name. */
  answerBytesMax: 512 * 1024
} as const

/** Requests of one exchange that may be on their way at a time. */
export const REQUESTS_OUTSTANDING_MAX = 8

export const BATCH_ENTRIES_MAX = 256
/** The entry that reaches this many bytes is the last of its batch. */
export const BATCH_BYTES = 64 * 1024
export const BATCH_BYTES_MAX = BATCH_BYTES + ENTRY_BYTES_MAX
export const SENT_TO_MAX = 1000
export const PEER_ID_BYTES_MAX = 128

export const PAGE_ENTRIES_MAX = 1024
/** The entry that reaches this many bytes is the last of its page. */
export const PAGE_BYTES = 256 * 1024

/** 96 KiB of refs. */
export const PAGE_PAIRS_MAX = 4096
/** Nodes of which one request asks the pairs: small ones share what a request costs. */
export const PAIRS_NODES_MAX = 64
export const FETCH_REFS_MAX = 256
/**
 * An answer looks at so many refs at least, and stops after a multiple of it: the entries of so
 * many fit an answer beside a full page.
 */
export const FETCH_REFS_STEP = 16

export const TREE_NODES_MAX = 8
/** A child has at most 110 bytes, so full answers for 8 nodes have 220 KiB. */
export const TREE_CHILDREN_MAX = 256

export const WANT_RANGES_MAX = 1024

/** As many as a mesh has members: 110 KiB. */
export const VOUCHES_MAX = 1000
export const DATABASE_ID_BYTES_MAX = 64
/** Refs of one verdict: all of a page. */
export const VERDICT_REFS_MAX = 1024
/** Past entries of one path, which also end at PAGE_BYTES; the current one comes on top. */
export const HISTORY_PAST_MAX = 1000
