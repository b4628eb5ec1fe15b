// Tells people, through what they have set up, when a node needs them and when it does no more.

import { spawn } from 'node:child_process'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { type Loop, startLoop } from '../base/loop.ts'
import type { AlertOptions } from './options.ts'
import { planAlert, UNWATCHED, type Watched } from './plan-alert.ts'

const LOOK_MS = 5_000
/** A start settles first. */
const FIRST_MS = 15_000
const TELL_MS_MAX = 30_000
/** Of what a command says; the rest is not kept. */
const SAID_CHARACTERS_MAX = 500

export interface Told {
  readonly node: string
  readonly peer_id: string
  readonly status: string
  readonly reasons: readonly string[]
  readonly at: string
}

export interface AlertParts {
  readonly clock: Clock
  readonly log: Log
  /** What there is to tell now. */
  readonly look: () => Told
}

/** In which people are told, and what was told in it. */
interface Way {
  readonly by: 'webhook' | 'command'
  watched: Watched
  /** Throws what kept it from arriving. */
  tell(told: Told, signal: AbortSignal): Promise<void>
}

export class Alerts {
  readonly #parts: AlertParts
  readonly #options: AlertOptions
  readonly #ways: readonly Way[]
  #loop: Loop | undefined

  constructor(parts: AlertParts, options: AlertOptions) {
    this.#parts = parts
    this.#options = options
    this.#ways = waysOf(options)
  }

  start(): void {
    if (this.#ways.length === 0) return
    const times = { name: 'alerts', firstMs: FIRST_MS, everyMs: LOOK_MS }
    this.#loop = startLoop(this.#parts, times, (signal) => this.#look(signal))
  }

  async stop(): Promise<void> {
    await this.#loop?.stop()
  }

  /** What can't be told is told again at the next look, in the ways in which it was not. */
  async #look(signal: AbortSignal): Promise<void> {
    const told = this.#parts.look()
    const failures: unknown[] = []
    for (const way of this.#ways) {
      await this.#tellBy(way, told, signal).catch((error) => failures.push(error))
    }
    if (failures.length > 0) throw failures[0]
  }

  async #tellBy(way: Way, told: Told, signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#parts
    const times = { nowMs: clock.monotonicMs(), afterMs: this.#options.afterMs }
    const { next, tell } = planAlert(way.watched, told.status, times)
    if (tell) {
      log.info({ status: told.status, by: way.by }, 'telling people of the status of this node')
      const late = new AbortController()
      const cancel = clock.after(TELL_MS_MAX, () => late.abort(new Error('it took too long')))
      try {
        await way.tell(told, AbortSignal.any([signal, late.signal]))
      } finally {
        cancel()
      }
    }
    way.watched = next
  }
}

function waysOf({ webhook, command }: AlertOptions): Way[] {
  const ways: Way[] = []
  const add = (by: Way['by'], tell: Way['tell']) => ways.push({ by, watched: UNWATCHED, tell })
  if (webhook !== undefined) add('webhook', (told, signal) => send(webhook, told, signal))
  if (command !== undefined) add('command', async (told, signal) => run(command, told, signal))
  return ways
}

async function send(webhook: string, told: Told, signal: AbortSignal): Promise<void> {
  const answer = await fetch(webhook, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    // chats show `text`, programs read the rest
    body: JSON.stringify({ text: sentenceOf(told), ...told }),
    redirect: 'error',
    signal
  })
  await answer.body?.cancel()
  if (!answer.ok) throw new Error(`the webhook answered ${answer.status}`)
}

function run(command: string, told: Told, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  const child = spawn('sh', ['-c', command], {
    env: { ...process.env, TUMESH_NODE: told.node, TUMESH_STATUS: told.status },
    stdio: ['pipe', 'ignore', 'pipe'],
    // the first of a group, so that it can be ended with all that it began
    detached: true
  })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(0, SAID_CHARACTERS_MAX)
  })
  child.stdin.on('error', () => {}) // it may not read its input
  child.stdin.end(`${JSON.stringify(told)}\n`)
  const done = Promise.withResolvers<void>()
  const giveUp = () => {
    endGroup(child.pid)
    child.stderr.destroy()
    done.reject(signal.reason)
  }
  signal.addEventListener('abort', giveUp, { once: true })
  child.on('error', done.reject)
  child.on('close', (code) => {
    if (code === 0) done.resolve()
    else done.reject(new Error(`the command ended with ${code}: ${said.trim()}`))
  })
  return done.promise.finally(() => signal.removeEventListener('abort', giveUp))
}

function endGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL')
  } catch {
    // it has just ended
  }
}

function sentenceOf({ node, status, reasons }: Told): string {
  return `Tumesh node ${node} is ${status}. ${reasons.join(' ')}`.trim()
}
