// What the nodes of a mesh have sent each other so far. Looking makes none of them do anything.

import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { eventually } from '../../support/eventually.ts'
import type { RealMesh } from '../../support/real-mesh.ts'
import type { Workbench } from '../../support/real-node.ts'
import type { RequestCounts } from './count-requests.ts'

const COUNTER = new URL('count-requests.ts', import.meta.url).href

export interface Traffic extends RequestCounts {
  /** What TCP carried in both directions; NaN where ss(8) can't tell. */
  tcpBytes: number
}

export class TrafficMeter {
  readonly #bench: Workbench
  readonly #mesh: RealMesh
  readonly #ports = new Map<string, string>()

  constructor(bench: Workbench, mesh: RealMesh) {
    this.#bench = bench
    this.#mesh = mesh
  }

  /** Starts or restarts a node that counts its requests. */
  async start(name: string): Promise<void> {
    const env = { NODE_OPTIONS: `--import=${COUNTER}`, BENCH_COUNTS: this.#file(name) }
    await this.#mesh.start(name, { env })
    const port = /\/tcp\/(\d+)/.exec((await this.#mesh.addressOf(name)) ?? '')?.[1]
    if (port !== undefined) this.#ports.set(name, port)
  }

  /** Of all nodes together, each counted from its start. */
  async read(): Promise<Traffic> {
    const all = await Promise.all(this.#mesh.names.map((name) => this.#requestsOf(name)))
    const ports = [...this.#ports.values()]
    return { ...sum(all), tcpBytes: ports.reduce((bytes, port) => bytes + tcpBytesAt(port), 0) }
  }

  #file(name: string): string {
    return this.#bench.path(`${name}-counts.json`)
  }

  async #requestsOf(name: string): Promise<RequestCounts> {
    const file = this.#file(name)
    rmSync(file, { force: true })
    this.#mesh.node(name).child.kill('SIGUSR2')
    await eventually(() => {
      if (!existsSync(file)) throw new Error(`${name} has not counted`)
    })
    return JSON.parse(readFileSync(file, 'utf8'))
  }
}

export function trafficSince(before: Traffic, after: Traffic): Traffic {
  const difference = { ...after }
  for (const key of Object.keys(after) as (keyof Traffic)[]) difference[key] -= before[key]
  return difference
}

function sum([first, ...others]: readonly RequestCounts[]): RequestCounts {
  const total = { ...(first as RequestCounts) }
  for (const one of others) {
    for (const key of Object.keys(one) as (keyof RequestCounts)[]) total[key] += one[key]
  }
  return total
}

/** By the connections that others have made to this port: each is counted at one of its ends. */
function tcpBytesAt(port: string): number {
  const { stdout, status } = spawnSync('ss', ['-tinH', `sport = :${port}`], { encoding: 'utf8' })
  if (status !== 0) return Number.NaN
  const numbers = stdout.matchAll(/bytes_(?:sent|received):(\d+)/g)
  return [...numbers].reduce((total, [, bytes]) => total + Number(bytes), 0)
}
