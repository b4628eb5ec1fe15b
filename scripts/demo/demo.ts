// The course of the demo, from an empty folder to none. Owns the folder and the processes: whatever
// happens, they go away, unless they are to stay.

import { randomBytes } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { formatSize } from '../../src/base/units.ts'
import { type Account, formatTime, timed } from './account.ts'
import { NotSo } from './comes-true.ts'
import { DemoNode } from './demo-node.ts'
import { flipBytes, freezeOne, killOne, loseFiles, loseMarker } from './harm.ts'
import { makePictures, type Picture, photographs } from './pictures.ts'
import { compareAll, fill, meet, timeUploads } from './spread.ts'
import type { Stage } from './stage.ts'

export interface DemoOptions {
  readonly keep: boolean
  readonly mdns: boolean
  readonly biggestBytes: number
}

/** All bitmaps and their copies on three nodes, for each byte of the biggest. */
const ROOM_FACTOR = 7
/** The other images, the nodes' indexes, and what a node keeps free. */
const ROOM_MORE_BYTES = 1.2 * 2 ** 30

export class Demo {
  readonly #account: Account
  readonly #options: DemoOptions
  readonly #folder = realpathSync(mkdtempSync(join(tmpdir(), 'tumesh-demo-')))
  readonly #nodes: { readonly a: DemoNode; readonly b: DemoNode; readonly c: DemoNode }
  #startsNodes = true
  /** What is left is meant to be. */
  #stays = false

  constructor(account: Account, options: DemoOptions) {
    this.#account = account
    this.#options = options
    const secret = join(this.#folder, 'secret')
    writeFileSync(secret, randomBytes(32).toString('hex'), { mode: 0o600 })
    const cluster = `demo-${randomBytes(4).toString('hex')}`
    const flags = ['--cluster', cluster, '--secret-file', secret]
    if (!options.mdns) flags.push('--no-mdns', '--p2p-host', '127.0.0.1')
    const node = (name: string) => new DemoNode(name, this.#folder, flags)
    this.#nodes = { a: node('a'), b: node('b'), c: node('c') }
  }

  /** Throws at the first thing that does not come true. */
  async run(): Promise<void> {
    const begin = performance.now()
    const account = this.#account
    const stage: Stage = { account, ...this.#nodes, start: (node) => this.#start(node) }
    await this.#checkRoom()
    const when = this.#options.keep ? 'which stays' : 'which goes away at the end'
    account.say(`Three nodes on this machine, in ${this.#folder}, ${when}.`)
    await meet(stage)
    await fill(stage, () => this.#images())
    this.#remove('pictures')
    await timeUploads(stage)
    await killOne(stage)
    await flipBytes(stage)
    await loseFiles(stage)
    await loseMarker(stage)
    await freezeOne(stage)
    account.step('Is everything still the same on all three?')
    await compareAll(stage)
    if (this.#options.keep) this.#leave()
    else await this.#stopAll()
    account.say()
    account.say(`All of this came true, in ${formatTime(performance.now() - begin)}.`)
  }

  /** Says what was not so. Only the logs stay. */
  async fail(error: unknown): Promise<void> {
    const { message, stack } = error as Error
    this.#account.failed(error instanceof NotSo ? message : String(stack))
    await this.#killAll()
    const logs = Object.values(this.#nodes).map(({ logFile }) => logFile)
    const kept = logs.filter((file) => existsSync(file))
    if (kept.length === 0) return this.endNow()
    for (const name of readdirSync(this.#folder)) {
      if (!kept.includes(join(this.#folder, name))) this.#remove(name)
    }
    this.#stays = true
    this.#account.say('\nWhat the nodes say of it:')
    for (const file of kept) this.#account.say(`  ${file}`)
  }

  /** Somebody wants no more of it. */
  async breakOff(): Promise<void> {
    this.#account.say('\nBroken off: the nodes are killed, and their files removed.')
    await this.#killAll()
    this.endNow()
  }

  /** At once, and without a word. Does nothing to what is to stay. */
  endNow(): void {
    if (this.#stays) return
    for (const node of Object.values(this.#nodes)) node.signal('SIGKILL')
    this.#remove()
  }

  async #checkRoom(): Promise<void> {
    const { bavail, bsize } = await statfs(this.#folder)
    const needed = this.#options.biggestBytes * ROOM_FACTOR + ROOM_MORE_BYTES
    if (bavail * bsize >= needed) return
    throw new NotSo(
      `${tmpdir()} has too little room: ${formatSize(needed)} are needed. ` +
        'Set TMPDIR to another folder, or take --biggest 10MB.'
    )
  }

  async #images(): Promise<readonly Picture[]> {
    const made = makePictures(join(this.#folder, 'pictures'), this.#options.biggestBytes)
    return [...(await photographs()), ...(await made)]
  }

  async #start(node: DemoNode): Promise<void> {
    if (!this.#startsNodes) throw new NotSo('the demo is over')
    const { a } = this.#nodes
    const isAlone = node === a || this.#options.mdns
    const addresses = isAlone ? [] : (await a.status()).node.addresses
    await node.start(addresses.flatMap((address) => ['--bootstrap', address]))
  }

  async #stopAll(): Promise<void> {
    const nodes = Object.values(this.#nodes)
    this.#account.step('The end')
    const stopMs = await timed(() => Promise.all(nodes.map((node) => node.stop())))
    this.#account.done(stopMs, 'a, b and c were asked to stop, and did')
    const removeMs = await timed(async () => this.#remove())
    const left = [this.#folder].filter((name) => existsSync(name))
    left.push(
      ...nodes.filter(({ pid }) => isAlive(pid)).map(({ name }) => `the process of ${name}`)
    )
    if (left.length > 0) throw new NotSo(`${left.join(' and ')} did not go away`)
    this.#account.done(removeMs, `nothing is left: no process, and no ${this.#folder}`)
  }

  #leave(): void {
    this.#stays = true
    const nodes = Object.values(this.#nodes)
    for (const node of nodes) node.leave()
    this.#account.step('The nodes stay')
    for (const { name, url } of nodes) this.#account.say(`     ${name.padEnd(13)}${url}/`)
    this.#account.say(`     their files  ${this.#folder}`)
    this.#account.say('     To stop and remove them:')
    const pids = nodes.map(({ pid }) => pid).join(' ')
    this.#account.say(`     kill -9 ${pids}; rm -rf ${this.#folder}`)
  }

  async #killAll(): Promise<void> {
    this.#startsNodes = false
    await Promise.all(Object.values(this.#nodes).map((node) => node.kill()))
  }

  #remove(name = ''): void {
    rmSync(join(this.#folder, name), { recursive: true, force: true })
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
