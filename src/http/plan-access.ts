// Decides who may call a route. Pure: facts come in as values, the one that is dear to find out as
// a question.

import type { BlockList } from 'node:net'
import type { Word } from '../base/cause.ts'
import { callOf } from '../base/how-called.ts'

/**
 * Who may call a route. `public` is closed to callers without a key when reading is (`http.read:
 * key`); `anyone` never is: health checks, the API page, the page's shell.
 */
export type Who = 'anyone' | 'public' | Scope
/** What a key allows; each includes the ones before it. */
export type Scope = 'read' | 'write' | 'admin'
const SCOPE_RANK: Readonly<Record<Scope, number>> = { read: 1, write: 2, admin: 3 }

export interface Grant {
  /** Of a key that people made. */
  readonly id?: string | undefined
  /** The key's name, for sentences and logs. */
  readonly name: string
  readonly scopes: readonly Scope[]
  /** The key counts only for callers of this machine. */
  readonly loopbackOnly?: boolean
}

/** One request, as far as it says where it comes from. */
export interface Caller {
  /** As `addressOf` gives it; undefined if the connection is gone. */
  readonly remoteAddress: string | undefined
  readonly localPort: number | undefined
  /**
   * Whether the calling process runs as the node's own user; undefined where the system can't tell.
   */
  readonly sameUser: () => boolean | undefined
  /** Every Host header. */
  readonly hosts: readonly string[]
  readonly origin: string | undefined
  /** Of the connection, so of the origin of our own page. */
  readonly scheme: 'http' | 'https'
  readonly secFetchSite: string | undefined
  /** The first header that a proxy adds. */
  readonly forwardedBy: string | undefined
  readonly authorization: string | undefined
  /** What the presented key allows; undefined for none or an unknown one. */
  readonly grant: Grant | undefined
  /**
   * What the key allows that a cookie stands for, and whether a page of our own sent it; what only
   * reads may come without one, since no other site gets to see the answer.
   */
  readonly session?: { readonly grant: Grant; readonly isOwnPage: boolean } | undefined
}

export interface AccessPolicy {
  /** False once a forwarded request came from this machine. */
  readonly keylessOpen: boolean
  readonly publicRead: 'public' | 'key'
  readonly trustedProxies: BlockList
}

export interface Access {
  readonly as: 'keyless' | 'key' | 'signed' | 'public'
  /** The name of the key, and its id where people made it. */
  readonly key?: string | undefined
  readonly keyId?: string | undefined
  /** `own`: addresses of other servers are not for this caller. */
  readonly sees: 'all' | 'own'
}

export interface Refusal {
  readonly allow: false
  readonly code: 'UNAUTHORIZED' | 'FORBIDDEN'
  /** Which condition failed, and what to do. */
  readonly reason: string
  readonly said: Word
}

export type Decision = ({ readonly allow: true } & Access) | Refusal

/**
 * A key that is presented decides alone; without one, the caller must be the node's own user on
 * this machine.
 */
export function planAccess(who: Who, caller: Caller, policy: AccessPolicy): Decision {
  const needed = who === 'anyone' || who === 'public' ? 'read' : who
  const decision = planCaller(needed, caller, policy)
  if (decision.allow || !isOpen(who, policy)) return decision
  return { allow: true, as: 'public', sees: 'own' }
}

function planCaller(needed: Scope, caller: Caller, policy: AccessPolicy): Decision {
  const { authorization, session } = caller
  if (authorization !== undefined) return planKey(needed, caller)
  if (session === undefined) return planKeyless(needed, caller, policy)
  if (session.isOwnPage) return planKey(needed, { ...caller, grant: session.grant })
  return refuse('FORBIDDEN', ['other_site', OTHER_SITE], needed)
}

/** Whether the route needs nothing of its caller. */
export function isOpen(who: Who, policy: Pick<AccessPolicy, 'publicRead'>): boolean {
  return who === 'anyone' || (who === 'public' && policy.publicRead === 'public')
}

/** By a key that is presented. */
export function planKey(
  needed: Scope,
  { grant, remoteAddress, forwardedBy }: Pick<Caller, 'grant' | 'remoteAddress' | 'forwardedBy'>
): Decision {
  if (grant === undefined) {
    return refuse(
      'UNAUTHORIZED',
      ['unknown', 'this key is not known here, or was not sent as "Authorization: Bearer KEY"'],
      needed
    )
  }
  if (grant.loopbackOnly && !(isLoopback(remoteAddress) && forwardedBy === undefined)) {
    const fault = `the key "${grant.name}" counts on its own machine only`
    return refuse('UNAUTHORIZED', ['own_machine', fault], needed)
  }
  if (grant.scopes.some((scope) => SCOPE_RANK[scope] >= SCOPE_RANK[needed])) {
    return { allow: true, as: 'key', key: grant.name, keyId: grant.id, sees: 'all' }
  }
  const scopes = grant.scopes.join(', ') || 'nothing'
  return refuse(
    'FORBIDDEN',
    ['scope', `the key "${grant.name}" allows ${scopes}, not ${needed}`],
    needed
  )
}

