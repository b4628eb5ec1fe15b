// The nodes of a torture: processes, each on a host of its own in a network of its own, with a data
// folder of its own, one of them on a small disk.

import { execFileSync, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { RealNode } from '../support/real-node.ts'

const MAIN = fileURLToPath(new URL('../../src/tumesh.js', import.meta.url))
/** Harm makes the machine slow, and others are on it. */
const START_MS_MAX = 180_000
const TRIES_MAX = 30
const RETRY_MS = 1000
const HTTP_PORT = 8000
const P2P_PORT = 4001
const SMALL_DISK = 'size=160m,nr_inodes=40000'

/** Where a node runs: a namespace, the port of the switch where its cable ends. */
export interface Place {
  readonly namespace: string
  readonly address: string
  readonly port: string
}

export interface FleetPlan {
  readonly places: readonly Place[]
  /** The namespace of the switch. */
  readonly switch: string
}

export class TortureNode {
  readonly name: string
  readonly place: Place
  readonly folder: string
  readonly isSmall: boolean
  process: RealNode | undefined
  isStopped = false

  constructor(name: string, place: Place, folder: string, isSmall: boolean) {
    this.name = name
    this.place = place
    this.folder = folder
    this.isSmall = isSmall
  }

  get url(): string {
    return `http://${this.place.address}:${HTTP_PORT}`
  }

  get isUp(): boolean {
    return this.process !== undefined && !this.isStopped
  }
}

export class Fleet {
  readonly folder = realpathSync(mkdtempSync(join(tmpdir(), 'tumesh-torture-')))
  readonly nodes: readonly TortureNode[]
  readonly #plan: FleetPlan
  #key = ''

  constructor(plan: FleetPlan) {
    this.#plan = plan
    writeFileSync(join(this.folder, 'secret'), randomBytes(32).toString('hex'))
    const last = plan.places.length - 1
    this.nodes = plan.places.map((place, n) => {
      const folder = join(this.folder, `node-${n}`)
      mkdirSync(folder)
      const isSmall = n === last && last > 1
      if (isSmall) execFileSync('mount', ['-t', 'tmpfs', '-o', SMALL_DISK, 'tmpfs', folder])
      return new TortureNode(`node-${n}`, place, folder, isSmall)
    })
  }

  /** What opens all nodes to a caller from elsewhere. */
  get headers(): Record<string, string> {
    return { authorization: `Bearer ${this.#key}` }
  }

  async startAll(): Promise<void> {
    await Promise.all(this.nodes.map((node) => this.start(node)))
    const [first] = this.nodes as [TortureNode]
    const line = ['keys', 'add', 'torture', '--scope', 'admin']
    const at = ['--data', first.folder, '--url', `http://127.0.0.1:${HTTP_PORT}`]
    const args = ['netns', 'exec', first.place.namespace, process.execPath, MAIN, ...line, ...at]
    this.#key = execFileSync('ip', args, { encoding: 'utf8' }).split('\n')[0] as string
  }

  /** While another program fills its disk it can't start; then it is tried again. */
  async start(node: TortureNode): Promise<void> {
    for (let tries = TRIES_MAX; ; tries--) {
      try {
        return await this.#start(node)
      } catch (error) {
        node.process = undefined
        if (tries === 0 || !/disk is full/i.test(String(error))) throw error
        await sleep(RETRY_MS)
      }
    }
  }

  async #start(node: TortureNode): Promise<void> {
    const others = this.nodes.filter((other) => other !== node)
    // by their addresses alone: who they are is found out
    const targets = others.flatMap(({ url }) => ['--bootstrap', url])
    const line = ['netns', 'exec', node.place.namespace, process.execPath, MAIN]
    const flags = [
      ...['--data', node.folder, '--name', node.name, '--no-mdns', '--cluster', 'torture'],
      ...['--secret-file', join(this.folder, 'secret'), '--p2p-port', String(P2P_PORT)],
      ...['--http-port', String(HTTP_PORT), '--log-level', 'warn', ...targets]
    ]
    const child = spawn('ip', [...line, ...flags], {
      cwd: this.folder,
      env: {
        PATH: process.env.PATH,
        XDG_STATE_HOME: join(this.folder, 'state', node.name),
        TUMESH_FILE_SYNC_SYNC_INTERVAL: '5s',
        TUMESH_FILE_SYNC_RETRY_DELAY: '1s'
      },
      stdio: ['ignore', 'pipe', 'pipe']
    })
    const started = new RealNode(child)
    node.process = started
    node.isStopped = false
    await started.started(START_MS_MAX)
  }

  async kill(node: TortureNode): Promise<void> {
    const { process: killed } = node
    node.process = undefined
    node.isStopped = false
    await killed?.end('SIGKILL')
  }

  pause(node: TortureNode): void {
    node.isStopped = node.process?.child.kill('SIGSTOP') ?? false
  }

  resume(node: TortureNode): void {
    node.process?.child.kill('SIGCONT')
    node.isStopped = false
  }

  plug(node: TortureNode, plugged: boolean): void {
    const state = plugged ? 'up' : 'down'
    execFileSync('ip', ['-n', this.#plan.switch, 'link', 'set', node.place.port, state])
  }

  /** Packets from this node are lost and late, if the system can do that. */
  disturb(node: TortureNode, disturbed: boolean): boolean {
    const line = ['-n', node.place.namespace, 'qdisc', disturbed ? 'replace' : 'del']
    const how = disturbed ? ['netem', 'loss', '5%', 'delay', '20ms', '10ms'] : []
    try {
      execFileSync('tc', [...line, 'dev', 'eth0', 'root', ...how], { stdio: 'ignore' })
      return true
    } catch {
      return false
    }
  }

  /** `keep`: the folders stay where they are, to be looked at. */
  async cleanUp({ keep = false } = {}): Promise<void> {
    await Promise.all(this.nodes.map((node) => this.kill(node)))
    if (keep) return
    for (const { isSmall, folder } of this.nodes) {
      if (isSmall) execFileSync('umount', [folder])
    }
    rmSync(this.folder, { recursive: true, force: true })
  }
}
