// An rsync daemon and a client, as people copy images from one server to another: nothing is
// encrypted, and nothing is durable when it ends.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { eventually } from '../../support/eventually.ts'
import { freePort } from '../../support/proxies.ts'
import type { Pair } from '../transfer/pair.ts'
import type { Source } from '../transfer/source.ts'

/** The version of the program on PATH; undefined if there is none. */
export function rsyncVersion(): string | undefined {
  const { stdout } = spawnSync('rsync', ['--version'], { encoding: 'utf8' })
  return /version v?(\d[\w.]*)/.exec(stdout ?? '')?.[1]
}

export class RsyncPair implements Pair {
  readonly secondFolder: string
  readonly #root: string
  readonly #firstFolder: string
  #daemon: ChildProcess | undefined
  #port = 0

  constructor(root: string) {
    this.#root = root
    this.#firstFolder = join(root, 'a')
    this.secondFolder = join(root, 'b')
  }

  /** Those that do the work are born and die with the connection. */
  get pids(): readonly number[] {
    return []
  }

  async prepare(source: Source): Promise<void> {
    mkdirSync(this.#firstFolder)
    mkdirSync(this.secondFolder)
    if (source.set.count > 0) cpSync(source.folder, this.#firstFolder, { recursive: true })
    this.#port = await freePort()
    const config = join(this.#root, 'rsyncd.conf')
    const module = `[images]\npath = ${this.#firstFolder}\nuse chroot = no\nread only = yes\n`
    writeFileSync(config, `address = 127.0.0.1\nport = ${this.#port}\n${module}`)
    const words = ['--daemon', '--no-detach', `--config=${config}`]
    this.#daemon = spawn('rsync', words, { stdio: 'ignore' })
    await eventually(() => listens(this.#port))
  }

  async join(): Promise<void> {
    const from = `rsync://127.0.0.1:${this.#port}/images/`
    const child = spawn('rsync', ['-a', from, `${this.secondFolder}/`], { stdio: 'inherit' })
    const [code] = await once(child, 'exit')
    if (code !== 0) throw new Error(`rsync ended with ${code}`)
  }

  async stopSecond(): Promise<void> {}

  async add(source: Source, first: number, count: number): Promise<void> {
    source.write(this.#firstFolder, first, count)
  }

  comeBack(): Promise<void> {
    return this.join()
  }

  async stop(): Promise<void> {
    if (this.#daemon === undefined || this.#daemon.exitCode !== null) return
    const ended = once(this.#daemon, 'exit')
    this.#daemon.kill('SIGKILL')
    await ended
  }
}

function listens(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy()
      resolve()
    })
    socket.on('error', reject)
  })
}
