// The sockets on which requests come, and their limits: HTTP, and HTTPS where there is a
// certificate.

import type { Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { NodeError, systemCodeOf } from '../base/errors.ts'
import { type CertificateParts, followCertificate, readCertificate } from './certificate.ts'
import { createServer } from './node-http.ts'
import type { HttpOptions } from './options.ts'

export type ListenerOptions = Pick<HttpOptions, 'host' | 'port' | 'tls'>

export interface Listener {
  readonly server: Server
  /** The event that tells of a connection on which requests may come. */
  readonly connectionEvent: 'connection' | 'secureConnection'
  /** Errors: PORT_TAKEN, ADDRESS_UNUSABLE. */
  listen(): Promise<void>
  /** After the server is closed. */
  end(): void
}

/** Paths of 1,024 bytes in their longest spelling fit four times. */
export const HEAD_BYTES_MAX = 16 * 1024
/** For the first bytes of a connection, and for the head of a request. */
export const HEAD_MS_MAX = 15_000
/** 100 MB at 30 KB/s. */
const REQUEST_MS_MAX = 3_600_000
/** A connection on which nothing moves at all, in neither direction. */
const IDLE_MS_MAX = 120_000
/**
 * Longer than clients and proxies keep theirs, so that it is they who close and no request meets a
 * closing server.
 */
export const KEEP_ALIVE_MS = 75_000
const CONNECTIONS_MAX = 16_384
/** Connections that wait to be taken; the system cuts it to its own limit. */
const BACKLOG_MAX = 4_096

/** A client that does not come to the end of a TLS handshake. */
const HANDSHAKE_MS_MAX = 10_000

const LIMITS = {
  maxHeaderSize: HEAD_BYTES_MAX,
  headersTimeout: HEAD_MS_MAX,
  requestTimeout: REQUEST_MS_MAX,
  keepAliveTimeout: KEEP_ALIVE_MS,
  requireHostHeader: false // refused by the server, in the form of all errors
} as const

/** HTTP first. Throws BAD_CONFIG for a certificate that can't be used. */
export function createListeners(
  parts: CertificateParts,
  { host, port, tls }: ListenerOptions
): readonly Listener[] {
  const plain = limited(createServer(LIMITS))
  const listener: Listener = {
    server: plain,
    connectionEvent: 'connection',
    listen: () => listening(plain, { host, port, flags: '--http-host and --http-port' }),
    end: () => {}
  }
  return tls === undefined ? [listener] : [listener, secureListener(parts, host, tls)]
}

function secureListener(
  parts: CertificateParts,
  host: string,
  tls: NonNullable<HttpOptions['tls']>
): Listener {
  const certificate = readCertificate(tls)
  const server = createTlsServer({
    ...LIMITS,
    ...certificate,
    minVersion: 'TLSv1.2',
    handshakeTimeout: HANDSHAKE_MS_MAX
  })
  limited(server)
  // without this a connection whose handshake failed stays open
  server.on('tlsClientError', (_error, socket) => socket.destroy())
  const end = followCertificate(parts, tls, certificate, (fresh) => server.setSecureContext(fresh))
  const { port } = tls
  return {
    server,
    connectionEvent: 'secureConnection',
    listen: () => listening(server, { host, port, flags: 'http.host and http.tls_port' }),
    end
  }
}

function limited(server: Server): Server {
  server.setTimeout(IDLE_MS_MAX)
  server.maxConnections = CONNECTIONS_MAX
  // Their size is bounded; dropping those beyond a number would hide them from the guard.
  server.maxHeadersCount = 0
  return server
}

interface Place {
  readonly host: string
  readonly port: number
  /** What chooses another one. */
  readonly flags: string
}

function listening(server: Server, { host, port, flags }: Place): Promise<void> {
  return new Promise((resolve, reject) => {
    const onError = (error: unknown) => reject(listenError(error, { host, port, flags }))
    server.once('error', onError)
    server.listen({ host, port, backlog: BACKLOG_MAX }, () => {
      server.off('error', onError)
      resolve()
    })
  })
}

function listenError(cause: unknown, { host, port, flags }: Place): NodeError {
  const system = systemCodeOf(cause)
  const details = { host, port, system }
  if (system === 'EADDRINUSE') {
    const sentence = `Port ${port} on ${host} is taken by another program. Stop it, or choose another port with ${flags}.`
    return new NodeError('PORT_TAKEN', sentence, details, { cause })
  }
  const why = system === 'EACCES' ? 'this user may not' : `the system says ${system ?? cause}`
  const sentence = `The node can't listen on ${host}, port ${port}: ${why}. Choose others with ${flags}.`
  return new NodeError('ADDRESS_UNUSABLE', sentence, details, { cause })
}
