// How an answer begins. The set is open: a number that a node does not know is a failure like any
// other.

export const STATUS = {
  // 0 is what an empty message says, so it means nothing: no accident may look like success
  OK: 1,
  /** Not here. */
  MISSING: 2,
  /** Not now; the same request may succeed later, or elsewhere at once. */
  BUSY: 3,
  /** Not from you, or not while this node is set as it is. */
  REFUSED: 4,
  /** More than a limit allows. */
  TOO_LARGE: 5,
  /** Not a request that this node knows. */
  BAD_REQUEST: 6,
  /** The answering node has a trouble of its own, and its log says which. */
  INTERNAL: 7
} as const

export const REASON_BYTES_MAX = 512

export function statusName(status: number): string {
  const known = Object.entries(STATUS).find(([, number]) => number === status)
  return known === undefined ? `status ${status}` : known[0]
}

/**
 * An answer that is not OK. The stream can be used further. A source that throws it chooses the
 * answer: the other side throws the same.
 */
export class StatusError extends Error {
  readonly status: number

  constructor(status: number, reason: string) {
    super(reason === '' ? `the answer is ${statusName(status)}` : reason)
    this.name = 'StatusError'
    this.status = status
  }
}
