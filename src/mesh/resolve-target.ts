// From what a person knows of a server to the addresses that can be dialled: http://host:8000 is
// asked for them.

import { saidAs } from '../base/cause.ts'
import type { Clock } from '../base/clock.ts'
import { NodeError, systemCodeOf } from '../base/errors.ts'
import { callOf } from '../base/how-called.ts'
import { targetKind } from '../flows/join-targets.ts'
import { withDeadline } from '../network/deadline.ts'
import { isLoopback } from '../network/on-link.ts'

export interface ResolveParts {
  readonly clock: Clock
  readonly fetch: (url: URL, init: RequestInit) => Promise<Response>
}

/** One server. */
export interface Target {
  /** Multiaddrs, the most promising first; never none. */
  readonly addresses: readonly string[]
  readonly name?: string
  readonly cluster?: string
}

const ANSWER_MS_MAX = 5_000
const ANSWER_BYTES_MAX = 2 ** 20
const ADDRESSES_MAX = 24
const ADDRESS_CHARACTERS_MAX = 256
/** Of a node that listens on any address, and says so instead of its addresses. */
const UNSPECIFIED = /^\/(ip4\/0\.0\.0\.0|ip6\/::)\//

/**
 * `text` is a multiaddr, which is its own answer, or the URL of a node of `cluster`. Errors:
 * BAD_REQUEST if it is neither; PEER_UNREACHABLE, whose `reason` is `refused`, `timed-out`,
 * `no-route`, `no-node`, `closed`, `alone` or `other-cluster`.
 */
export async function resolveTarget(
  parts: ResolveParts,
  text: string,
  cluster: string,
  signal: AbortSignal
): Promise<Target> {
  const kind = targetKind(text)
  if (kind === 'multiaddr') return { addresses: [text] }
  if (kind === 'invite') {
    const sentence = 'An invite names several servers.'
    throw new NodeError('BAD_REQUEST', sentence, saidAs('invite_several'))
  }
  const url = new URL(text)
  const about = nodeOf(await askStatus(parts, url, signal), url)
  if (about.cluster !== cluster) throw otherCluster(url, about.cluster, cluster)
  const addresses = reachable(about, url)
  if (addresses.length > 0) return { ...about, addresses }
  throw unreachable(
    { reason: 'alone', word: 'target_alone', host: url.host },
    `The node at ${url.host} stands alone: it has no address for other nodes. Start it with file_sync.enabled: true.`
  )
}

async function askStatus({ clock, fetch }: ResolveParts, url: URL, signal: AbortSignal) {
  const base = new URL(url)
  base.search = base.hash = ''
  if (!base.pathname.endsWith('/')) base.pathname += '/' // a proxy may have it below a path
  try {
    return await withDeadline(clock, ANSWER_MS_MAX, [signal], async (either) => {
      const init: RequestInit = { signal: either, redirect: 'manual' }
      const answer = await fetch(new URL('api/storage-status', base), init)
      if (answer.ok) return await readBounded(answer)
      await answer.body?.cancel()
      throw refusedBy(answer, url)
    })
  } catch (error) {
    if (signal.aborted || error instanceof NodeError) throw error
    throw failureOf(error, url)
  }
}

async function readBounded({ body }: Response): Promise<string> {
  const pieces: Uint8Array[] = []
  let bytes = 0
  for await (const piece of body ?? []) {
    bytes += piece.byteLength
    if (bytes > ANSWER_BYTES_MAX) return '' // leaving the loop cancels the body
    pieces.push(piece)
  }
  return Buffer.concat(pieces).toString()
}

interface About {
  readonly name: string
  readonly peerId: string
  readonly cluster: string
  readonly addresses: readonly string[]
}

function nodeOf(text: string, url: URL): About {
  try {
    const { name, peer_id: peerId, cluster, addresses } = JSON.parse(text).node
    const words = [name, peerId, cluster]
    if (words.every((word) => typeof word === 'string' && word.length <= 128)) {
      const own = (one: unknown) =>
        typeof one === 'string' &&
        one.length <= ADDRESS_CHARACTERS_MAX &&
        one.endsWith(`/p2p/${peerId}`)
      return { name, peerId, cluster, addresses: addresses.filter(own) }
    }
  } catch {
    // told below
  }
  throw noNode(url)
}

