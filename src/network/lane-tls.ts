// TLS for lanes: a key that two nodes agreed on over libp2p, and nothing that would let anybody in
// without one. Node's own TLS costs a fraction of what Noise and Yamux do in JavaScript.

import { constants } from 'node:crypto'
import type { NetConnectOpts, Server, Socket } from 'node:net'
import {
  type ConnectionOptions,
  connect,
  createServer,
  type TLSSocket,
  type TlsOptions
} from 'node:tls'
import type { LaneKey } from '../../protocols/lane/key.ts'
import type { LaneGrant, LaneKeys } from './lane-keys.ts'
import { listenError } from './listen-addresses.ts'

const { SSL_OP_NO_TICKET, SSL_OP_NO_RENEGOTIATION } = constants
const LANES = { what: 'for bulk bytes of other nodes', flag: '--lane-port' }

/** What opens a connection that is no lane, and is answered once. */
export interface SideDoor {
  /** Undefined for an identity that it does not know. */
  open(identity: string): { readonly secret: Buffer; answer(): Promise<string> } | undefined
}

/** A single answer has to be out by then. */
const ANSWER_MS = 10_000
const ANSWER_BYTES_MAX = 1024

const SUITE = {
  ciphers: 'PSK-AES256-GCM-SHA384',
  minVersion: 'TLSv1.2',
  maxVersion: 'TLSv1.2'
} as const satisfies TlsOptions

/** Of a handshake, and of the connection before it where this side dials. */
const HANDSHAKE_MS = 4_000
/** Several nodes may share an address; strangers must not keep all others out. */
const SOCKETS_PER_ADDRESS_MAX = 64
const SOCKETS_MAX = 600

export class LaneServer {
  readonly #keys: LaneKeys
  /** By the address that they come from. */
  readonly #sockets = new Map<string, Set<Socket>>()
  #server: Server | undefined
  sideDoor: SideDoor | undefined

  constructor(keys: LaneKeys) {
    this.#keys = keys
  }

  /** Undefined while it does not listen. */
  get port(): number | undefined {
    const address = this.#server?.address()
    return typeof address === 'object' ? address?.port : undefined
  }

