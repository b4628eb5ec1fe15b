// What each call of the HTTP interface takes and answers, by its method and address. Written by
// scripts/client-reference.ts from /openapi.json; change the routes, not this file.

export interface Operations {
  /** State of the storage. */
  readonly 'GET /api/storage-status': {
    readonly path?: undefined
    readonly query?: undefined
    readonly body?: undefined
    readonly answer: {
      readonly status: 'healthy' | 'degraded' | 'read_only' | 'critical'
      readonly status_reasons: readonly string[]
      readonly status_causes: ReadonlyArray<{
        readonly code: string
        readonly text: string
        readonly details: Readonly<Record<string, string | number>>
      }>
      readonly total_files: number
      readonly total_size: number
      readonly local_files: number
      readonly local_size: number
      readonly unique_blobs: number
      readonly missing_files: number
      readonly corrupted_files: number
      readonly quarantined_files: number
      readonly blocked_files: number
      readonly deleted_files: number
      readonly trash_size: number
      readonly disk: {
        readonly total: number
        readonly used: number
        readonly free: number
        readonly reserved: number
        readonly inodes_total: number | null
        readonly inodes_free: number
        readonly inodes_reserved: number
        readonly state: 'ok' | 'low' | 'full'
      }
      readonly integrity: {
        readonly last_scan_at: string | null
        readonly next_scan_at: string | null
        readonly scanned_files: number
        readonly corrupted_files: number
        readonly repaired_files: number
        readonly unrepairable_files: number
      }
      readonly node: {
        readonly name: string
        readonly peer_id: string
        readonly cluster: string
        readonly version: string
        readonly uptime_seconds: number
        readonly addresses: readonly string[]
        readonly pid: number
        readonly signed_urls: boolean
      }
      readonly distributed_storage: true
      readonly sync_queue_size: number
      readonly pending_bytes: number
      readonly under_replicated_files: number
      readonly review_files: number
      readonly servers: ReadonlyArray<{
        readonly name: string
        readonly peer_id: string
        readonly host: string
        readonly port: number
        readonly addresses: readonly string[]
        readonly status: 'online' | 'syncing' | 'offline' | 'away' | 'refused'
        readonly connected_at: string | null
        readonly last_seen: string | null
        readonly last_sync: string | null
        readonly latency_ms: number | null
        readonly clock_offset_ms: number | null
        readonly missing_files: number
        readonly missing_bytes: number
        readonly eta_seconds: number | null
        readonly disk_state: 'ok' | 'low' | 'full' | null
        readonly disk_since: string | null
        readonly faults: number
        readonly last_error: string | null
        readonly last_cause: {
          readonly code: string
          readonly text: string
          readonly details: Readonly<Record<string, string | number>>
        } | null
      }>
    } | {
      readonly status: 'healthy' | 'degraded' | 'read_only' | 'critical'
      readonly status_reasons: readonly string[]
      readonly status_causes: ReadonlyArray<{
        readonly code: string
        readonly text: string
        readonly details: Readonly<Record<string, string | number>>
      }>
      readonly total_files: number
      readonly total_size: number
      readonly local_files: number
      readonly local_size: number
      readonly unique_blobs: number
      readonly missing_files: number
      readonly corrupted_files: number
      readonly quarantined_files: number
      readonly blocked_files: number
      readonly deleted_files: number
      readonly trash_size: number
      readonly disk: {
        readonly total: number
        readonly used: number
        readonly free: number
        readonly reserved: number
        readonly inodes_total: number | null
        readonly inodes_free: number
        readonly inodes_reserved: number
        readonly state: 'ok' | 'low' | 'full'
      }
      readonly integrity: {
        readonly last_scan_at: string | null
        readonly next_scan_at: string | null
        readonly scanned_files: number
        readonly corrupted_files: number
        readonly repaired_files: number
        readonly unrepairable_files: number
      }
      readonly node: {
        readonly name: string
        readonly peer_id: string
        readonly cluster: string
        readonly version: string
        readonly uptime_seconds: number
        readonly addresses: readonly string[]
        readonly pid: number
        readonly signed_urls: boolean
      }
      readonly distributed_storage: false
      readonly message: '分布式存储未启用'
    }
  }
  /** Compare with other servers now. */
  readonly 'POST /api/force-file-sync': {
    readonly path?: undefined
    readonly query?: undefined
    readonly body?: {
      readonly paths?: readonly string[] | null | undefined
      readonly servers?: readonly string[] | null | undefined
      readonly dry_run?: boolean | null | undefined
    } | null | undefined
    readonly answer: {
      readonly status: 'success'
      readonly message: string
      readonly queued_files: number
      readonly in_sync_files: number
      readonly task_id: string | null
      readonly background: boolean
    }
  }
  /** State of the synchronisation. */
  readonly 'GET /file-sync/api/file-sync/status': {
    readonly path?: undefined
    readonly query?: undefined
    readonly body?: undefined
    readonly answer: {
      readonly status: 'running' | 'idle' | 'degraded' | 'stopped'
      readonly server_name: string
      readonly peer_id: string
      readonly version: string
      readonly uptime_seconds: number
      readonly sync_enabled: boolean
      readonly verify_integrity: boolean
      readonly total_files: number
      readonly total_size: number
      readonly sync_queue_size: number
      readonly failed_files: number
      readonly bytes_received: number
      readonly bytes_sent: number
      readonly files_received: number
      readonly files_sent: number
      readonly progress: {
        readonly done_files: number
        readonly total_files: number
        readonly done_bytes: number
        readonly total_bytes: number
        readonly percent: number
        readonly rate: number
        readonly eta_seconds: number | null
      }
      readonly active_transfers: ReadonlyArray<{
        readonly path: string
        readonly sha256: string
        readonly from: string
        readonly bytes_done: number
        readonly size: number
        readonly rate: number
      }>
      readonly servers: ReadonlyArray<{
        readonly name: string
        readonly peer_id: string
        readonly host: string
        readonly port: number
        readonly addresses: readonly string[]
        readonly status: 'online' | 'syncing' | 'offline' | 'away' | 'refused'
        readonly connected_at: string | null
        readonly last_seen: string | null
        readonly last_sync: string | null
        readonly latency_ms: number | null
        readonly clock_offset_ms: number | null
        readonly missing_files: number
        readonly missing_bytes: number
        readonly eta_seconds: number | null
        readonly disk_state: 'ok' | 'low' | 'full' | null
        readonly disk_since: string | null
        readonly faults: number
        readonly last_error: string | null
        readonly last_cause: {
          readonly code: string
          readonly text: string
          readonly details: Readonly<Record<string, string | number>>
        } | null
      }>
      readonly last_sync: string | null
      readonly last_error: string | null
    }
  }
  /** List images: without limit all of them, streamed; with Accept: application/x-ndjson one a line. */
  readonly 'GET /file-sync/api/file-sync/files': {
    readonly path?: undefined
    readonly query?: {
      readonly limit?: number | undefined
      readonly cursor?: string | undefined
      readonly prefix?: string | undefined
      readonly state?: 'ok' | 'pending' | 'missing' | 'corrupted' | 'blocked' | undefined
      readonly since?: string | undefined
      readonly source_url?: string | undefined
    } | undefined
    readonly body?: undefined
    readonly answer: {
      readonly status: 'success'
      readonly total_files: number | null
      readonly total_size: number | null
      readonly count: number
      readonly next_cursor: string | null
      readonly files: ReadonlyArray<{
        readonly path: string
        readonly filename: string
        readonly size: number
        readonly hash: string
        readonly sha256: string
        readonly cid: string
        readonly mime_type: string
        readonly recognized: boolean
        readonly width: number | null
        readonly height: number | null
        readonly source_url: string | null
        readonly writer: string
        readonly created_at: string
        readonly modified_at: string
        readonly verified_at: string | null
        readonly state: 'ok' | 'pending' | 'missing' | 'corrupted' | 'blocked'
        readonly local: boolean
        readonly servers: readonly string[]
        readonly replicas: number
        readonly url: string
      }>
    }
  }
  /** Read images again and compare them with their hashes. */
  readonly 'POST /file-sync/api/file-sync/verify': {
    readonly path?: undefined
    readonly query?: undefined
    readonly body?: {
      readonly paths?: readonly string[] | null | undefined
      readonly prefix?: string | null | undefined
      readonly path?: string | null | undefined
      readonly hash?: string | null | undefined
      readonly repair?: boolean | null | undefined
    } | null | undefined
    readonly answer: {
      readonly status: 'success'
      readonly message: string
      readonly total_files: number
      readonly verified_files: number
      readonly valid_files: number
      readonly corrupted_files: ReadonlyArray<{
        readonly path: string
        readonly expected: string
        readonly actual: string | null
        readonly expected_sha256: string
        readonly actual_sha256: string | null
        readonly action: string
      }>
      readonly missing_files: readonly string[]
      readonly blocked_files: readonly string[]
      readonly repaired_files: readonly string[]
      readonly unrepairable_files: readonly string[]
      readonly duration: number
    } | {
      readonly status: 'accepted'
      readonly message: string
      readonly task_id: string
      readonly background: true
    } | {
      readonly status: 'accepted'
      readonly message: string
      readonly task_id: string
      readonly background: true
    }
  }
  /** Background tasks, those that have ended lately too. */
  readonly 'GET /file-sync/api/file-sync/tasks': {
    readonly path?: undefined
    readonly query?: undefined
    readonly body?: undefined
    readonly answer: {
      readonly status: 'success'
      readonly tasks: ReadonlyArray<{
        readonly task_id: string
        readonly kind: string
        readonly status: 'running' | 'completed' | 'failed'
        readonly total: number
        readonly processed: number
        readonly start_time: number
        readonly end_time: number | null
      }>
    }
  }
  /** State and result of a background task. */
  readonly 'GET /file-sync/api/file-sync/tasks/{id}': {
    readonly path: {
      readonly id: string
    }
    readonly query?: undefined
    readonly body?: undefined
    readonly answer: {
      readonly task_id: string
      readonly kind: string
      readonly status: 'running' | 'completed' | 'failed'
      readonly total: number
      readonly processed: number
      readonly errors: ReadonlyArray<{
        readonly subject: string
        readonly detail: string
        readonly code?: string | undefined
        readonly cause?: {
          readonly code: string
          readonly details: Readonly<Record<string, string | number>>
        } | undefined
      }>
      readonly start_time: number
      readonly end_time: number | null
      readonly result: unknown
    }
  }
  /** Add images: up to 100 files in one request. */
  readonly 'POST /file-sync/api/file-sync/upload': {
    readonly path?: undefined
    readonly query?: {
      readonly wait?: string | undefined
      readonly timeout?: number | undefined
    } | undefined
    readonly body?: undefined
    readonly answer: {
      readonly filename: string
      readonly size: number
      readonly hash: string
      readonly sha256: string
      readonly cid: string
      readonly mime_type: string
      readonly recognized: boolean
      readonly width: number | null
      readonly height: number | null
      readonly url: string
      readonly replicas: number
      readonly servers: readonly string[]
      readonly status: 'success' | 'accepted'
      readonly message: string
      readonly file_path: string
      readonly duplicate: boolean
      readonly duplicate_of: string | null
    } | {
      readonly status: 'success' | 'accepted'
      readonly message: string
      readonly files: ReadonlyArray<{
        readonly filename: string
        readonly size: number
        readonly hash: string
        readonly sha256: string
        readonly cid: string
        readonly mime_type: string
        readonly recognized: boolean
        readonly width: number | null
        readonly height: number | null
        readonly url: string
        readonly replicas: number
        readonly servers: readonly string[]
        readonly status: 'success' | 'accepted'
        readonly message: string
        readonly file_path: string
        readonly duplicate: boolean
        readonly duplicate_of: string | null
      } | {
        readonly status: 'error'
        readonly filename: string
        readonly detail: unknown
        readonly code: string
      }>
    }
  }
  /** Read an image. */
  readonly 'GET /images/{path}': {
    readonly path: {
      readonly path: string
    }
    readonly query?: undefined
    readonly body?: undefined
    readonly answer: undefined
  }
  /** Store an image under a path. */
  readonly 'PUT /images/{path}': {
    readonly path: {
      readonly path: string
    }
    readonly query?: {
      readonly wait?: string | undefined
      readonly timeout?: number | undefined
    } | undefined
    readonly body?: undefined
    readonly answer: {
      readonly filename: string
      readonly size: number
      readonly hash: string
      readonly sha256: string
      readonly cid: string
      readonly mime_type: string
      readonly recognized: boolean
      readonly width: number | null
      readonly height: number | null
      readonly url: string
      readonly replicas: number
      readonly servers: readonly string[]
      readonly status: 'success' | 'accepted'
      readonly message: string
      readonly file_path: string
      readonly duplicate: boolean
      readonly duplicate_of: string | null
    }
  }
  /** Delete an image; it can be restored for a while. */
  readonly 'DELETE /images/{path}': {
    readonly path: {
      readonly path: string
    }
    readonly query?: {
      readonly purge?: boolean | undefined
    } | undefined
    readonly body?: undefined
    readonly answer: {
      readonly status: 'success'
      readonly message: string
      readonly path: string
      readonly deleted_servers: readonly string[]
      readonly pending_servers: readonly string[]
      readonly recoverable_until: string | null
    }
  }
  /** The same as /images/{path}. */
  readonly 'GET /file-sync/api/file-sync/download/{path}': {
    readonly path: {
      readonly path: string
    }
    readonly query?: undefined
    readonly body?: undefined
    readonly answer: undefined
  }
  /** The same as /images/{path}. */
  readonly 'GET /static/data/images/{path}': {
    readonly path: {
      readonly path: string
    }
    readonly query?: undefined
    readonly body?: undefined
    readonly answer: undefined
  }
  /** Read bytes by SHA-256, CID or MD5. */
  readonly 'GET /blobs/{hash}': {
    readonly path: {
      readonly hash: string
    }
    readonly query?: undefined
    readonly body?: undefined
    readonly answer: {
      readonly message: string
      readonly choices: ReadonlyArray<{
        readonly sha256: string
        readonly cid: string
        readonly size: number
        readonly mime_type: string
        readonly url: string
      }>
    }
  }
  /** Read a raw block (trustless gateway). */
  readonly 'GET /ipfs/{cid}': {
    readonly path: {
      readonly cid: string
    }
    readonly query?: undefined
    readonly body?: undefined
    readonly answer: undefined
  }
  /** A small picture of an image, by SHA-256 or CID. */
  readonly 'GET /thumbnails/{hash}': {
    readonly path: {
      readonly hash: string
    }
    readonly query?: {
      readonly size?: number | undefined
    } | undefined
    readonly body?: undefined
    readonly answer: undefined
  }
  /** All about one image: its facts, where it is, what happened to it. */
  readonly 'GET /file-sync/api/file-sync/file/{path}': {
    readonly path: {
      readonly path: string
    }
    readonly query?: undefined
    readonly body?: undefined
    readonly answer: {
      readonly path: string
      readonly filename: string
      readonly size: number
      readonly hash: string
      readonly sha256: string
      readonly cid: string
      readonly mime_type: string
      readonly recognized: boolean
      readonly width: number | null
      readonly height: number | null
      readonly source_url: string | null
      readonly writer: string
      readonly created_at: string
      readonly modified_at: string
      readonly verified_at: string | null
      readonly state: 'ok' | 'pending' | 'missing' | 'corrupted' | 'blocked'
      readonly local: boolean
      readonly servers: ReadonlyArray<{
        readonly name: string
        readonly has: boolean
        readonly verified_at: string | null
        readonly state: string
        readonly lost: string | null
        readonly reason: string | null
        readonly detail: string | null
        readonly cause: {
          readonly code: string
          readonly text: string
          readonly details: Readonly<Record<string, string | number>>
        } | null
        readonly from: string | null
        readonly ahead: number | null
        readonly behind: number | null
        readonly comparing: boolean | null
        readonly since: string | null
        readonly next_try_at: string | null
      }>
      readonly replicas: number
      readonly url: string
      readonly paths: readonly string[]
      readonly history: ReadonlyArray<{
        readonly at: string
        readonly event: 'added' | 'replaced' | 'restored' | 'deleted' | 'adopted' | 'damaged' | 'missing' | 'healed'
        readonly node: string | null
        readonly sha256: string | null
        readonly conflict: boolean
      }>
      readonly complete: boolean
      readonly deleted: false
      readonly shown_as: string | null
    } | {
      readonly path: string
      readonly filename: string
      readonly size: number | null
      readonly hash: string | null
      readonly sha256: string | null
      readonly cid: string | null
      readonly mime_type: string | null
      readonly recognized: boolean | null
      readonly width: number | null
      readonly height: number | null
      readonly source_url: string | null
      readonly writer: string
      readonly created_at: string
      readonly modified_at: string
      readonly verified_at: string | null
      readonly state: 'deleted'
      readonly local: false
      readonly replicas: 0
      readonly url: null
      readonly recoverable_until: string | null
      readonly paths: readonly string[]
      readonly servers: ReadonlyArray<{
        readonly name: string
        readonly has: boolean
        readonly verified_at: string | null
        readonly state: string
        readonly lost: string | null
        readonly reason: string | null
        readonly detail: string | null
        readonly cause: {
          readonly code: string
          readonly text: string
          readonly details: Readonly<Record<string, string | number>>
        } | null
        readonly from: string | null
        readonly ahead: number | null
        readonly behind: number | null
        readonly comparing: boolean | null
        readonly since: string | null
        readonly next_try_at: string | null
      }>
      readonly history: ReadonlyArray<{
        readonly at: string
        readonly event: 'added' | 'replaced' | 'restored' | 'deleted' | 'adopted' | 'damaged' | 'missing' | 'healed'
        readonly node: string | null
        readonly sha256: string | null
        readonly conflict: boolean
      }>
      readonly complete: boolean
      readonly deleted: true
    }
  }
  /** Delete an image; it can be restored for a while. */
  readonly 'DELETE /file-sync/api/file-sync/file/{path}': {
    readonly path: {
      readonly path: string
    }
    readonly query?: {
      readonly purge?: boolean | undefined
    } | undefined
    readonly body?: undefined
    readonly answer: {
      readonly status: 'success'
      readonly message: string
      readonly path: string
      readonly deleted_servers: readonly string[]
      readonly pending_servers: readonly string[]
      readonly recoverable_until: string | null
    }
  }
  /** Where bytes are, by SHA-256, CID or MD5: images, servers, and why not on the others. */
  readonly 'GET /api/copies/{hash}': {
    readonly path: {
      readonly hash: string
    }
    readonly query?: undefined
    readonly body?: undefined
    readonly answer: {
      readonly sha256: string
      readonly cid: string
      readonly hash: string | null
      readonly size: number | null
      readonly paths: readonly string[]
      readonly servers: ReadonlyArray<{
        readonly name: string
        readonly has: boolean
        readonly verified_at: string | null
        readonly state: string
        readonly lost: string | null
        readonly reason: string | null
        readonly detail: string | null
        readonly cause: {
          readonly code: string
          readonly text: string
          readonly details: Readonly<Record<string, string | number>>
        } | null
        readonly from: string | null
        readonly ahead: number | null
        readonly behind: number | null
        readonly comparing: boolean | null
        readonly since: string | null
        readonly next_try_at: string | null
      }>
      readonly complete: boolean
    }
  }
  /** Bring back a deleted image, or an earlier version of one. */
  readonly 'POST /api/restore': {
    readonly path?: undefined
    readonly query?: undefined
    readonly body: {
      readonly path: string
      readonly sha256?: string | undefined
    }
    readonly answer: {
      readonly path: string
      readonly filename: string
      readonly size: number
      readonly hash: string
      readonly sha256: string
      readonly cid: string
      readonly mime_type: string
      readonly recognized: boolean
      readonly width: number | null
      readonly height: number | null
      readonly source_url: string | null
      readonly writer: string
      readonly created_at: string
      readonly modified_at: string
      readonly verified_at: string | null
      readonly state: 'ok' | 'pending' | 'missing' | 'corrupted' | 'blocked'
      readonly local: boolean
      readonly servers: readonly string[]
      readonly replicas: number
      readonly url: string
      readonly status: 'success'
      readonly message: string
    }
  }
  /** Rename an image. */
  readonly 'POST /api/move': {
    readonly path?: undefined
    readonly query?: undefined
    readonly body: {
      readonly from: string
      readonly to: string
    }
    readonly answer: {
      readonly path: string
      readonly filename: string
      readonly size: number
      readonly hash: string
      readonly sha256: string
      readonly cid: string
      readonly mime_type: string
      readonly recognized: boolean
      readonly width: number | null
      readonly height: number | null
      readonly source_url: string | null
      readonly writer: string
      readonly created_at: string
      readonly modified_at: string
      readonly verified_at: string | null
      readonly state: 'ok' | 'pending' | 'missing' | 'corrupted' | 'blocked'
      readonly local: boolean
      readonly servers: readonly string[]
      readonly replicas: number
      readonly url: string
      readonly status: 'success'
      readonly message: string
    }
  }
  /** Give an image one more path. */
  readonly 'POST /api/copy': {
    readonly path?: undefined
    readonly query?: undefined
    readonly body: {
      readonly from: string
      readonly to: string
    }
    readonly answer: {
      readonly path: string
      readonly filename: string
      readonly size: number
      readonly hash: string
      readonly sha256: string
      readonly cid: string
      readonly mime_type: string
      readonly recognized: boolean
      readonly width: number | null
      readonly height: number | null
      readonly source_url: string | null
      readonly writer: string
      readonly created_at: string
      readonly modified_at: string
      readonly verified_at: string | null
      readonly state: 'ok' | 'pending' | 'missing' | 'corrupted' | 'blocked'
      readonly local: boolean
      readonly servers: readonly string[]
      readonly replicas: number
      readonly url: string
      readonly status: 'success'
      readonly message: string
    }
  }
  /** List images, newest first. */
  readonly 'GET /api/images': {
    readonly path?: undefined
    readonly query?: {
      readonly limit?: number | undefined
      readonly cursor?: string | undefined
      readonly prefix?: string | undefined
      readonly contains?: string | undefined
      readonly hash?: string | undefined
    } | undefined
    readonly body?: undefined
    readonly answer: {
      readonly status: 'success'
      readonly total: number | null
      readonly count: number
      readonly next_cursor: string | null
      readonly images: ReadonlyArray<{
        readonly path: string
        readonly filename: string
        readonly size: number
        readonly hash: string
        readonly sha256: string
        readonly cid: string
        readonly mime_type: string
        readonly width: number | null
        readonly height: number | null
        readonly source_url: string | null
        readonly created_at: string
        readonly modified_at: string
        readonly url: string
        readonly state: 'ok' | 'pending' | 'missing' | 'corrupted' | 'blocked'
        readonly id: number
      }>
    }
  }
  /** Delete many images by image_ids, paths or hashes. */
  readonly 'DELETE /api/images': {
    readonly path?: undefined
    readonly query?: undefined
    readonly body: {
      readonly image_ids?: ReadonlyArray<number | string> | undefined
      readonly paths?: readonly string[] | undefined
      readonly hashes?: readonly string[] | undefined
    }
    readonly answer: {
      readonly status: 'success' | 'partial'
      readonly message: string
      readonly deleted_count: number
      readonly deleted: readonly string[]
      readonly failed: ReadonlyArray<{
        readonly path: string
        readonly detail: string
      }>
      readonly not_found: ReadonlyArray<number | string>
    } | {
      readonly status: 'accepted'
      readonly message: string
      readonly task_id: string
      readonly background: true
      readonly total: number
    }
  }
  /** State and result of a bulk deletion. */
  readonly 'GET /api/delete-task/{id}': {
    readonly path: {
      readonly id: string
    }
    readonly query?: undefined
    readonly body?: undefined
    readonly answer: {
      readonly task_id: string
      readonly kind: string
      readonly status: 'running' | 'completed' | 'failed'
      readonly total: number
      readonly processed: number
      readonly errors: ReadonlyArray<{
        readonly subject: string
        readonly detail: string
        readonly code?: string | undefined
        readonly cause?: {
          readonly code: string
          readonly details: Readonly<Record<string, string | number>>
        } | undefined
      }>
      readonly start_time: number
      readonly end_time: number | null
      readonly result: unknown
      readonly deleted_count: number
      readonly progress: number
    }
  }
  /** Images that another server may have deleted long ago, kept for you to decide on. */
  readonly 'GET /api/review': {
    readonly path?: undefined
    readonly query?: {
      readonly limit?: number | undefined
      readonly cursor?: string | undefined
    } | undefined
    readonly body?: undefined
    readonly answer: {
      readonly status: 'success'
      readonly total: number
      readonly count: number
      readonly next_cursor: string | null
      readonly files: ReadonlyArray<{
        readonly path: string
        readonly filename: string
        readonly size: number
        readonly hash: string
        readonly sha256: string
        readonly cid: string
        readonly mime_type: string
        readonly width: number | null
        readonly height: number | null
        readonly source_url: string | null
        readonly created_at: string
        readonly modified_at: string
        readonly since: string
        readonly refused_by: string
      }>
    }
  }
  /** Restore or discard images that wait for review, some or all. */
  readonly 'POST /api/review': {
    readonly path?: undefined
    readonly query?: undefined
    readonly body: {
      readonly action: 'restore' | 'discard'
      readonly paths?: readonly string[] | undefined
      readonly all?: true | undefined
    }
    readonly answer: {
      readonly status: 'success' | 'partial'
      readonly message: string
      readonly restored: number
      readonly discarded: number
      readonly not_found: number
      readonly failed: ReadonlyArray<{
        readonly path: string
        readonly detail: string
      }>
    } | {
      readonly status: 'accepted'
      readonly message: string
      readonly task_id: string
      readonly background: true
    }
  }
  /** List the hashes that are blocked on all servers. */
  readonly 'GET /api/blocks': {
    readonly path?: undefined
    readonly query?: undefined
    readonly body?: undefined
    readonly answer: {
      readonly status: 'success'
      readonly total: number
      readonly held: number
      readonly left_out: number
      readonly blocks: ReadonlyArray<{
        readonly sha256: string
        readonly reason: string
        readonly node: string
        readonly blocked_at: string
        readonly paths: readonly string[]
      }>
    }
  }
  /** Block a hash: no server of the mesh gives, takes or passes on these bytes any more. */
  readonly 'POST /api/blocks': {
    readonly path?: undefined
    readonly query?: undefined
    readonly body: {
      readonly sha256?: string | undefined
      readonly path?: string | undefined
      readonly reason: string
    }
    readonly answer: {
      readonly status: 'success'
      readonly message: string
      readonly sha256: string
    }
  }
  /** Unblock a hash: the images that name it are there again. */
  readonly 'DELETE /api/blocks/{hash}': {
    readonly path: {
      readonly hash: string
    }
    readonly query?: undefined
    readonly body?: undefined
    readonly answer: {
      readonly status: 'success'
      readonly message: string
      readonly sha256: string
    }
  }
  /** Deleted and replaced images that can be restored, the latest first. */
  readonly 'GET /api/trash': {
    readonly path?: undefined
    readonly query?: {
      readonly limit?: number | undefined
      readonly cursor?: string | undefined
    } | undefined
    readonly body?: undefined
    readonly answer: {
      readonly status: 'success'
      readonly size: number
      readonly count: number
      readonly next_cursor: string | null
      readonly files: ReadonlyArray<{
        readonly path: string
        readonly filename: string
        readonly size: number
        readonly hash: string
        readonly sha256: string
        readonly cid: string
        readonly mime_type: string
        readonly width: number | null
        readonly height: number | null
        readonly source_url: string | null
        readonly created_at: string
        readonly modified_at: string
        readonly why: 'deleted' | 'replaced'
        readonly since: string
        readonly recoverable_until: string
      }>
    }
  }
  /** What stopped because it was too much to be meant. */
  readonly 'GET /api/brakes': {
    readonly path?: undefined
    readonly query?: undefined
    readonly body?: undefined
    readonly answer: {
      readonly status: 'success'
      readonly brakes: ReadonlyArray<{
        readonly kind: 'loss' | 'changes'
        readonly token: string
        readonly since: string
        readonly count: number
        readonly of: number
        readonly reason: string
      }>
      readonly released: ReadonlyArray<{
        readonly kind: 'loss' | 'changes'
        readonly how: 'confirm' | 'undo' | 'back'
        readonly at: string
        readonly by: string | null
        readonly from: string | null
        readonly count: number
        readonly of: number
      }>
    }
  }
  /** Confirm or undo what stopped. */
  readonly 'POST /api/brakes': {
    readonly path?: undefined
    readonly query?: undefined
    readonly body: {
      readonly token: string
      readonly action?: 'confirm' | 'undo' | undefined
    }
    readonly answer: {
      readonly status: 'success' | 'accepted'
      readonly message: string
      readonly task_id?: string | undefined
    }
  }
  /** What an undo would take back, as it is now. */
  readonly 'GET /api/brakes/{token}': {
    readonly path: {
      readonly token: string
    }
    readonly query?: {
      readonly limit?: number | undefined
      readonly cursor?: string | undefined
    } | undefined
    readonly body?: undefined
    readonly answer: {
      readonly status: 'success'
      readonly token: string
      readonly since: string
      readonly images: number | null
      readonly missing: number | null
      readonly uncounted: boolean
      readonly blocks: number
      readonly next_cursor: string | null
      readonly next_offset: null
      readonly changes: ReadonlyArray<{
        readonly what: 'deleted' | 'replaced' | 'blocked'
        readonly path: string | null
        readonly sha256: string
        readonly by: string
        readonly at: string
        readonly here: boolean
        readonly reason: string | null
        readonly held: boolean
      }>
    }
  }
  /** Take in the images of folders of this server. */
  readonly 'POST /api/adopt': {
    readonly path?: undefined
    readonly query?: undefined
    readonly body: {
      readonly folders: readonly string[]
      readonly link?: boolean | undefined
    }
    readonly answer: {
      readonly status: 'accepted'
      readonly message: string
      readonly task_id: string
      readonly background: true
    }
  }
  /** The index with all that it remembers, as gzipped lines of JSON. */
  readonly 'GET /api/backup': {
    readonly path?: undefined
    readonly query?: undefined
    readonly body?: undefined
    readonly answer: undefined
  }
  /** Take in a backup: what is newer here stays. */
  readonly 'POST /api/backup': {
    readonly path?: undefined
    readonly query?: undefined
    readonly body?: undefined
    readonly answer: {
      readonly status: 'success'
      readonly message: string
      readonly entries: number
      readonly taken: number
      readonly left_out: number
      readonly found: number
    }
  }
  /** Whether this server can be switched off without an image going out of reach. */
  readonly 'GET /api/drain': {
    readonly path?: undefined
    readonly query?: undefined
    readonly body?: undefined
    readonly answer: {
      readonly status: 'success'
      readonly message: string
      readonly safe_to_switch_off: boolean
      readonly only_here_files: number
      readonly only_here_bytes: number
      readonly only_here_paths: readonly string[]
      readonly pending_uploads: number
      readonly servers: readonly string[]
      readonly task_id: string | null
    }
  }
  /** Hand over to other servers what only this node has. */
  readonly 'POST /api/drain': {
    readonly path?: undefined
    readonly query?: undefined
    readonly body?: undefined
    readonly answer: {
      readonly status: 'success'
      readonly message: string
      readonly safe_to_switch_off: boolean
      readonly only_here_files: number
      readonly only_here_bytes: number
      readonly only_here_paths: readonly string[]
      readonly pending_uploads: number
      readonly servers: readonly string[]
      readonly task_id: string | null
    }
  }
  /** Until when the others are told that this server may be off. */
  readonly 'GET /api/away': {
    readonly path?: undefined
    readonly query?: undefined
    readonly body?: undefined
    readonly answer: {
      readonly status: 'success'
      readonly away_until: string | null
    }
  }
  /** Tell the other servers that this one will be off for a while. */
  readonly 'POST /api/away': {
    readonly path?: undefined
    readonly query?: undefined
    readonly body: {
      readonly for: string
    }
    readonly answer: {
      readonly status: 'success'
      readonly away_until: string | null
      readonly message: string
    }
  }
  /** Tell them that it is not. */
  readonly 'DELETE /api/away': {
    readonly path?: undefined
    readonly query?: undefined
    readonly body?: undefined
    readonly answer: {
      readonly status: 'success'
      readonly away_until: string | null
      readonly message: string
    }
  }
  /** How much may pass between this node and others. */
  readonly 'GET /api/limits': {
    readonly path?: undefined
    readonly query?: undefined
    readonly body?: undefined
    readonly answer: {
      readonly status: 'success'
      readonly limits: {
        readonly receive_reads: number | null
        readonly receive_new: number | null
        readonly receive_repair: number | null
        readonly receive_catch_up: number | null
        readonly receive_per_server: number | null
        readonly receive_remote: number | null
        readonly send_per_server: number | null
        readonly send_remote: number | null
      }
    }
  }
  /** Change some of these limits until the node ends; the configuration stays as it is. */
  readonly 'PUT /api/limits': {
    readonly path?: undefined
    readonly query?: undefined
    readonly body: {
      readonly receive_reads?: string | number | null | undefined
      readonly receive_new?: string | number | null | undefined
      readonly receive_repair?: string | number | null | undefined
      readonly receive_catch_up?: string | number | null | undefined
      readonly receive_per_server?: string | number | null | undefined
      readonly receive_remote?: string | number | null | undefined
      readonly send_per_server?: string | number | null | undefined
      readonly send_remote?: string | number | null | undefined
    }
    readonly answer: {
      readonly status: 'success'
      readonly limits: {
        readonly receive_reads: number | null
        readonly receive_new: number | null
        readonly receive_repair: number | null
        readonly receive_catch_up: number | null
        readonly receive_per_server: number | null
        readonly receive_remote: number | null
        readonly send_per_server: number | null
        readonly send_remote: number | null
      }
    }
  }
  /** What happens here as it happens, as server-sent events. */
  readonly 'GET /api/events': {
    readonly path?: undefined
    readonly query?: {
      readonly last_event_id?: string | undefined
      readonly kinds?: string | undefined
    } | undefined
    readonly body?: undefined
    readonly answer: undefined
  }
  /** What happens here as it happens, as lines of text, or messages of an EventSource. */
  readonly 'GET /stream-logs': {
    readonly path?: undefined
    readonly query?: undefined
    readonly body?: undefined
    readonly answer: undefined
  }
  /** How the node has been in the last 6 hours, or since its start, for charts. */
  readonly 'GET /api/samples': {
    readonly path?: undefined
    readonly query?: {
      readonly after?: number | undefined
      readonly rows?: number | undefined
    } | undefined
    readonly body?: undefined
    readonly answer: {
      readonly status: 'success'
      readonly interval_ms: number
      readonly columns: {
        readonly at: ReadonlyArray<number | null>
        readonly received_rate: ReadonlyArray<number | null>
        readonly sent_rate: ReadonlyArray<number | null>
        readonly queue_files: ReadonlyArray<number | null>
        readonly queue_bytes: ReadonlyArray<number | null>
        readonly latency_ms: ReadonlyArray<number | null>
        readonly request_rate: ReadonlyArray<number | null>
        readonly request_ms: ReadonlyArray<number | null>
        readonly failed_rate: ReadonlyArray<number | null>
        readonly failed_files: ReadonlyArray<number | null>
      }
    }
  }
  /** The configuration in force, and where each value comes from; never a secret. */
  readonly 'GET /api/settings': {
    readonly path?: undefined
    readonly query?: undefined
    readonly body?: undefined
    readonly answer: {
      readonly status: 'success'
      readonly settings: ReadonlyArray<{
        readonly key: string
        readonly value: string | null
        readonly from: 'default' | 'file' | 'environment' | 'command line' | 'running'
        readonly origin: string
        readonly meaning: string
        readonly unset: string | null
      }>
    }
  }
  /** Change how much is logged, until the node ends. */
  readonly 'POST /api/settings': {
    readonly path?: undefined
    readonly query?: undefined
    readonly body: {
      readonly log_level?: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent' | null | undefined
      readonly log_levels?: Readonly<Record<string, 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent' | null>> | undefined
    }
    readonly answer: {
      readonly status: 'success'
      readonly message: string
      readonly log_level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent'
      readonly log_levels: Readonly<Record<string, 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent'>>
    }
  }
  /** List the keys; never what could be used as one. */
  readonly 'GET /api/keys': {
    readonly path?: undefined
    readonly query?: undefined
    readonly body?: undefined
    readonly answer: {
      readonly status: 'success'
      readonly keys: ReadonlyArray<{
        readonly id: string
        readonly name: string
        readonly scopes: ReadonlyArray<'read' | 'write' | 'admin'>
        readonly created_at: string
      }>
    }
  }
  /** Make a key; its text is in this answer and never shown again. */
  readonly 'POST /api/keys': {
    readonly path?: undefined
    readonly query?: undefined
    readonly body: {
      readonly name: string
      readonly scopes: ReadonlyArray<'read' | 'write' | 'admin'>
    }
    readonly answer: {
      readonly id: string
      readonly name: string
      readonly scopes: ReadonlyArray<'read' | 'write' | 'admin'>
      readonly created_at: string
      readonly status: 'success'
      readonly message: string
      readonly key: string
    }
  }
  /** Revoke a key at once. */
  readonly 'DELETE /api/keys/{id}': {
    readonly path: {
      readonly id: string
    }
    readonly query?: undefined
    readonly body?: undefined
    readonly answer: {
      readonly status: 'success'
      readonly message: string
    }
  }
  /** Log in with a key: the answer sets a cookie that stands for it for 12 hours. */
  readonly 'POST /api/login': {
    readonly path?: undefined
    readonly query?: undefined
    readonly body: {
      readonly key: string
    }
    readonly answer: {
      readonly status: 'success'
      readonly message: string
    }
  }
  /** Log out: the cookie is worth nothing any more. */
  readonly 'POST /api/logout': {
    readonly path?: undefined
    readonly query?: undefined
    readonly body?: undefined
    readonly answer: {
      readonly status: 'success'
      readonly message: string
    }
  }
  /** As whom the caller is let in. */
  readonly 'GET /api/session': {
    readonly path?: undefined
    readonly query?: undefined
    readonly body?: undefined
    readonly answer: {
      readonly as: 'keyless' | 'key' | 'signed' | 'public'
      readonly key: string | null
    }
  }
  /** Who added, deleted, blocked, restored, invited, joined, made and revoked keys here. */
  readonly 'GET /api/audit': {
    readonly path?: undefined
    readonly query?: {
      readonly limit?: number | undefined
      readonly action?: string | undefined
      readonly by?: string | undefined
      readonly before?: string | undefined
    } | undefined
    readonly body?: undefined
    readonly answer: {
      readonly status: 'success'
      readonly lines: ReadonlyArray<{
        readonly at: string
        readonly action: string
        readonly by: string
        readonly from?: string | undefined
        readonly status?: number | undefined
        readonly about?: Readonly<Record<string, unknown>> | undefined
      }>
    }
  }
  /** Make an address that opens an image, or all below a prefix, for a while, or until the key is revoked. */
  readonly 'POST /api/sign': {
    readonly path?: undefined
    readonly query?: undefined
    readonly body: {
      readonly path?: string | undefined
      readonly prefix?: string | undefined
      readonly sha256?: string | undefined
      readonly expires_in?: number | undefined
    }
    readonly answer: {
      readonly status: 'success'
      readonly message: string
      readonly url: string
      readonly query: string
      readonly expires_at: string
    }
  }
  /** The key with which programs sign addresses themselves. */
  readonly 'GET /api/signing-key': {
    readonly path?: undefined
    readonly query?: undefined
    readonly body?: undefined
    readonly answer: {
      readonly key: string
    }
  }
  /** All members of the mesh, and which of them are connected. */
  readonly 'GET /api/peers': {
    readonly path?: undefined
    readonly query?: undefined
    readonly body?: undefined
    readonly answer: {
      readonly status: 'success'
      readonly peers: ReadonlyArray<{
        readonly name: string
        readonly peer_id: string
        readonly host: string
        readonly port: number
        readonly addresses: readonly string[]
        readonly status: 'online' | 'syncing' | 'offline' | 'away' | 'refused'
        readonly connected_at: string | null
        readonly last_seen: string | null
        readonly last_sync: string | null
        readonly latency_ms: number | null
        readonly clock_offset_ms: number | null
        readonly missing_files: number
        readonly missing_bytes: number
        readonly eta_seconds: number | null
        readonly disk_state: 'ok' | 'low' | 'full' | null
        readonly disk_since: string | null
        readonly faults: number
        readonly last_error: string | null
        readonly last_cause: {
          readonly code: string
          readonly text: string
          readonly details: Readonly<Record<string, string | number>>
        } | null
      }>
    }
  }
  /** Meet another server, by its multiaddr, http://host:8000 or an invite. */
  readonly 'POST /api/peers': {
    readonly path?: undefined
    readonly query?: undefined
    readonly body: {
      readonly address: string
    }
    readonly answer: {
      readonly status: 'success'
      readonly message: string
      readonly peer_id: string
      readonly name: string | null
      readonly address: string
      readonly already_connected: boolean
      readonly took_ms: number
      readonly clock_offset_ms: number | null
      readonly missing_files: number
      readonly missing_bytes: number
    }
  }
  /** Forget a member that is gone for good, and admit it no more. */
  readonly 'DELETE /api/peers/{id}': {
    readonly path: {
      readonly id: string
    }
    readonly query?: undefined
    readonly body?: undefined
    readonly answer: {
      readonly status: 'success'
      readonly message: string
    }
  }
  /** Make an invite, with which servers get the secret of the mesh for a day. */
  readonly 'POST /api/invite': {
    readonly path?: undefined
    readonly query?: undefined
    readonly body?: {
      readonly expires_in?: number | undefined
      readonly uses?: number | undefined
      readonly permanent?: boolean | undefined
    } | undefined
    readonly answer: {
      readonly status: 'success'
      readonly message: string
      readonly invite: string
      readonly command: string
      readonly expires_at: string | null
      readonly made: boolean
      readonly handed_to: readonly string[]
      readonly not_reached: readonly string[]
    }
  }
  /** Revoke all invites that this node has made; those that are permanent stay good. */
  readonly 'DELETE /api/invite': {
    readonly path?: undefined
    readonly query?: undefined
    readonly body?: undefined
    readonly answer: {
      readonly status: 'success'
      readonly message: string
      readonly revoked: number
    }
  }
  /** Which servers have the secret of the mesh; never the secret itself. */
  readonly 'GET /api/secret': {
    readonly path?: undefined
    readonly query?: undefined
    readonly body?: undefined
    readonly answer: {
      readonly status: 'success'
      readonly message: string
      readonly origin: 'none' | 'file' | 'mesh'
      readonly decided_at: string | null
      readonly former_until: string | null
      readonly servers: ReadonlyArray<{
        readonly id: string
        readonly name: string
        readonly has_it: boolean
      }>
    }
  }
  /** Put a new secret in the place of the one that holds, and hand it to all members. */
  readonly 'POST /api/secret': {
    readonly path?: undefined
    readonly query?: undefined
    readonly body?: {
      readonly window?: number | undefined
    } | undefined
    readonly answer: {
      readonly status: 'success'
      readonly message: string
      readonly origin: 'none' | 'file' | 'mesh'
      readonly decided_at: string | null
      readonly former_until: string | null
      readonly servers: ReadonlyArray<{
        readonly id: string
        readonly name: string
        readonly has_it: boolean
      }>
    }
  }
  /** Whether the process lives. */
  readonly 'GET /healthz': {
    readonly path?: undefined
    readonly query?: undefined
    readonly body?: undefined
    readonly answer: {
      readonly status: 'ok'
    }
  }
  /** Whether the node can do its work; never depends on other nodes. */
  readonly 'GET /readyz': {
    readonly path?: undefined
    readonly query?: undefined
    readonly body?: undefined
    readonly answer: {
      readonly status: 'ready'
    }
  }
  /** This description. */
  readonly 'GET /openapi.json': {
    readonly path?: undefined
    readonly query?: undefined
    readonly body?: undefined
    readonly answer: undefined
  }
  /** Write metadata/file_index.json, a readable copy of the index, now. */
  readonly 'POST /api/export-index': {
    readonly path?: undefined
    readonly query?: undefined
    readonly body?: undefined
    readonly answer: {
      readonly status: 'success'
      readonly message: string
      readonly file: string
      readonly entries: number
    }
  }
  /** Figures for monitors, in the text format of Prometheus. */
  readonly 'GET /metrics': {
    readonly path?: undefined
    readonly query?: undefined
    readonly body?: undefined
    readonly answer: undefined
  }
  /** The page of this node. */
  readonly 'GET /': {
    readonly path?: undefined
    readonly query?: undefined
    readonly body?: undefined
    readonly answer: undefined
  }
  /** Files of the page. */
  readonly 'GET /web/{path}': {
    readonly path: {
      readonly path: string
    }
    readonly query?: undefined
    readonly body?: undefined
    readonly answer: undefined
  }
  /** This description, to read and to try out. */
  readonly 'GET /docs': {
    readonly path?: undefined
    readonly query?: undefined
    readonly body?: undefined
    readonly answer: undefined
  }
  /** Files of that page. */
  readonly 'GET /docs/{path}': {
    readonly path: {
      readonly path: string
    }
    readonly query?: undefined
    readonly body?: undefined
    readonly answer: undefined
  }
}

