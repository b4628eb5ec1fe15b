// What the audit log says of a request: its name, and of its contents what is nobody's secret.

import { mayBeInvite } from '../flows/join-targets.ts'
import type { ApiRequest, Route } from './route.ts'

/** Every route that changes something; what is undefined changes nothing that matters. */
const ACTIONS: Readonly<Record<string, string | undefined>> = {
  'POST /file-sync/api/file-sync/upload': 'add',
  'PUT /images/*': 'add',
  'DELETE /images/*': 'delete',
  'DELETE /file-sync/api/file-sync/file/*': 'delete',
  'DELETE /api/images': 'delete',
  'POST /api/restore': 'restore',
  'POST /api/move': 'move',
  'POST /api/copy': 'copy',
  'POST /api/review': 'decide review',
  'POST /api/brakes': 'decide brake',
  'POST /api/adopt': 'adopt folders',
  'POST /api/backup': 'take in backup',
  'POST /api/blocks': 'block',
  'DELETE /api/blocks/:hash': 'unblock',
  'POST /api/keys': 'make key',
  'DELETE /api/keys/:id': 'revoke key',
  'POST /api/peers': 'meet server',
  'DELETE /api/peers/:id': 'remove server',
  'POST /api/invite': 'invite',
  'DELETE /api/invite': 'revoke invites',
  'POST /api/secret': 'change secret',
  'POST /api/drain': 'drain',
  'PUT /api/limits': 'change limits',
  'POST /api/away': 'say away',
  'DELETE /api/away': 'say back',
  'POST /api/sign': 'sign',
  'POST /api/settings': 'change settings',
  'POST /api/login': 'log in',
  'POST /api/logout': undefined,
  'POST /api/force-file-sync': undefined,
  'POST /api/export-index': undefined,
  'POST /file-sync/api/file-sync/verify': undefined
}

/** Undefined where nothing is written down. Routes that are not listed go by their address. */
export function actionOf({ method, url }: Pick<Route, 'method' | 'url'>): string | undefined {
  if (method === 'GET') return undefined
  const name = `${method} ${url}`
  return Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : name
}

export function isKnownAction({ method, url }: Pick<Route, 'method' | 'url'>): boolean {
  return method === 'GET' || Object.hasOwn(ACTIONS, `${method} ${url}`)
}

/** Fields of requests and answers that say what was done, and nothing that could be used. */
const FIELDS = new Set([
  ...['path', 'file_path', 'from', 'to', 'paths', 'prefix', 'folders', 'address'],
  ...['sha256', 'hash', 'hashes', 'image_ids', 'id', 'name', 'scopes', 'reason', 'action'],
  ...[
    'log_level',
    'log_levels',
    'uses',
    'expires_in',
    'expires_at',
    'permanent',
    'purge',
    'duplicate',
    'task_id'
  ]
])
const LISTED_MAX = 20
const CHARACTERS_MAX = 1024

export function aboutOf(request: ApiRequest, answer: unknown): Record<string, unknown> {
  const { '*': path, ...params } = (request.params ?? {}) as Record<string, unknown>
  const sources = [{ path }, params, request.query, request.body, answer]
  const about: Record<string, unknown> = {}
  for (const source of sources) {
    if (typeof source !== 'object' || source === null) continue
    for (const [name, value] of Object.entries(source)) {
      if (FIELDS.has(name) && value !== undefined && value !== null) about[name] = shown(value)
    }
  }
  return about
}

function shown(value: unknown): unknown {
  if (typeof value === 'string') {
    return mayBeInvite(value) ? 'an invite' : value.slice(0, CHARACTERS_MAX)
  }
  if (Array.isArray(value)) {
    const first = value.slice(0, LISTED_MAX).map(shown)
    return value.length > LISTED_MAX ? [...first, `${value.length} in all`] : first
  }
  if (typeof value !== 'object') return value
  return shown(Object.entries(value as object).map(([name, one]) => `${name}: ${one}`))
}