  /** Sockets that are open, those with a handshake under way included. */
  connections(): number {
    return [...this.#sockets.values()].reduce((sum, open) => sum + open.size, 0)
  }

  /**
   * On the port of the last run, which others may know but nobody has asked for, or on a free one.
   * Errors: ADDRESS_UNUSABLE.
   */
  listenAnywhere(host: string, lastPort = 0): Promise<void> {
    return this.listen(host, lastPort).catch(() => this.listen(host, 0))
  }

  /** Errors: PORT_TAKEN, ADDRESS_UNUSABLE. */
  async listen(host: string, port: number): Promise<void> {
    const grants = new WeakMap<TLSSocket, LaneGrant>()
    const answers = new WeakMap<TLSSocket, () => Promise<string>>()
    const server = createServer({
      ...SUITE,
      // a saved session would open a lane without a key, and so might a handshake begun anew
      secureOptions: SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION,
      handshakeTimeout: HANDSHAKE_MS,
      // each side ends its own half, when it has said all
      allowHalfOpen: true,
      pskCallback: (socket, identity) => {
        const given = this.#keys.take(identity)
        if (given === undefined) {
          const door = this.sideDoor?.open(identity)
          if (door !== undefined) answers.set(socket, door.answer)
          return door?.secret ?? null
        }
        grants.set(socket, given.grant)
        const isThere = plainIp(socket.remoteAddress) === given.grant.ip
        return isThere ? given.secret : null
      }
    })
    server.maxConnections = SOCKETS_MAX
    server.on('connection', (socket: Socket) => this.#admit(socket))
    // after a time-out alone the socket would stay open
    server.on('tlsClientError', (_error, socket) => {
      socket.destroy()
      grants.get(socket)?.onEnd(undefined)
    })
    server.on('secureConnection', (socket) => {
      const grant = grants.get(socket)
      const answer = answers.get(socket)
      if (answer !== undefined) void answerOnce(socket, answer)
      else if (grant === undefined) socket.destroy()
      else grant.onEnd(socket)
    })
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error) => reject(listenError(error, host, port, LANES)))
      server.listen({ host, port }, resolve)
    })
    server.on('error', () => {})
    this.#server = server
  }

  async close(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    for (const socket of [...this.#sockets.values()].flatMap((all) => [...all])) socket.destroy()
    if (server !== undefined) await new Promise((resolve) => server.close(resolve))
  }

  /** A handshake that stands still costs 37 KB, and ends by the time limit. */
  #admit(socket: Socket): void {
    const ip = plainIp(socket.remoteAddress)
    const open = this.#sockets.get(ip) ?? new Set()
    this.#sockets.set(ip, open)
    open.add(socket)
    socket.once('close', () => {
      open.delete(socket)
      if (open.size === 0 && this.#sockets.get(ip) === open) this.#sockets.delete(ip)
    })
    if (open.size > SOCKETS_PER_ADDRESS_MAX) socket.destroy()
  }
}

/** Never rejects. Nothing that comes is read. */
async function answerOnce(socket: TLSSocket, answer: () => Promise<string>): Promise<void> {
  socket.on('error', () => socket.destroy())
  socket.setTimeout(ANSWER_MS, () => socket.destroy())
  try {
    socket.end(await answer())
    socket.destroySoon()
  } catch {
    socket.destroy()
  }
}

/**
 * Asks at the side door of another node: what it answers, at most a kilobyte. Throws the error of
 * the socket, and the signal's reason.
 */
export async function askSideDoor(key: LaneKey, ip: string, signal: AbortSignal): Promise<string> {
  const pieces: Buffer[] = []
  let bytes = 0
  const buffer = Buffer.alloc(ANSWER_BYTES_MAX)
  const ended = Promise.withResolvers<void>()
  const callback = (count: number) => {
    bytes += count
    if (bytes <= ANSWER_BYTES_MAX) pieces.push(Buffer.from(buffer.subarray(0, count)))
    else ended.reject(new Error('the answer is too long'))
    return true
  }
  ended.promise.catch(() => {}) // awaited below, unless it can't be dialled
  const socket = await dialLane(key, ip, { buffer, callback }, signal)
  const giveUp = () => ended.reject(signal.reason)
  signal.addEventListener('abort', giveUp, { once: true })
  socket.once('end', () => ended.resolve())
  socket.once('close', () => ended.resolve())
  try {
    await ended.promise
    return Buffer.concat(pieces).toString()
  } finally {
    signal.removeEventListener('abort', giveUp)
    socket.destroy()
  }
}

/** One that is open. */
export type LaneSocket = TLSSocket

/** What works, though the types of TLS leave it out. */
type Untold = 'onread' | 'allowHalfOpen'

/**
 * Dials a lane with a key of the other side. What comes is put into `buffer`, and `onBytes` hears
 * how much; it says whether more may come. Throws the error of the socket, and the signal's reason.
 */
export async function dialLane(
  { port, identity, secret }: LaneKey,
  ip: string,
  onread: { buffer: Uint8Array; callback: (bytes: number) => boolean },
  signal: AbortSignal
): Promise<TLSSocket> {
  signal.throwIfAborted()
  const options: ConnectionOptions & Pick<NetConnectOpts, Untold> = {
    ...SUITE,
    host: ip,
    port,
    onread,
    allowHalfOpen: true,
    // nobody has a certificate: the key is the proof
    checkServerIdentity: () => undefined,
    pskCallback: () => ({ identity, psk: secret })
  }
  const socket = connect(options)
  const { promise, resolve, reject } = Promise.withResolvers<TLSSocket>()
  const giveUp = () => reject(signal.reason)
  signal.addEventListener('abort', giveUp, { once: true })
  socket.once('secureConnect', () => resolve(socket))
  socket.once('close', () => reject(new Error('the lane was closed before it was open')))
  socket.on('error', (error) => {
    // after an error of TLS itself the socket would stay open
    socket.destroy()
    reject(error)
  })
  try {
    return await promise
  } catch (error) {
    socket.destroy()
    throw error
  } finally {
    signal.removeEventListener('abort', giveUp)
  }
}

/** IPv4 addresses that IPv6 carries are taken for what they are. */
export function plainIp(ip: string | undefined): string {
  const [plain = ''] = (ip ?? '').split('%', 1)
  return plain.replace(/^::ffff:(?=\d+\.)/i, '')
}