/** What every good answer of a call has, where that is an object. */
export const ANSWER_KEYS: Readonly<Record<string, string>> = {
  'GET /api/storage-status':
    'status status_reasons status_causes total_files total_size local_files local_size unique_blobs missing_files corrupted_files quarantined_files blocked_files deleted_files trash_size disk integrity node distributed_storage',
  'POST /api/force-file-sync':
    'status message queued_files in_sync_files task_id background',
  'GET /file-sync/api/file-sync/status':
    'status server_name peer_id version uptime_seconds sync_enabled verify_integrity total_files total_size sync_queue_size failed_files bytes_received bytes_sent files_received files_sent progress active_transfers servers last_sync last_error',
  'GET /file-sync/api/file-sync/files':
    'status total_files total_size count next_cursor files',
  'POST /file-sync/api/file-sync/verify':
    'status message',
  'GET /file-sync/api/file-sync/tasks':
    'status tasks',
  'GET /file-sync/api/file-sync/tasks/{id}':
    'task_id kind status total processed errors start_time end_time result',
  'POST /file-sync/api/file-sync/upload':
    'status message',
  'PUT /images/{path}':
    'filename size hash sha256 cid mime_type recognized width height url replicas servers status message file_path duplicate duplicate_of',
  'DELETE /images/{path}':
    'status message path deleted_servers pending_servers recoverable_until',
  'GET /blobs/{hash}':
    'message choices',
  'GET /file-sync/api/file-sync/file/{path}':
    'path filename size hash sha256 cid mime_type recognized width height source_url writer created_at modified_at verified_at state local servers replicas url paths history complete deleted',
  'DELETE /file-sync/api/file-sync/file/{path}':
    'status message path deleted_servers pending_servers recoverable_until',
  'GET /api/copies/{hash}':
    'sha256 cid hash size paths servers complete',
  'POST /api/restore':
    'path filename size hash sha256 cid mime_type recognized width height source_url writer created_at modified_at verified_at state local servers replicas url status message',
  'POST /api/move':
    'path filename size hash sha256 cid mime_type recognized width height source_url writer created_at modified_at verified_at state local servers replicas url status message',
  'POST /api/copy':
    'path filename size hash sha256 cid mime_type recognized width height source_url writer created_at modified_at verified_at state local servers replicas url status message',
  'GET /api/images':
    'status total count next_cursor images',
  'DELETE /api/images':
    'status message',
  'GET /api/delete-task/{id}':
    'task_id kind status total processed errors start_time end_time result deleted_count progress',
  'GET /api/review':
    'status total count next_cursor files',
  'POST /api/review':
    'status message',
  'GET /api/blocks':
    'status total held left_out blocks',
  'POST /api/blocks':
    'status message sha256',
  'DELETE /api/blocks/{hash}':
    'status message sha256',
  'GET /api/trash':
    'status size count next_cursor files',
  'GET /api/brakes':
    'status brakes released',
  'POST /api/brakes':
    'status message',
  'GET /api/brakes/{token}':
    'status token since images missing uncounted blocks next_cursor next_offset changes',
  'POST /api/adopt':
    'status message task_id background',
  'POST /api/backup':
    'status message entries taken left_out found',
  'GET /api/drain':
    'status message safe_to_switch_off only_here_files only_here_bytes only_here_paths pending_uploads servers task_id',
  'POST /api/drain':
    'status message safe_to_switch_off only_here_files only_here_bytes only_here_paths pending_uploads servers task_id',
  'GET /api/away':
    'status away_until',
  'POST /api/away':
    'status away_until message',
  'DELETE /api/away':
    'status away_until message',
  'GET /api/limits':
    'status limits',
  'PUT /api/limits':
    'status limits',
  'GET /api/samples':
    'status interval_ms columns',
  'GET /api/settings':
    'status settings',
  'POST /api/settings':
    'status message log_level log_levels',
  'GET /api/keys':
    'status keys',
  'POST /api/keys':
    'id name scopes created_at status message key',
  'DELETE /api/keys/{id}':
    'status message',
  'POST /api/login':
    'status message',
  'POST /api/logout':
    'status message',
  'GET /api/session':
    'as key',
  'GET /api/audit':
    'status lines',
  'POST /api/sign':
    'status message url query expires_at',
  'GET /api/signing-key':
    'key',
  'GET /api/peers':
    'status peers',
  'POST /api/peers':
    'status message peer_id name address already_connected took_ms clock_offset_ms missing_files missing_bytes',
  'DELETE /api/peers/{id}':
    'status message',
  'POST /api/invite':
    'status message invite command expires_at made handed_to not_reached',
  'DELETE /api/invite':
    'status message revoked',
  'GET /api/secret':
    'status message origin decided_at former_until servers',
  'POST /api/secret':
    'status message origin decided_at former_until servers',
  'GET /healthz':
    'status',
  'GET /readyz':
    'status',
  'POST /api/export-index':
    'status message file entries'
}
