// A client that costs little beside the node that is measured.

import { Agent, type IncomingHttpHeaders, request } from 'node:http'

export interface Reply {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

interface Question {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Buffer
}

/** Keeps its connections. */
export class Client {
  readonly #agent: Agent

  constructor({ atOnce }: { readonly atOnce: number }) {
    this.#agent = new Agent({ keepAlive: true, maxSockets: atOnce })
  }

  async ask(url: string, { method = 'GET', headers = {}, body }: Question = {}): Promise<Reply> {
    const length = body === undefined ? {} : { 'content-length': String(body.length) }
    const sent = request(url, { agent: this.#agent, method, headers: { ...length, ...headers } })
    const { promise, resolve, reject } = Promise.withResolvers<Reply>()
    sent.on('error', reject).on('response', (answer) => {
      const pieces: Buffer[] = []
      answer.on('data', (piece: Buffer) => pieces.push(piece)).on('error', reject)
      answer.on('end', () =>
        resolve({
          status: answer.statusCode ?? 0,
          headers: answer.headers,
          body: Buffer.concat(pieces)
        })
      )
    })
    sent.end(body)
    return promise
  }

  /** Stores an image; rejects unless it is acknowledged. */
  async put(url: string, path: string, body: Buffer): Promise<void> {
    const { status, body: said } = await this.ask(`${url}/images/${path}`, { method: 'PUT', body })
    if (status !== 201) throw new Error(`PUT ${path}: ${status} ${said}`)
  }

  async json(url: string) {
    const { status, body } = await this.ask(url)
    if (status !== 200) throw new Error(`GET ${url}: ${status} ${body}`)
    return JSON.parse(body.toString())
  }

  close(): void {
    this.#agent.destroy()
  }
}

/** Does a task for 0 to count - 1, so many at a time. */
export async function eachOf(
  count: number,
  atOnce: number,
  task: (n: number) => Promise<void>
): Promise<void> {
  let next = 0
  const lane = async () => {
    while (next < count) await task(next++)
  }
  await Promise.all(Array.from({ length: atOnce }, lane))
}
