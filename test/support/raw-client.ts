// A client that sends exactly what it is told to: headers that others would not send, half
// requests, garbage.

import { type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http'
import { connect, type Socket } from 'node:net'

export interface Sent {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string | string[]>>
  readonly body?: Uint8Array | string | undefined
}

export interface Reply {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly bytes: Buffer
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  readonly json: any
}

/** One request on a connection of its own. */
export function sendRaw(
  port: number,
  path: string,
  { method = 'GET', headers, body }: Sent
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, path, method, headers: { ...headers }, agent: false }
    const outgoing = request(options, (incoming) => void readReply(incoming).then(resolve, reject))
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

async function readReply(incoming: IncomingMessage): Promise<Reply> {
  const pieces: Buffer[] = []
  for await (const piece of incoming) pieces.push(piece)
  const { statusCode: status = 0, headers } = incoming
  const bytes = Buffer.concat(pieces)
  const isJson = headers['content-type']?.includes('json') === true && bytes.byteLength > 0
  return { status, headers, bytes, json: isJson ? JSON.parse(bytes.toString()) : undefined }
}

/** Bytes in, bytes out. */
export class RawClient {
  readonly socket: Socket
  #received = ''
  #wake = () => {}
  #closed = false

  constructor(port: number) {
    this.socket = connect({ host: '127.0.0.1', port })
    this.socket.on('error', () => {}) // a reset shows as the end
    this.socket.on('data', (bytes) => {
      this.#received += bytes.toString('latin1')
      this.#wake()
    })
    this.socket.on('close', () => {
      this.#closed = true
      this.#wake()
    })
  }

  write(bytes: Uint8Array | string): void {
    this.socket.write(bytes)
  }

  get received(): string {
    return this.#received
  }

  get isClosed(): boolean {
    return this.#closed
  }

  /** Waits until the answer matches; rejects if the connection ends without. */
  async until(pattern: RegExp): Promise<string> {
    while (!pattern.test(this.#received)) {
      if (this.#closed) throw new Error(`closed after ${JSON.stringify(this.#received)}`)
      await this.#change()
    }
    return this.#received
  }

  /** Everything until the server ends the connection. */
  async end(): Promise<string> {
    while (!this.#closed) await this.#change()
    return this.#received
  }

  destroy(): void {
    this.socket.destroy()
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve
    })
  }
}
