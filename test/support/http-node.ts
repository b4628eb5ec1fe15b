// A node in memory behind its real HTTP server and guard.

import { createGuard } from '../../src/http/guard.ts'
import { createKeyRing } from '../../src/http/key-ring.ts'
import type { HttpParts } from '../../src/http/ports.ts'
import { createHttpServer, type HttpServer, type ServerOptions } from '../../src/http/server.ts'
import { type MemoryNode, openMemoryNode } from './memory-node.ts'
import { RawClient, type Reply, type Sent, sendRaw } from './raw-client.ts'

/** Allows everything from this machine. */
export const LOCAL_KEY = 'k'.repeat(32)
export const UPLOAD = '/file-sync/api/file-sync/upload'

export const NO_RATES = {
  windowMs: 60_000,
  address: { requests: 0, bytes: 0 },
  key: { requests: 0, bytes: 0 },
  loopback: false
}

export interface HttpNode {
  readonly node: MemoryNode
  readonly server: HttpServer
  readonly port: number
  /** Of HTTPS, if the options have a certificate. */
  readonly tlsPort: number | undefined
  send(path: string, sent?: Sent): Promise<Reply>
  /** A connection of its own, for what no client would send. */
  connect(): RawClient
  close(): Promise<void>
}

export interface HttpNodeChanges {
  readonly parts?: (node: MemoryNode) => Partial<HttpParts>
  readonly options?: Partial<ServerOptions>
  readonly trustedProxies?: readonly string[]
}

export async function startHttpNode({
  parts,
  options,
  trustedProxies = []
}: HttpNodeChanges = {}): Promise<HttpNode> {
  const node = await openMemoryNode()
  const http = { ...node.http, ...parts?.(node) }
  const read = options?.read ?? 'public'
  const guard = createGuard(
    {
      log: http.log,
      keys: createKeyRing(http.flows.index, LOCAL_KEY, http.seal),
      readTables: () => undefined,
      readTableSoon: async () => undefined,
      ownUid: undefined,
      ...{ clock: http.clock, signingKeys: http.signingKeys, sessions: http.sessions }
    },
    { publicRead: read, trustedProxies, signedUrls: options?.signedUrls ?? false }
  )
  const server = createHttpServer(http, guard, {
    ...node.options,
    host: '127.0.0.1',
    port: 0,
    read,
    drainTimeoutMs: 1000,
    corsOrigins: [],
    pathMaxAgeMs: 0,
    tls: undefined,
    hotBytesMax: 2 ** 25,
    accelLocation: undefined,
    serverTiming: false,
    rates: NO_RATES,
    inWork: { addressMax: 256, keyMax: 1024 },
    ...options
  })
  const { port, tlsPort } = await server.listen()
  return {
    node,
    server,
    port,
    tlsPort,
    send: (path, sent = {}) => sendRaw(port, path, sent),
    connect: () => new RawClient(port),
    async close() {
      const closed = server.close()
      node.clock.advance(60_000)
      await closed
      await node.close()
    }
  }
}

export interface FormPart {
  readonly name: string
  readonly fileName?: string
  readonly value: Uint8Array | string
}

const BOUNDARY = 'tumesh-test-boundary'
export const FORM_TYPE = `multipart/form-data; boundary=${BOUNDARY}`

/** A form, byte for byte; `end: false` leaves out its end. */
export function formBody(parts: readonly FormPart[], { end = true } = {}): Buffer {
  const pieces = parts.flatMap(({ name, fileName, value }) => [
    Buffer.from(
      `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"` +
        `${fileName === undefined ? '' : `; filename="${fileName}"\r\nContent-Type: application/octet-stream`}\r\n\r\n`
    ),
    Buffer.from(value),
    Buffer.from('\r\n')
  ])
  return Buffer.concat([...pieces, Buffer.from(end ? `--${BOUNDARY}--\r\n` : '')])
}

/** Sends a form as clients do. */
export function sendForm(
  { send }: Pick<HttpNode, 'send'>,
  parts: readonly FormPart[],
  headers: Readonly<Record<string, string>> = {}
): Promise<Reply> {
  const body = formBody(parts)
  return send(UPLOAD, { method: 'POST', headers: { 'Content-Type': FORM_TYPE, ...headers }, body })
}
