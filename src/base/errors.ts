// Every failure a user, a client or an operator can meet, with one table that says what each means
// outside.

interface ErrorKind {
  /** HTTP status where the failure answers a request. */
  readonly http: number
  /** Whether the same call may succeed later without anybody changing it. */
  readonly retry: boolean
}

/** Stable codes: clients and tests depend on them. */
export const ERROR_KINDS = {
  // what the caller sent
  BAD_REQUEST: { http: 400, retry: false },
  BAD_HASH: { http: 400, retry: false },
  BAD_INVITE: { http: 400, retry: false },
  HASH_MISMATCH: { http: 400, retry: false },
  UPLOAD_ABORTED: { http: 400, retry: true },
  UNAUTHORIZED: { http: 401, retry: false },
  FORBIDDEN: { http: 403, retry: false },
  NOT_FOUND: { http: 404, retry: false },
  METHOD_NOT_ALLOWED: { http: 405, retry: false },
  NOT_ACCEPTABLE: { http: 406, retry: false },
  NAME_TAKEN: { http: 409, retry: false },
  BRAKE_ENGAGED: { http: 409, retry: false },
  AMBIGUOUS_ID: { http: 409, retry: false },
  NO_THUMBNAIL: { http: 404, retry: false },
  GONE: { http: 410, retry: false },
  PRECONDITION_FAILED: { http: 412, retry: false },
  BLOB_TOO_LARGE: { http: 413, retry: false },
  EXTENSION_NOT_ALLOWED: { http: 415, retry: false },
  CONTENT_MISMATCH: { http: 415, retry: false },
  RANGE_NOT_SATISFIABLE: { http: 416, retry: false },
  VALIDATION: { http: 422, retry: false },
  INFECTED: { http: 422, retry: false },
  BAD_PATH: { http: 422, retry: false },
  BLOCKED: { http: 451, retry: false },
  TOO_MANY_REQUESTS: { http: 429, retry: true },
  // what the node can't do now
  INTERNAL: { http: 500, retry: true },
  DISK_FAULT: { http: 500, retry: true },
  NOT_AVAILABLE: { http: 503, retry: true },
  PEER_UNREACHABLE: { http: 503, retry: true },
  SAME_NODE: { http: 400, retry: false },
  SYNC_OFF: { http: 503, retry: false },
  READ_ONLY: { http: 503, retry: true },
  BUSY: { http: 503, retry: true },
  STOPPING: { http: 503, retry: true },
  DISK_FULL: { http: 507, retry: true },
  // what keeps a node from starting
  BAD_CONFIG: { http: 500, retry: false },
  PORT_TAKEN: { http: 500, retry: false },
  ADDRESS_UNUSABLE: { http: 500, retry: false },
  FOLDER_IN_USE: { http: 500, retry: false },
  FOLDER_UNWRITABLE: { http: 500, retry: false },
  FOLDER_FORMAT: { http: 500, retry: false },
  MARKER_MISSING: { http: 500, retry: false },
  MARKER_FOREIGN: { http: 500, retry: false }
} as const satisfies Record<string, ErrorKind>

export type ErrorCode = keyof typeof ERROR_KINDS

/**
 * A failure with a stable code. `message` is one or two sentences: what happened, and what to do.
 */
export class NodeError extends Error {
  readonly code: ErrorCode
  /** Facts for logs and tests; never secrets. */
  readonly details: Readonly<Record<string, unknown>>

  constructor(
    code: ErrorCode,
    message: string,
    details: Readonly<Record<string, unknown>> = {},
    options?: ErrorOptions
  ) {
    super(message, options)
    this.name = 'NodeError'
    this.code = code
    this.details = details
  }

  get http(): number {
    return ERROR_KINDS[this.code].http
  }
}

/**
 * The system's code of a failed call (`ENOENT`, `LEVEL_LOCKED`), also when another error wraps it.
 */
export function systemCodeOf(error: unknown): string | undefined {
  for (let at = error; at instanceof Error; at = at.cause) {
    const { code } = at as NodeJS.ErrnoException
    if (typeof code === 'string' && !(at instanceof NodeError)) return code
  }
  return undefined
}

/** A broken invariant: the program is wrong, not its input. Stops the node. */
export function invariant(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Error(`invariant broken: ${what}`)
}
