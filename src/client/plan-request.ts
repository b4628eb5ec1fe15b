// A call of the HTTP interface as what is sent, typed by the node's own description of itself.
// Pure: who sends it, with which key and how patiently, is the caller's business.

import { NodeError } from '../base/errors.ts'
import type { Operations } from './operations-generated.ts'

/** Such as `POST /api/peers`. */
export type Operation = keyof Operations
/** The parts of its address and its body, where it has them. */
export type Asked<Name extends Operation> = Omit<Operations[Name], 'answer'>
/** What the node answers when it did it; undefined where that is no JSON. */
export type AnswerOf<Name extends Operation> = Operations[Name]['answer']
/** Nothing needs to be given where nothing is required. */
export type AskedArguments<Name extends Operation, More = unknown> =
  Record<never, never> extends Asked<Name> ? [(Asked<Name> & More)?] : [Asked<Name> & More]

export interface PlannedRequest {
  readonly method: string
  /** The path with its query, to be resolved against where the node is. */
  readonly address: string
  readonly headers: Readonly<Record<string, string>>
  /** JSON. */
  readonly body: string | undefined
}

interface Given {
  readonly path?: Readonly<Record<string, string>> | undefined
  readonly query?: Readonly<Record<string, unknown>> | undefined
  readonly body?: unknown
}

/** Throws BAD_REQUEST for a path that would lead elsewhere. */
export function planRequest<Name extends Operation>(
  operation: Name,
  ...[asked = {} as Asked<Name>]: AskedArguments<Name>
): PlannedRequest {
  const { path = {}, query = {}, body } = asked as Given
  const [method = '', pattern = ''] = operation.split(' ')
  const place = pattern.replace(/\{(\w+)\}/g, (_, name) => {
    const part = inAddress(path[name] ?? '')
    return name === 'path' ? part : part.replaceAll('/', '%2F')
  })
  const text = queryText(query)
  return {
    method,
    address: text === '' ? place : `${place}?${text}`,
    headers: body === undefined ? {} : { 'content-type': 'application/json' },
    body: body === undefined ? undefined : JSON.stringify(body)
  }
}

/**
 * Each part of a path is encoded, its slashes stay. Throws BAD_REQUEST for a part that would lead
 * out of the images: addresses are tidied before they are sent, and encoding does not keep them
 * from it.
 */
export function inAddress(path: string): string {
  const parts = path.split('/')
  const out = parts.find((part) => part === '.' || part === '..')
  if (out !== undefined) throw new NodeError('BAD_REQUEST', `A path can't have the part "${out}".`)
  return parts.map(encodeURIComponent).join('/')
}

function queryText(query: Readonly<Record<string, unknown>>): string {
  const said = Object.entries(query).filter(([, value]) => value !== undefined)
  return new URLSearchParams(said.map(([name, value]) => [name, String(value)])).toString()
}
