// The guard before every route: who calls, and may he? Knows whether keyless access is still open.

import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { BlockList, isIP } from 'node:net'
import { saidAs } from '../base/cause.ts'
import type { Clock } from '../base/clock.ts'
import { NodeError } from '../base/errors.ts'
import { callOf } from '../base/how-called.ts'
import type { Log } from '../base/log.ts'
import { clientAddress } from './client-address.ts'
import type { KeyRing } from './local-key.ts'
import {
  type Access,
  addressOf,
  type Caller,
  type Decision,
  forwardingHeaderOf,
  isListed,
  isLoopback,
  isOpen,
  planAccess,
  planKey,
  type Who
} from './plan-access.ts'
import { isFromOwnPage, type Sessions } from './sessions.ts'
import { checkSigned, type Verdict } from './signed-url.ts'
import { type Endpoint, type SocketOwnerParts, SocketOwners } from './socket-owner.ts'

export interface GuardParts extends SocketOwnerParts {
  readonly log: Log
  readonly keys: KeyRing
  readonly clock: Pick<Clock, 'now'>
  readonly sessions: Pick<Sessions, 'bearerOf'>
  /** See HttpParts. */
  readonly signingKeys: () => readonly string[]
}

export interface GuardOptions {
  /** Whether public routes need a key. */
  readonly publicRead: 'public' | 'key'
  /** Addresses, or networks in CIDR notation. Never keyless, wherever they are. */
  readonly trustedProxies: readonly string[]
  /** Whether signed addresses open what is public without a key. */
  readonly signedUrls: boolean
}

export interface Guard {
  /** Undefined, or a promise to be awaited so that `check` need not hold the event loop. */
  prepare(request: IncomingMessage, who: Who): Promise<void> | undefined
  /**
   * As whom the request is let in. Throws UNAUTHORIZED or FORBIDDEN. To be called once for every
   * request.
   */
  check(request: IncomingMessage, who: Who): Access
  /** Whether it comes from a proxy that a person has named. */
  isFromProxy(request: IncomingMessage): boolean
  /** The IP address of who asks, through proxies that a person has named. */
  clientOf(request: IncomingMessage): string
  /** The name of a key that a caller says it has. Throws UNAUTHORIZED. */
  requireKey(request: IncomingMessage, bearer: string): string
  /** The name of the key that it shows, if that is one. */
  keyOf(request: IncomingMessage): string | undefined
  /** False from the first forwarded request that came from this machine. */
  readonly keylessOpen: boolean
}

const BY_SIGNATURE = { allow: true, as: 'signed', sees: 'own' } as const

/** Throws BAD_CONFIG for a proxy that is no address. */
export function createGuard(parts: GuardParts, options: GuardOptions): Guard {
  const { log, keys } = parts
  const trustedProxies = parseProxies(options.trustedProxies)
  const owners = new SocketOwners({
    ownUid: parts.ownUid,
    readTables: () => heeded(parts.readTables()),
    readTableSoon: async (name) => heeded(await parts.readTableSoon(name))
  })
  let keylessOpen = true
  let tablesMissed = false

  function heeded(tables: string | undefined): string | undefined {
    if (tables === undefined && !tablesMissed) {
      tablesMissed = true
      log.warn(
        'This system does not tell whose program calls: every user of this machine may use the ' +
          'node without a key.'
      )
    }
    return tables
  }

  function closeKeyless(header: string): void {
    keylessOpen = false
    log.warn(
      { header },
      'A forwarded request came from this machine, so a proxy runs here: from now until the next ' +
        `start everybody needs a key. Make one: ${callOf('keys', 'add NAME --scope write')}`
    )
  }

  function callerOf(request: IncomingMessage): Caller {
    const { socket, headers } = request
    const remoteAddress = addressOf(socket.remoteAddress)
    const forwardedBy = forwardingHeaderOf(Object.keys(headers))
    return {
      remoteAddress,
      localPort: socket.localPort,
      sameUser() {
        const ends = endsOf(socket)
        return ends === undefined ? false : owners.isOwn(socket, ...ends)
      },
      hosts: valuesOf(request, 'host'),
      origin: headers.origin,
      scheme: 'encrypted' in socket ? 'https' : 'http',
      secFetchSite: headers['sec-fetch-site']?.toString(),
      forwardedBy,
      authorization: headers.authorization,
      get session() {
        const bearer = parts.sessions.bearerOf(request)
        const grant = bearer === undefined ? undefined : keys.grantOf(bearer)
        if (grant === undefined) return undefined
        const reads = request.method === 'GET' || request.method === 'HEAD'
        return { grant, isOwnPage: reads || isFromOwnPage(request) }
      },
      get grant() {
        const bearer = bearerOf(headers.authorization)
        return bearer === undefined ? undefined : keys.grantOf(bearer)
      }
    }
  }

  function callerFacts({ socket, headers }: IncomingMessage) {
    const forwardedBy = forwardingHeaderOf(Object.keys(headers))
    return { remoteAddress: addressOf(socket.remoteAddress), forwardedBy }
  }

  function decide(request: IncomingMessage, who: Who): Decision {
    const policy = { keylessOpen, trustedProxies, publicRead: options.publicRead }
    return planAccess(who, callerOf(request), policy)
  }

  return {
    prepare({ socket, headers }, who) {
      const needsNone = isOpen(who, options) || !keylessOpen
      if (needsNone || headers.authorization !== undefined) return undefined
      const ends = isLoopback(addressOf(socket.remoteAddress)) ? endsOf(socket) : undefined
      return ends && owners.learn(socket, ...ends)
    },
    check(request, who) {
      noteForwarding(request)
      const verdict = () => (who === 'public' ? verdictOf(request) : 'unsigned')
      if (isOpen(who, options)) {
        return lazyAccess(() => (verdict() === 'valid' ? BY_SIGNATURE : decide(request, who)))
      }
      const signed = verdict()
      if (signed === 'valid') return BY_SIGNATURE
      const decision = decide(request, who)
      if (decision.allow) return decision
      if (signed !== 'unsigned') throw refuseSigned(signed)
      throw new NodeError(decision.code, decision.reason, { who, cause: decision.said })
    },
    isFromProxy: ({ socket }) => isListed(trustedProxies, addressOf(socket.remoteAddress)),
    requireKey(request, bearer) {
      const caller = { ...callerFacts(request), grant: keys.grantOf(bearer) }
      const decision = planKey('read', caller)
      if (!decision.allow)
        throw new NodeError(decision.code, decision.reason, { cause: decision.said })
      return caller.grant?.name ?? ''
    },
    keyOf(request) {
      const bearer = bearerOf(request.headers.authorization) ?? parts.sessions.bearerOf(request)
      return bearer === undefined ? undefined : keys.grantOf(bearer)?.name
    },
    clientOf: (request) => clientAddress(request, trustedProxies),
    get keylessOpen() {
      return keylessOpen
    }
  }

  function verdictOf({ method, url = '' }: IncomingMessage): Verdict {
    const reads = method === 'GET' || method === 'HEAD'
    if (!options.signedUrls || !reads) return 'unsigned'
    return checkSigned(url, { signingKeys: parts.signingKeys(), keys }, parts.clock.now())
  }

  /** A proxy beside the node may forward anybody's requests, also ones that it does not mark. */
  function noteForwarding({ socket, headers }: IncomingMessage): void {
    if (!keylessOpen || !isLoopback(addressOf(socket.remoteAddress))) return
    const header = forwardingHeaderOf(Object.keys(headers))
    if (header !== undefined) closeKeyless(header)
  }
}