/** Where the URL leads is tried first: the node may not know by what address others see it. */
function reachable({ addresses, peerId }: About, url: URL): string[] {
  const host = hostPart(url)
  const ports = addresses.flatMap((one) => /\/tcp\/(\d{1,5})\/p2p\//.exec(one)?.[1] ?? [])
  const seen = ports.map((port) => `${host}/tcp/${port}/p2p/${peerId}`)
  const here = isLocal(url)
  const others = addresses.filter(
    (one) =>
      !UNSPECIFIED.test(one) && (here || !isLoopback(/^\/ip[46]\/([^/]+)/.exec(one)?.[1] ?? ''))
  )
  return [...new Set([...seen, ...others])].slice(0, ADDRESSES_MAX)
}

function hostPart({ hostname }: URL): string {
  if (hostname.startsWith('[')) return `/ip6/${hostname.slice(1, -1)}`
  return /^[\d.]+$/.test(hostname) ? `/ip4/${hostname}` : `/dns/${hostname}`
}

function isLocal({ hostname }: URL): boolean {
  return /^(.+\.)?localhost$/.test(hostname) || isLoopback(hostname.replace(/^\[|\]$/g, ''))
}

function refusedBy(answer: Response, { host }: URL): NodeError {
  if (answer.status === 401 || answer.status === 403) {
    return unreachable(
      { reason: 'closed', word: 'target_closed', host },
      `The node at ${host} tells its addresses only to who has a key. Run \`${callOf('invite')}\` there, and join the line that it prints.`
    )
  }
  const to = answer.headers.get('location')
  if (to !== null && answer.status >= 300 && answer.status < 400) {
    return unreachable(
      { reason: 'no-node', word: 'target_moved', host, to },
      `${host} sends on to ${to.slice(0, 200)}. Join that instead.`
    )
  }
  return noNode({ host })
}

function failureOf(error: unknown, { host, hostname, port, protocol }: URL): NodeError {
  const code = systemCodeOf(error)
  const hint = port === '' ? ' Name the port of the node, as in http://host:8000.' : ''
  if (code === 'ECONNREFUSED') {
    const start = hint || ' Start the node there, or check its port.'
    return unreachable(
      { reason: 'refused', word: 'dial_refused', host },
      `Nothing listens at ${host} (connection refused).${start}`,
      error
    )
  }
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return unreachable(
      { reason: 'no-route', word: 'target_no_host', host: hostname },
      `No host is known as ${hostname}. Check the name.`,
      error
    )
  }
  if (code === 'EHOSTUNREACH' || code === 'ENETUNREACH') {
    const check = 'Check that the machine is on and in a network that this one can reach.'
    return unreachable(
      { reason: 'no-route', word: 'dial_no_route', host },
      `There is no way to ${host}. ${check}`,
      error
    )
  }
  if ((error as Error).name === 'TimeoutError' || /ETIMEDOUT|_TIMEOUT$/.test(code ?? '')) {
    const check = 'Check that the machine is on and that no firewall closes the port.'
    return unreachable(
      { reason: 'timed-out', word: 'dial_timed_out', host },
      `${host} did not answer in time. ${check}${hint}`,
      error
    )
  }
  if (protocol === 'https:' && code !== undefined) {
    const sentence = `There is no secure connection with ${host} (${code}). Try http:// instead.`
    return unreachable({ reason: 'no-node', word: 'target_insecure', host }, sentence, error)
  }
  return noNode({ host }, error)
}

function noNode({ host }: Pick<URL, 'host'>, cause?: unknown): NodeError {
  return unreachable(
    { reason: 'no-node', word: 'target_no_node', host },
    `What answers at ${host} is no Tumesh node. Check the address: it is the one of the node's page.`,
    cause
  )
}

function otherCluster({ host }: URL, theirs: string, ours: string): NodeError {
  return unreachable(
    { reason: 'other-cluster', word: 'dial_other_cluster', host },
    `The node at ${host} is of the cluster ${theirs}, this one of ${ours}. To enter its mesh, run \`${callOf('invite')}\` there and \`${callOf('join', '<that line>')}\` here.`
  )
}

interface Fault {
  readonly reason: string
  /** For programs that say it in another language. */
  readonly word: string
  readonly host: string
  readonly to?: string
}

function unreachable({ reason, word, host, to }: Fault, sentence: string, cause?: unknown) {
  const said = saidAs(word, { place: host, ...(to !== undefined && { to: to.slice(0, 200) }) })
  return new NodeError('PEER_UNREACHABLE', sentence, { reason, ...said }, { cause })
}
