// How commands talk to a running node: by its HTTP interface, with the key that lies in its data
// folder. Only who may read that folder can use it.

import { join } from 'node:path'
import { plainLine } from '../../protocols/message.ts'
import type { Word } from '../base/cause.ts'
import { NodeError, systemCodeOf } from '../base/errors.ts'
import { callOf } from '../base/how-called.ts'
import { ANSWER_KEYS } from '../client/operations-generated.ts'
import type { AnswerOf, AskedArguments, Operation } from '../client/plan-request.ts'
import { type Sent, sendRequest } from '../client/send-request.ts'
import { readSmallFile } from '../store/small-file.ts'

/** The node that a command is for. */
export interface NodeTarget {
  readonly url: string
  /** Its data folder; undefined: the one that a node has unless it is told another. */
  readonly data: string | undefined
  /** A key that it knows; undefined: the one in its data folder. */
  readonly key?: string | undefined
}

export const DATA_INITIAL = './data'
const KEY_BYTES_MAX = 4096

/**
 * Sends JSON and gives back the JSON of the answer. Errors are sentences for a person:
 * NOT_AVAILABLE (with `refused: true` where nothing listens), NOT_FOUND, BAD_REQUEST (with the
 * `answer` of a node that refused).
 */
export async function callNode<Name extends Operation>(
  target: NodeTarget,
  operation: Name,
  ...asked: AskedArguments<Name, Sent>
): Promise<AnswerOf<Name>> {
  const answer = await openNode(target, operation, ...asked)
  const text = await answer.text().catch((cause) => {
    throw brokeOff(target, cause)
  })
  const content = text === '' ? {} : readContent(text)
  if (content === undefined || isStrange(operation, content)) throw noNode(answer, target)
  return content as AnswerOf<Name>
}

/** The bytes of an answer. Errors: NOT_AVAILABLE where they break off. */
export async function* bytesOf({ body }: Response, target: NodeTarget): AsyncGenerator<Uint8Array> {
  try {
    for await (const piece of (body ?? []) as AsyncIterable<Uint8Array>) yield piece
  } catch (cause) {
    throw brokeOff(target, cause)
  }
}

/** Whether it lacks half of what a node answers: one of another version may lack some. */
function isStrange(operation: Operation, content: object): boolean {
  const keys = ANSWER_KEYS[operation]?.split(' ') ?? []
  const lacking = keys.filter((key) => !Object.hasOwn(content, key))
  return lacking.length > 0 && lacking.length * 2 >= keys.length
}

function brokeOff({ url }: NodeTarget, cause: unknown): NodeError {
  const sentence = `The node at ${url} broke off its answer. It may have done what it was asked.`
  return new NodeError('NOT_AVAILABLE', sentence, { url }, { cause })
}

/** The answer before its body is read. Errors as of `callNode`. */
export async function openNode<Name extends Operation>(
  target: NodeTarget,
  operation: Name,
  ...asked: AskedArguments<Name, Sent>
): Promise<Response> {
  const { url, data } = target
  const key = target.key ?? readLocalKey(data ?? DATA_INITIAL)
  if (key === undefined && data !== undefined) throw noKey(data)
  let answer = await send(url, key, operation, asked)
  // without --data the key may be another node's; who may do all without one still may
  const isGuess = target.key === undefined && data === undefined && key !== undefined
  if (answer.status === 401 && isGuess) {
    await answer.body?.cancel()
    answer = await send(url, undefined, operation, asked)
  }
  const { accept } = asked[0]?.headers ?? {}
  const type = answer.headers.get('content-type') ?? ''
  if (answer.ok && (accept === undefined || type.startsWith(accept))) return answer
  if (answer.ok) throw noNode(answer, target)
  const content = readContent(await answer.text().catch(() => '')) ?? {}
  const detail = sentenceOf(answer, content, target)
  const told = typeof content.code === 'string' && { answer: { ...content, detail } }
  throw new NodeError('BAD_REQUEST', detail, { status: answer.status, ...told })
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
  const site = {
    url,
    keepsRedirects: true,
    ...(key !== undefined && { headers: { authorization: `Bearer ${key}` } })
  }
  try {
    return await sendRequest(site, operation, ...asked)
  } catch (cause) {
    const own = cause instanceof TypeError ? cause.cause : cause
    if (own instanceof NodeError) throw own // the bytes to send could not be read
    const refused = systemCodeOf(cause) === 'ECONNREFUSED'
    throw new NodeError('NOT_AVAILABLE', unreachable(url, refused), { url, refused }, { cause })
  }
}

function sentenceOf(
  answer: Response,
  { detail, code, cause }: Record<string, unknown>,
  target: NodeTarget
): string {
  const { status } = answer
  if (status === 401) return keyFault((cause as Partial<Word> | undefined)?.code, target)
  if (Array.isArray(detail)) {
    return detail.map(({ loc, msg }) => `${loc?.at?.(-1)} ${msg}`).join('; ')
  }
  const to = status >= 300 && status < 400 ? answer.headers.get('location') : null
  if (to !== null)
    return `${target.url} sends on to ${plainLine(to.slice(0, 200))}. Name that with --url.`
  // others say a detail too, and no code
  return String((code && detail) ?? noNode(answer, target).message)
}

/** `word`: what the node has against the key. */
function keyFault(word: string | undefined, { url, data, key }: NodeTarget): string {
  if (key !== undefined) return `The node at ${url} does not know the key in TUMESH_KEY.`
  const other = `Make one there (${callOf('keys', 'add NAME --scope admin')}) and give it in TUMESH_KEY.`
  if (word === 'key_own_machine') {
    return `The key of its data folder counts on the machine of the node itself, and ${url} is reached from elsewhere or through a proxy. ${other}`
  }
  if (data !== undefined) {
    return `The node at ${url} is not the one of ${data}. Name its address with --url.`
  }
  return `The node at ${url} asks for its key. Name its data folder with --data; for a node elsewhere: ${other.charAt(0).toLowerCase()}${other.slice(1)}`
}

/** Something else answers there. */
export function noNode({ status }: Response, { url }: NodeTarget): NodeError {
  const sentence = `What answers at ${url} is no Tumesh node (status ${status}). Name its address with --url.`
  return new NodeError('BAD_REQUEST', sentence, { url })
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
