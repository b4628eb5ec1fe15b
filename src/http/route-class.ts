// Requests by what they are for, few enough to be told apart in a chart.

export type RouteClass = 'image' | 'blob' | 'upload' | 'api' | 'page' | 'health' | 'other'

const CLASSES: readonly (readonly [prefix: string, RouteClass])[] = [
  ['/images/', 'image'],
  ['/file-sync/api/file-sync/download/', 'image'],
  ['/static/data/images/', 'image'],
  ['/blobs/', 'blob'],
  ['/ipfs/', 'blob'],
  ['/file-sync/api/file-sync/upload', 'upload'],
  ['/file-sync/', 'api'],
  ['/api/', 'api'],
  ['/stream-logs', 'api'],
  ['/openapi.json', 'api'],
  ['/docs', 'api'],
  ['/web/', 'page'],
  ['/healthz', 'health'],
  ['/readyz', 'health'],
  ['/metrics', 'health']
]

/** Of an address as a client sends it. */
export function routeClassOf(url: string): RouteClass {
  if (url === '/' || url.startsWith('/?')) return 'page'
  return CLASSES.find(([prefix]) => url.startsWith(prefix))?.[1] ?? 'other'
}
