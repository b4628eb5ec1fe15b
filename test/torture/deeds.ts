// What clients do to the nodes, each deed with what it tells the model.

import { hash as digest } from 'node:crypto'
import type { Holds, Model } from './model.ts'
import type { Picture } from './pictures.ts'

/** A client that hears nothing for so long gives up. */
const PATIENCE_MS = 15_000

/** Whom clients talk to. */
export interface Site {
  readonly name: string
  readonly url: string
}

export interface DeedParts {
  /** What opens all nodes. */
  readonly fleet: { readonly headers: Readonly<Record<string, string>> }
  readonly model: Model
  readonly count: (what: string) => void
  /** What must not be. */
  readonly fault: (text: string) => void
}

/**
 * refused: it has certainly done nothing. unknown: nobody knows.
 */
type Outcome =
  | { readonly json: Record<string, unknown>; readonly status: number }
  | 'refused'
  | 'unknown'

async function call(
  { fleet, count }: DeedParts,
  node: Site,
  path: string,
  init: RequestInit
): Promise<Outcome> {
  try {
    const response = await fetch(node.url + path, {
      ...init,
      headers: { ...fleet.headers, ...(init.headers as Record<string, string>) },
      signal: AbortSignal.timeout(PATIENCE_MS)
    })
    const json = (await response.json()) as Record<string, unknown>
    if (response.ok) return { json, status: response.status }
    count(`answer ${response.status}`)
    if (json.code === 'BRAKE_ENGAGED') await confirmBrake({ fleet, count } as DeedParts, node)
    return response.status < 500 ? 'refused' : 'unknown'
  } catch (error) {
    const { code } = ((error as Error).cause ?? {}) as { code?: string }
    // any other way a connection can end may come after the request has been carried out
    return code === 'ECONNREFUSED' ? 'refused' : 'unknown'
  }
}

async function confirmBrake(parts: DeedParts, node: Site): Promise<void> {
  const url = `${node.url}/api/brakes`
  const { headers } = parts.fleet
  const answer = await fetch(url, { headers, signal: AbortSignal.timeout(PATIENCE_MS) })
  const { brakes } = (await answer.json()) as { brakes: { token: string; kind: string }[] }
  for (const { token, kind } of brakes) {
    parts.count(`brake ${kind} confirmed`)
    await fetch(url, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body: JSON.stringify({ token, action: 'confirm' }),
      signal: AbortSignal.timeout(PATIENCE_MS)
    })
  }
}

export async function put(
  parts: DeedParts,
  node: Site,
  path: string,
  { bytes, hash }: Picture
): Promise<void> {
  const { model, count } = parts
  model.begins(path, [hash])
  const init = { method: 'PUT', body: bytes as Uint8Array<ArrayBuffer> }
  const outcome = await call(parts, node, `/images/${path}`, init)
  if (outcome === 'unknown') model.inDoubt(path, [hash])
  if (typeof outcome === 'string') return count(`put ${outcome}`)
  count('put')
  model.acknowledged(path, hash)
}

export async function remove(parts: DeedParts, node: Site, path: string): Promise<void> {
  const { model, count } = parts
  model.begins(path, ['deleted'])
  const outcome = await call(parts, node, `/images/${path}`, { method: 'DELETE' })
  if (outcome === 'unknown') model.inDoubt(path, ['deleted'])
  if (typeof outcome === 'string') return count(`delete ${outcome}`)
  count('delete')
  model.acknowledged(path, 'deleted')
}

export async function restore(parts: DeedParts, node: Site, path: string): Promise<void> {
  const { model, count } = parts
  model.begins(path, model.ever(path))
  const outcome = await post(parts, node, '/api/restore', { path })
  if (outcome === 'unknown') model.inDoubt(path, model.ever(path))
  if (typeof outcome === 'string') return count(`restore ${outcome}`)
  // there was nothing to restore as far as this node knew, and nothing was written
  if (/ is there as it was\.$/.test(String(outcome.json.message))) return count('restore unchanged')
  count('restore')
  model.acknowledged(path, outcome.json.sha256 as Holds)
}

export async function move(parts: DeedParts, node: Site, from: string, to: string): Promise<void> {
  const { model, count } = parts
  model.begins(to, model.ever(from))
  model.begins(from, ['deleted'])
  const outcome = await post(parts, node, '/api/move', { from, to })
  if (outcome === 'unknown') {
    model.inDoubt(to, model.ever(from))
    model.inDoubt(from, ['deleted'])
  }
  if (typeof outcome === 'string') return count(`move ${outcome}`)
  count('move')
  model.acknowledged(to, outcome.json.sha256 as Holds)
  if (from !== to) model.acknowledged(from, 'deleted')
}

/** Whatever a reader gets was once written there, whole. */
export async function read(parts: DeedParts, node: Site, path: string): Promise<void> {
  const { model, count, fault } = parts
  try {
    const response = await fetch(`${node.url}/images/${path}`, {
      signal: AbortSignal.timeout(PATIENCE_MS)
    })
    const bytes = Buffer.from(await response.arrayBuffer())
    count(`read ${response.status}`)
    if (response.status !== 200) return
    const hash = digest('sha256', bytes)
    if (!model.ever(path).has(hash)) {
      fault(`${node.name} gave ${bytes.length} wrong bytes (${hash.slice(0, 8)}) for ${path}`)
    }
  } catch {
    count('read broken off')
  }
}

function post(parts: DeedParts, node: Site, path: string, body: object): Promise<Outcome> {
  const headers = { 'content-type': 'application/json' }
  return call(parts, node, path, { method: 'POST', headers, body: JSON.stringify(body) })
}
