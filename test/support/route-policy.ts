// Who may call what, written down apart from the code that decides it. A route that is not here is
// a route that nobody has thought about.

export type Needs = 'anyone' | 'public' | 'read' | 'write' | 'admin'

const API = '/file-sync/api/file-sync'

export const POLICY: Readonly<Record<Needs, readonly string[]>> = {
  // nothing of the node's images or of other servers is in these
  anyone: [
    ...['GET /', 'GET /web/{path}', 'GET /docs', 'GET /docs/{path}', 'GET /openapi.json'],
    ...['GET /healthz', 'GET /readyz'],
    ...['POST /api/login', 'POST /api/logout', 'GET /api/session']
  ],
  // reading images, unless http.read is "key"
  public: [
    ...['GET /images/{path}', `GET ${API}/download/{path}`, 'GET /static/data/images/{path}'],
    ...['GET /blobs/{hash}', 'GET /ipfs/{cid}', 'GET /thumbnails/{hash}'],
    ...['GET /api/storage-status', `GET ${API}/status`]
  ],
  read: [
    ...[`GET ${API}/files`, `GET ${API}/file/{path}`, 'GET /api/images', 'GET /api/review'],
    ...[`GET ${API}/tasks`, `GET ${API}/tasks/{id}`, 'GET /api/delete-task/{id}'],
    ...['GET /api/events', 'GET /stream-logs', 'GET /metrics', 'GET /api/peers', 'GET /api/brakes'],
    ...['GET /api/samples', 'GET /api/trash', 'GET /api/copies/{hash}']
  ],
  write: [
    ...[`POST ${API}/upload`, 'PUT /images/{path}', 'POST /api/restore', 'POST /api/move'],
    ...['POST /api/copy', 'DELETE /images/{path}', `DELETE ${API}/file/{path}`],
    ...['DELETE /api/images', 'POST /api/review', 'POST /api/sign']
  ],
  admin: [
    ...['GET /api/keys', 'POST /api/keys', 'DELETE /api/keys/{id}', 'GET /api/signing-key'],
    ...['GET /api/blocks', 'POST /api/blocks', 'DELETE /api/blocks/{hash}', 'GET /api/audit'],
    ...['POST /api/peers', 'DELETE /api/peers/{id}', 'POST /api/invite', 'DELETE /api/invite'],
    ...['GET /api/secret', 'POST /api/secret'],
    ...['POST /api/force-file-sync', `POST ${API}/verify`, 'POST /api/brakes', 'POST /api/adopt'],
    ...['GET /api/brakes/{token}'],
    ...['GET /api/backup', 'POST /api/backup', 'GET /api/drain', 'POST /api/drain'],
    ...[
      'POST /api/export-index',
      'GET /api/settings',
      'POST /api/settings',
      'POST /api/away',
      'DELETE /api/away',
      'GET /api/away'
    ],
    ...['GET /api/limits', 'PUT /api/limits']
  ]
}

/** Folders are named by programs of the same machine alone, whatever key they have. */
export const LOCAL_ONLY = ['POST /api/adopt']

/** Each route once, with what it needs. */
export function policyOf(): Map<string, Needs> {
  const needs = Object.entries(POLICY) as [Needs, readonly string[]][]
  return new Map(needs.flatMap(([need, routes]) => routes.map((route) => [route, need] as const)))
}

const RANK: readonly Needs[] = ['anyone', 'public', 'read', 'write', 'admin']

/** Whether a caller whose key allows `has` is let in; undefined has no key. */
export function mayCall(needs: Needs, has: Needs | undefined, read: 'public' | 'key'): boolean {
  if (needs === 'anyone' || (needs === 'public' && read === 'public')) return true
  if (has === undefined) return false
  return RANK.indexOf(has) >= RANK.indexOf(needs === 'public' ? 'read' : needs)
}

/** Names that lead elsewhere, if anybody lets them: as they stand in an address. */
export const TRAVERSALS: readonly string[] = [
  ...['..%2f..%2fmetadata%2flocal.key', '%2e%2e/%2e%2e/metadata/local.key'],
  ...['%252e%252e%252fmetadata%252flocal.key', '..%252f..%252fmetadata%252flocal.key'],
  ...['..%5c..%5cmetadata%5clocal.key', '..\\..\\metadata\\local.key', '..%c0%afmetadata'],
  ...['%c0%ae%c0%ae%c0%afmetadata', '..%e0%80%afmetadata', '%uff0e%uff0e%u2215metadata'],
  ...['%ef%bc%8e%ef%bc%8e%ef%bc%8fmetadata%ef%bc%8flocal.key', '..%e2%88%95metadata'],
  ...['x/..%2f..%2f..%2fetc%2fpasswd', '%2fetc%2fpasswd', '/etc/passwd', '//etc/passwd'],
  ...['C:%5cWindows%5cwin.ini', 'C:/Windows/win.ini', '%5c%5cserver%5cshare%5cx'],
  ...['con', 'aux.svg', 'x%3a$DATA', 'a.svg::$DATA', 'a.svg%00.jpg', '%00', 'a%0d%0ab'],
  ...['....//....//metadata', '..;/metadata/local.key', '.%00./metadata', '~root/.ssh/id_rsa'],
  ...['metadata/local.key', '..', '.', '%2e', '%2e%2e', 'file%3a%2f%2f%2fetc%2fpasswd']
]
