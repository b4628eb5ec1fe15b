// A line of the audit log.

export interface AuditLine {
  readonly at: string
  readonly action: string
  /** `key NAME`, `this machine`, `server ID`, `a file`, `this node`. */
  readonly by: string
  /** Where the caller is: an IP address. */
  readonly from?: string | undefined
  /** What the caller was answered. */
  readonly status?: number | undefined
  /** What it was about: paths, hashes, names, never secrets. */
  readonly about?: Readonly<Record<string, unknown>>
}