/** The other end of a connection, and this one. */
function endsOf(socket: Socket): [near: Endpoint, far: Endpoint] | undefined {
  const { remotePort, localPort } = socket
  const [near, far] = [addressOf(socket.remoteAddress), addressOf(socket.localAddress)]
  if (!near || !far || !remotePort || !localPort) return undefined
  return [
    { address: near, port: remotePort },
    { address: far, port: localPort }
  ]
}

function refuseSigned(verdict: Exclude<Verdict, 'unsigned' | 'valid'>): NodeError {
  return new NodeError('FORBIDDEN', UNSIGNED_SENTENCES[verdict], saidAs(`address_${verdict}`))
}

const UNSIGNED_SENTENCES = {
  expired: 'The time of this address is over.',
  revoked: 'The key with which this address was signed has been revoked.',
  wrong:
    'The signature of this address is not right: it was made with another key, or the address was changed.'
} as const

/** Open routes let everybody in; who it is, few of them ask, and finding out is dear. */
function lazyAccess(decide: () => Decision): Access {
  let known: Access | undefined
  const access = (): Access => {
    if (known === undefined) {
      const decision = decide()
      known = decision.allow ? decision : { as: 'public', sees: 'own' }
    }
    return known
  }
  return {
    get as() {
      return access().as
    },
    get key() {
      return access().key
    },
    get keyId() {
      return access().keyId
    },
    get sees() {
      return access().sees
    }
  }
}

function bearerOf(authorization: string | undefined): string | undefined {
  return /^bearer +([\x21-\x7e]+)$/i.exec(authorization ?? '')?.[1]
}

/** Every value of a header; the platform keeps only the first of a repeated Host. */
function valuesOf({ rawHeaders }: IncomingMessage, name: string): string[] {
  return rawHeaders.filter((_, at) => at % 2 === 1 && rawHeaders[at - 1]?.toLowerCase() === name)
}

function parseProxies(texts: readonly string[]): BlockList {
  const list = new BlockList()
  for (const text of texts) {
    const [address = '', prefix] = text.split('/')
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
    const bits = family === 'ipv6' ? 128 : 32
    const length = prefix === undefined ? bits : /^\d{1,3}$/.test(prefix) ? Number(prefix) : -1
    if (isIP(address) === 0 || length < 0 || length > bits) {
      throw new NodeError(
        'BAD_CONFIG',
        `The proxy "${text.slice(0, 80)}" is no IP address or network. ` +
          'Write it like 10.0.0.2 or 10.0.0.0/8.'
      )
    }
    list.addSubnet(address, length, family)
  }
  return list
}
