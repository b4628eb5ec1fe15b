// What an address answers to where it is asked with a method that it does not have.

import { METHODS } from './node-http.ts'
import type { Route } from './route.ts'

/**
 * Those that some route has, and OPTIONS: the framework knows them at each address. Each of the
 * others, some thirty, at each address would be two thousand routes.
 */
const USUAL = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS']
/** Nobody may ask for a tunnel. */
export const RARE = METHODS.filter((method) => !USUAL.includes(method) && method !== 'CONNECT')

/** Of one address: what it answers to, for `Allow`, and the usual methods that it has not. */
export interface Methods {
  readonly url: string
  readonly allow: string
  readonly others: readonly string[]
}

export function methodsOf(routes: readonly Pick<Route, 'url' | 'method'>[]): readonly Methods[] {
  const byUrl = new Map<string, Set<string>>()
  for (const { url, method } of routes) {
    const methods = byUrl.get(url) ?? new Set(['OPTIONS'])
    methods.add(method)
    if (method === 'GET') methods.add('HEAD')
    byUrl.set(url, methods)
  }
  return [...byUrl].map(([url, methods]) => ({
    url,
    allow: [...methods].sort().join(', '),
    others: USUAL.filter((method) => method === 'OPTIONS' || !methods.has(method))
  }))
}

/**
 * What the address of a request with a rare method answers to; undefined where nothing is. An
 * address without variable parts goes before one with them, as in the framework.
 */
export function allowedAt(methods: readonly Methods[], requestUrl: string): string | undefined {
  const path = requestUrl.split(/[?#]/, 1)[0] ?? ''
  const fits = methods.filter(({ url }) => patternOf(url).test(path))
  return (fits.find(({ url }) => url === path) ?? fits[0])?.allow
}

/**
 * As the framework reads it: `:name` is one part, even an empty one, and a `*` at the end all
 * others.
 */
function patternOf(url: string): RegExp {
  const parts = url.split('/').map((part) => {
    if (part === '*') return '.*'
    return part.startsWith(':') ? '[^/]*' : part.replace(/[.+?^${}()|[\]\\]/g, '\\$&')
  })
  return new RegExp(`^${parts.join('/')}$`)
}
