// A node as a process of its own, on a free port of 127.0.0.1 and with folders of its own.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('../../src/tumesh.js', import.meta.url))
/** Generous: a start takes half a second, but tests run side by side on slow machines. */
const START_MS_MAX = 30_000

export interface RealNodeOptions {
  readonly flags?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** A program and its arguments that run the node with other rights or limits. */
  readonly runner?: readonly string[]
}

/** The outcome of a process. */
export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export class RealNode {
  readonly child: ChildProcess
  readonly #ended: Promise<Ended>
  #stdout = ''
  #stderr = ''
  #url = ''

  constructor(child: ChildProcess) {
    this.child = child
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout += text
    })
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text
    })
    this.#ended = once(child, 'close').then(([code, signal]) => ({
      code: code as number | null,
      signal: signal as NodeJS.Signals | null,
      stdout: this.#stdout,
      stderr: this.#stderr
    }))
  }

  get url(): string {
    return this.#url
  }

  get port(): number {
    return Number(new URL(this.#url).port)
  }

  get stdout(): string {
    return this.#stdout
  }

  get stderr(): string {
    return this.#stderr
  }

  /** Resolves when the node has said where it is; rejects with what it said if it ends before. */
  async started(msMax = START_MS_MAX): Promise<this> {
    const deadline = AbortSignal.timeout(msMax)
    while (!/^ {2}stop /m.test(this.#stdout)) {
      const ended = await Promise.race([
        this.#ended,
        once(this.child.stdout as NodeJS.ReadableStream, 'data', { signal: deadline })
      ])
      if (!Array.isArray(ended)) throw new Error(`the node ended: ${JSON.stringify(ended)}`)
    }
    this.#url = /http:\/\/127\.0\.0\.1:\d+/.exec(this.#stdout)?.[0] ?? ''
    return this
  }

  ended(): Promise<Ended> {
    return this.#ended
  }

  /** Ends the process with a signal and waits until it is gone. */
  end(signal: NodeJS.Signals): Promise<Ended> {
    this.child.kill(signal)
    return this.#ended
  }
}

/** Spawns a node called `name` with its data in a folder of that name; whoever asks ends it. */
export function spawnNode({
  folder,
  name,
  flags = [],
  env = {},
  runner = []
}: RealNodeOptions & { readonly folder: string; readonly name: string }): RealNode {
  const args = [MAIN, '--data', join(folder, name), '--name', name, '--http-host', '127.0.0.1']
  const port = flags.includes('--http-port') ? [] : ['--http-port', '0']
  const host = flags.includes('--p2p-host') ? [] : ['--p2p-host', '127.0.0.1']
  const line = [...runner, process.execPath, ...args, ...port, ...host, '--no-mdns', ...flags]
  const child = spawn(line[0] as string, line.slice(1), {
    cwd: folder,
    env: { PATH: process.env.PATH, XDG_STATE_HOME: join(folder, 'state'), ...env },
    stdio: ['ignore', 'pipe', 'pipe']
  })
  return new RealNode(child)
}

/** Folders and processes of one test, all gone after `cleanUp`. */
export class Workbench {
  readonly folder = realpathSync(mkdtempSync(join(tmpdir(), 'tumesh-e2e-')))
  readonly #nodes: RealNode[] = []
  #closed = false

  path(...parts: string[]): string {
    return join(this.folder, ...parts)
  }

  /** Spawns a node on the data folder `name`; does not wait for it. */
  spawn(name: string, options: RealNodeOptions = {}): RealNode {
    // a test that ran out of time goes on after its end
    if (this.#closed) throw new Error('the test is over')
    const node = spawnNode({ ...options, folder: this.folder, name })
    this.#nodes.push(node)
    return node
  }

  start(name: string, options?: RealNodeOptions): Promise<RealNode> {
    return this.spawn(name, options).started()
  }

  async killAll(): Promise<void> {
    await Promise.all(this.#nodes.map((node) => node.end('SIGKILL')))
  }

  async cleanUp(): Promise<void> {
    this.#closed = true
    await this.killAll()
    rmSync(this.folder, { recursive: true, force: true })
  }
}
