// How commands talk to a running node: by its HTTP interface, with the key that lies in its data
// folder. Only who may read that folder can use it.

import { join } from 'node:path'
import { plainLine } from '../../protocols/message.ts'
import { NodeError, systemCodeOf } from '../base/errors.ts'
import type { AnswerOf, AskedArguments, Operation } from '../client/plan-request.ts'
import { type Sent, sendRequest } from '../client/send-request.ts'
import { readSmallFile } from '../store/small-file.ts'

/** The node that a command is for. */
export interface NodeTarget {
  readonly url: string
  /** Its data folder; undefined: the one that a node has unless it is told another. */
  readonly data: string | undefined
}

export const DATA_INITIAL = './data'
const KEY_BYTES_MAX = 4096

/**
 * Sends JSON and gives back the JSON of the answer. Errors are sentences for a person:
 * NOT_AVAILABLE (with `refused: true` where nothing listens), NOT_FOUND, BAD_REQUEST.
 */
export async function callNode<Name extends Operation>(
  target: NodeTarget,
  operation: Name,
  ...asked: AskedArguments<Name, Sent>
): Promise<AnswerOf<Name>> {
  const answer = await openNode(target, operation, ...asked)
  const { url } = target
  const text = await answer.text().catch((cause) => {
    const sentence = `The node at ${url} broke off its answer. It may have done what it was asked.`
    throw new NodeError('NOT_AVAILABLE', sentence, { url }, { cause })
  })
  const content = text === '' ? {} : readContent(text)
  if (content === undefined) throw new NodeError('BAD_REQUEST', noNode(answer, target))
  return content as AnswerOf<Name>
}

/** The answer before its body is read. Errors as of `callNode`. */
export async function openNode<Name extends Operation>(
  target: NodeTarget,
  operation: Name,
  ...asked: AskedArguments<Name, Sent>
): Promise<Response> {
  const { url, data } = target
  const key = readLocalKey(data ?? DATA_INITIAL)
  if (key === undefined && data !== undefined) throw noKey(data)
  let answer = await send(url, key, operation, asked)
  // without --data the key may be another node's; who may do all without one still may
  if (answer.status === 401 && data === undefined && key !== undefined) {
    await answer.body?.cancel()
    answer = await send(url, undefined, operation, asked)
  }
  if (answer.ok) return answer
  const content = readContent(await answer.text().catch(() => '')) ?? {}
  throw new NodeError('BAD_REQUEST', sentenceOf(answer, content, target), { status: answer.status })
}

/**
 * Undefined for what is no JSON. Names and sentences of other servers are in it, and it goes to a
 * terminal.
 */
function readContent(text: string): Record<string, unknown> | undefined {
  try {
    const shown = (_: string, value: unknown) =>
      typeof value === 'string' ? plainLine(value) : value
    const content = JSON.parse(text, shown)
    return typeof content === 'object' && content !== null ? content : undefined
  } catch {
    return undefined
  }
}

/** The key of the node that has this data folder; undefined if no node ever had it. */
export function readLocalKey(data: string): string | undefined {
  return readSmallFile(keyFile(data), KEY_BYTES_MAX)?.toString().trim() || undefined
}

async function send<Name extends Operation>(
  url: string,
  key: string | undefined,
  operation: Name,
  asked: AskedArguments<Name, Sent>
): Promise<Response> {
  const site = { url, ...(key !== undefined && { headers: { authorization: `Bearer ${key}` } }) }
  try {
    return await sendRequest(site, operation, ...asked)
  } catch (cause) {
    if (cause instanceof NodeError) throw cause
    const refused = systemCodeOf(cause) === 'ECONNREFUSED'
    throw new NodeError('NOT_AVAILABLE', unreachable(url, refused), { url, refused }, { cause })
  }
}

function sentenceOf(
  answer: Response,
  { detail }: Record<string, unknown>,
  target: NodeTarget
): string {
  const { status } = answer
  const { url, data } = target
  if (status === 401 && data !== undefined) {
    return `The node at ${url} is not the one of ${data}. Name its address with --url.`
  }
  if (status === 401) {
    return `The node at ${url} asks for its key. Name its data folder with --data.`
  }
  if (Array.isArray(detail)) {
    return detail.map(({ loc, msg }) => `${loc?.at?.(-1)} ${msg}`).join('; ')
  }
  return String(detail ?? noNode(answer, target))
}

function noNode({ status }: Response, { url }: NodeTarget): string {
  return `What answers at ${url} is no Tumesh node (status ${status}).`
}

function noKey(data: string): NodeError {
  const file = keyFile(data)
  return new NodeError(
    'NOT_FOUND',
    `There is no ${file}. Name the data folder of the node with --data.`,
    { file }
  )
}

function keyFile(data: string): string {
  return join(data, 'metadata', 'local.key')
}

function unreachable(url: string, refused: boolean): string {
  const what = refused ? `Nothing listens at ${url}` : `The node at ${url} can't be reached`
  return `${what}. Is it running? Name its address with --url.`
}
