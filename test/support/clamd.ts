// A real clamd whose signature database is one line: that of the test file that all scanners know,
// which is never written down whole.

import { type ChildProcess, spawn } from 'node:child_process'
import { accessSync, constants, mkdirSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { eventually } from './eventually.ts'

export const EICAR = [
  'X5O!P%@AP[4\\PZX54(P^)7CC)7}$',
  'EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*'
].join('')

const PLACES = ['/usr/sbin/clamd', '/usr/local/sbin/clamd', '/usr/bin/clamd']

/** Why it can't be run here; undefined if it can. */
export function clamdMissing(): string | undefined {
  return programOf() === undefined
    ? 'clamd is missing (scripts/install-test-packages.sh)'
    : undefined
}

function programOf(): string | undefined {
  return PLACES.find((path) => {
    try {
      accessSync(path, constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

export class RealClamd {
  readonly socket: string
  readonly #config: string
  #child: ChildProcess | undefined

  /** In this folder, which must be short: names of sockets are. */
  constructor(folder: string, { streamMax = '100M' } = {}) {
    mkdirSync(join(folder, 'db'), { recursive: true })
    const hex = Buffer.from(EICAR).toString('hex')
    writeFileSync(join(folder, 'db', 'own.ndb'), `Test.Signature:0:*:${hex}\n`)
    this.socket = join(folder, 'clamd.ctl')
    this.#config = join(folder, 'clamd.conf')
    const lines = [
      ...[`DatabaseDirectory ${join(folder, 'db')}`, `LocalSocket ${this.socket}`],
      ...['FixStaleSocket true', 'Foreground true', 'MaxThreads 4'],
      `StreamMaxLength ${streamMax}`
    ]
    const user = process.getuid?.() === 0 ? ['User root'] : []
    writeFileSync(this.#config, `${[...lines, ...user].join('\n')}\n`)
  }

  async start(): Promise<void> {
    const child = spawn(programOf() ?? '', ['-c', this.#config], { stdio: 'ignore' })
    this.#child = child
    await eventually(() => this.#ping(), { withinMs: 60_000 })
  }

  async stop(): Promise<void> {
    const child = this.#child
    this.#child = undefined
    if (child === undefined || child.exitCode !== null) return
    const ended = new Promise((done) => child.once('exit', done))
    child.kill('SIGKILL')
    await ended
  }

  #ping(): Promise<void> {
    return new Promise((resolve, reject) => {
      const socket = connect(this.socket)
      socket.once('error', reject)
      socket.once('data', () => {
        socket.destroy()
        resolve()
      })
      socket.write('zPING\0')
    })
  }
}
