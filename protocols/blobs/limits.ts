// How much goes into one message of /tumesh/blobs/1.

export const BLOBS_LIMITS = {
  /**
   * Long-lived ones for bulk, short ones for a reader's miss, one for uploads that wait for proof.
   */
  streamsMax: 16,
  /** 256 items of at most 48 bytes, and room for fields of later versions. */
  requestBytesMax: 32 * 1024,
  answerBytesMax: 4 * 1024
} as const

export const ITEMS_MAX = 256
/**
 * Request frames that may be sent before the answers to the first have come: so the pipe never runs
 * dry.
 */
export const REQUESTS_OUTSTANDING_MAX = 4
/**
 * And that may wait to be sent: what a node asks a peer for ahead is bounded in bytes, and may be
 * so many blobs that it was told of one by one.
 */
export const REQUESTS_WAITING_MAX = 8192
/** Longer waits are asked for again: a stream that waits serves nothing else. */
export const HELD_TIMEOUT_MS_MAX = 60_000

/** Words are short; those of a table of a later version too. */
export const COPY_WORD_BYTES_MAX = 32
/** As people call a server. */
export const COPY_NAME_BYTES_MAX = 128
/** Times are ones that a date can hold. */
export const COPY_TIME_MS_MAX = 8.64e15

/** So much is put together where all of it is there at once. */
export const GATHERED_BYTES_MAX = 256 * 1024
/** At a limit so much is sent at a time: streams that share it keep moving, and none looks dead. */
export const PACED_BYTES_MAX = 16 * 1024
/** Pieces wait until they are this many bytes together: one write costs more than a copy of it. */
export const WRITE_BYTES = 64 * 1024
/** So many bytes of a blob that is of no use are passed over; for more the stream is broken. */
export const UNNEEDED_BYTES_MAX = 2 ** 20