function planKeyless(needed: Scope, caller: Caller, policy: AccessPolicy): Decision {
  const fault = keylessFault(caller, policy)
  if (fault !== undefined) return refuse('UNAUTHORIZED', fault, needed)
  return { allow: true, as: 'keyless', sees: 'all' }
}

/** The first condition of keyless access that fails. All must hold: each closes another way in. */
function keylessFault(caller: Caller, policy: AccessPolicy): Fault | undefined {
  const { remoteAddress, forwardedBy, hosts, origin, scheme, secFetchSite } = caller
  if (!isLoopback(remoteAddress)) return ['not_here', 'the caller is not on this machine']
  if (isListed(policy.trustedProxies, remoteAddress))
    return ['proxy', 'the caller is a configured proxy']
  if (forwardedBy !== undefined) return ['proxy', `the request was forwarded (${forwardedBy})`]
  if (!policy.keylessOpen)
    return ['proxy_before', 'a forwarded request came from this machine earlier']
  const [host, ...more] = hosts
  // A page whose name was rebound to 127.0.0.1 still sends its own name.
  if (host === undefined || more.length > 0 || !isOwnHost(caller, host)) {
    return ['host', "the Host header is not a loopback name with this node's port"]
  }
  if (origin !== undefined && origin.toLowerCase() !== `${scheme}://${host.toLowerCase()}`) {
    return ['other_site', 'the request comes from a page of another origin']
  }
  if (secFetchSite !== undefined && !['none', 'same-origin'].includes(secFetchSite)) {
    return ['other_site', OTHER_SITE]
  }
  // Asked last: it reads a table. Where there is none (macOS, Windows), loopback alone decides.
  if (caller.sameUser() === false) return ['other_user', 'the calling program runs as another user']
  return undefined
}

/** In a word, and in a part of a sentence. */
type Fault = readonly [word: string, text: string]

const OTHER_SITE = 'the request comes from a page of another site'

function refuse(code: Refusal['code'], [word, fault]: Fault, needed: Scope): Refusal {
  const reason =
    `This needs a key with the scope ${needed}, since ${fault}: send "Authorization: Bearer KEY" ` +
    `with a key that "${callOf('keys', `add NAME --scope ${needed}`)}" on the server makes.`
  return { allow: false, code, reason, said: { code: `key_${word}`, details: { scope: needed } } }
}

/** Literal loopback names only, with our port; a missing port means that of the scheme. */
function isOwnHost({ scheme, localPort }: Caller, host: string): boolean {
  const [, name, port] =
    /^(localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::(\d{1,5}))?$/i.exec(host) ?? []
  if (
    name === undefined ||
    localPort === undefined ||
    Number(port ?? (scheme === 'https' ? 443 : 80)) !== localPort
  )
    return false
  return !name.startsWith('127') || isLoopback(name)
}

/** IPv4 in its plain form also where the socket is IPv6; without a zone. */
export function addressOf(address: string | undefined): string | undefined {
  return address?.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '')
}

export function isLoopback(address: string | undefined): boolean {
  if (address === '::1') return true
  const [, ...parts] = /^127\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(address ?? '') ?? []
  return parts.length > 0 && parts.every((part) => Number(part) <= 255)
}

export function isListed(list: BlockList, address: string | undefined): boolean {
  return address !== undefined && list.check(address, address.includes(':') ? 'ipv6' : 'ipv4')
}

const FORWARDING_PREFIXES = [
  'forwarded',
  'x-forward',
  'x-original-',
  'x-proxy',
  'x-envoy-',
  'x-azure-',
  'x-arr-',
  'cf-',
  'fly-',
  'tailscale-'
]
const FORWARDING_HEADERS = new Set([
  'via',
  'x-real-ip',
  'x-real-port',
  'x-client-ip',
  'x-cluster-client-ip',
  'x-remote-ip',
  'x-remote-addr',
  'x-host',
  'x-rewrite-url',
  'x-appengine-user-ip',
  'x-amzn-trace-id',
  'x-cloud-trace-context',
  'true-client-ip',
  'fastly-client-ip',
  'proxy-client-ip',
  'wl-proxy-client-ip',
  'client-ip',
  'cdn-loop'
])

/** The first header that only a proxy adds; names are in lower case. */
export function forwardingHeaderOf(names: Iterable<string>): string | undefined {
  for (const name of names) {
    if (FORWARDING_HEADERS.has(name)) return name
    if (FORWARDING_PREFIXES.some((prefix) => name.startsWith(prefix))) return name
  }
  return undefined
}
