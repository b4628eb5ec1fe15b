// Real nodes with one secret on 127.0.0.1: each that starts is told of those that run.

import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { eventually } from './eventually.ts'
import { send } from './http-client.ts'
import type { RealNode, RealNodeOptions, Workbench } from './real-node.ts'

export class RealMesh {
  readonly #bench: Workbench
  readonly #nodes = new Map<string, RealNode>()

  constructor(bench: Workbench) {
    this.#bench = bench
    writeFileSync(bench.path('secret'), randomBytes(32).toString('hex'))
  }

  get names(): readonly string[] {
    return [...this.#nodes.keys()]
  }

  /** The running node of that name, or the one that ran last. */
  node(name: string): RealNode {
    const node = this.#nodes.get(name)
    if (node === undefined) throw new Error(`no node ${name} was started`)
    return node
  }

  url(name: string): string {
    return this.node(name).url
  }

  /** Starts or restarts a node. `alone`: it is told of no other. */
  async start(name: string, options: RealNodeOptions = {}, { alone = false } = {}) {
    const others = alone ? [] : this.names.filter((other) => other !== name)
    const addresses = await Promise.all(others.map((other) => this.addressOf(other)))
    const bootstrap = addresses.flatMap((address) => (address ? ['--bootstrap', address] : []))
    const cluster = ['--cluster', 'test', '--secret-file', this.#bench.path('secret')]
    const flags = [...cluster, ...bootstrap, ...(options.flags ?? [])]
    const node = await this.#bench.start(name, { ...options, flags })
    this.#nodes.set(name, node)
    return node
  }

  /** The multiaddr of a node; undefined if it does not run. */
  async addressOf(name: string): Promise<string | undefined> {
    const answer = await send(`${this.url(name)}/api/storage-status`).catch(() => undefined)
    return answer?.body.node.addresses[0]
  }

  /** Resolves when each node is connected with all others. */
  async connected(): Promise<void> {
    for (const name of this.names) {
      await eventually(
        async () => {
          const { body } = await send(`${this.url(name)}/api/storage-status`)
          const online = body.servers.filter((server: { connected_at: string | null }) => {
            return server.connected_at !== null
          })
          if (online.length < this.names.length - 1) {
            throw new Error(`${name} is connected with ${online.length} others`)
          }
        },
        { withinMs: 60_000 }
      )
    }
  }
}
