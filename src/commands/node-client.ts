// How commands talk to a running node: by its HTTP interface, with the key that lies in its data
// folder. Only who may read that folder can use it.

import { join } from 'node:path'
import { NodeError, systemCodeOf } from '../base/errors.ts'
import { readSmallFile } from '../store/small-file.ts'

/** The running node that a command talks to. */
export interface NodeTarget {
  readonly url: string
  /** Its data folder, which holds the key for commands. */
  readonly data: string
}

const KEY_BYTES_MAX = 4096

/** Sends JSON and gives back the JSON of the answer. Errors are sentences for a person. */
export async function callNode(
  { url, data }: NodeTarget,
  method: 'GET' | 'POST' | 'DELETE',
  path: string,
  body?: unknown
): Promise<Record<string, unknown>> {
  const answer = await fetch(new URL(path, url), {
    method,
    headers: {
      authorization: `Bearer ${localKeyIn(data)}`,
      ...(body !== undefined && { 'content-type': 'application/json' })
    },
    ...(body !== undefined && { body: JSON.stringify(body) })
  }).catch((cause) => {
    throw new NodeError('NOT_AVAILABLE', unreachable(url, cause), { url }, { cause })
  })
  const content = (await answer.json().catch(() => ({}))) as Record<string, unknown>
  if (answer.ok) return content
  const detail = Array.isArray(content.detail)
    ? content.detail.map(({ loc, msg }) => `${loc?.at?.(-1)} ${msg}`).join('; ')
    : String(content.detail ?? `the node at ${url} answered ${answer.status}`)
  throw new NodeError('BAD_REQUEST', detail, { status: answer.status })
}

function localKeyIn(data: string): string {
  const file = join(data, 'metadata', 'local.key')
  const key = readSmallFile(file, KEY_BYTES_MAX)?.toString().trim()
  if (key) return key
  throw new NodeError(
    'NOT_FOUND',
    `There is no ${file}. Name the data folder of the node with --data.`,
    { file }
  )
}

function unreachable(url: string, cause: unknown): string {
  const refused = systemCodeOf(cause) === 'ECONNREFUSED'
  const what = refused ? `Nothing listens at ${url}` : `The node at ${url} can't be reached`
  return `${what}. Is it running? Name its address with --url.`
}
