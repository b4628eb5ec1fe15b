// What clients do to the nodes, each deed with what it tells the model.

import { hash as digest } from 'node:crypto'
import type { AnswerOf, AskedArguments, Operation } from '../../src/client/plan-request.ts'
import { type Sent, sendRequest } from '../../src/client/send-request.ts'
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
type Outcome<Name extends Operation> =
  | { readonly json: AnswerOf<Name>; readonly status: number }
  | 'refused'
  | 'unknown'

async function call<Name extends Operation>(
  { fleet, count }: Pick<DeedParts, 'fleet' | 'count'>,
  { url }: Site,
  operation: Name,
  ...asked: AskedArguments<Name, Sent>
): Promise<Outcome<Name>> {
  try {
    const response = await sendRequest(siteOf(fleet, url), operation, ...asked)
    const json = (await response.json()) as AnswerOf<Name> & { readonly code?: string }
    if (response.ok) return { json, status: response.status }
    count(`answer ${response.status}`)
    if (json.code === 'BRAKE_ENGAGED') await confirmBrake({ fleet, count }, url)
    return response.status < 500 ? 'refused' : 'unknown'
  } catch (error) {
    const { code } = ((error as Error).cause ?? {}) as { code?: string }
    // any other way a connection can end may come after the request has been carried out
    return code === 'ECONNREFUSED' ? 'refused' : 'unknown'
  }
}

function siteOf({ headers }: DeedParts['fleet'], url: string) {
  return { url, headers, signal: AbortSignal.timeout(PATIENCE_MS) }
}

async function confirmBrake(parts: Pick<DeedParts, 'fleet' | 'count'>, url: string): Promise<void> {
  const answer = await sendRequest(siteOf(parts.fleet, url), 'GET /api/brakes')
  const { brakes } = (await answer.json()) as AnswerOf<'GET /api/brakes'>
  for (const { token, kind } of brakes) {
    parts.count(`brake ${kind} confirmed`)
    const body = { token, action: 'confirm' } as const
    await sendRequest(siteOf(parts.fleet, url), 'POST /api/brakes', { body })
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
  const asked = { path: { path }, bytes: () => bytes }
  const outcome = await call(parts, node, 'PUT /images/{path}', asked)
  if (outcome === 'unknown') model.inDoubt(path, [hash])
  if (typeof outcome === 'string') return count(`put ${outcome}`)
  count('put')
  model.acknowledged(path, hash)
}

export async function remove(parts: DeedParts, node: Site, path: string): Promise<void> {
  const { model, count } = parts
  model.begins(path, ['deleted'])
  const outcome = await call(parts, node, 'DELETE /images/{path}', { path: { path } })
  if (outcome === 'unknown') model.inDoubt(path, ['deleted'])
  if (typeof outcome === 'string') return count(`delete ${outcome}`)
  count('delete')
  model.acknowledged(path, 'deleted')
}

export async function restore(parts: DeedParts, node: Site, path: string): Promise<void> {
  const { model, count } = parts
  model.begins(path, model.ever(path))
  const outcome = await call(parts, node, 'POST /api/restore', { body: { path } })
  if (outcome === 'unknown') model.inDoubt(path, model.ever(path))
  if (typeof outcome === 'string') return count(`restore ${outcome}`)
  // there was nothing to restore as far as this node knew, and nothing was written
  if (/ is there as it was\.$/.test(outcome.json.message)) return count('restore unchanged')
  count('restore')
  model.acknowledged(path, outcome.json.sha256 as Holds)
}

export async function move(parts: DeedParts, node: Site, from: string, to: string): Promise<void> {
  const { model, count } = parts
  model.begins(to, model.ever(from))
  model.begins(from, ['deleted'])
  const outcome = await call(parts, node, 'POST /api/move', { body: { from, to } })
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
    const site = { url: node.url, signal: AbortSignal.timeout(PATIENCE_MS) }
    const response = await sendRequest(site, 'GET /images/{path}', { path: { path } })
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
