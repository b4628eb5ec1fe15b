// One node of the demo: a process of its own, with its data and its log in the demo's folder, and
// what the demo asks it by HTTP.

import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { AnswerOf, AskedArguments, Operation } from '../../src/client/plan-request.ts'
import { type Sent, sendRequest } from '../../src/client/send-request.ts'
import { comesTrue, NotSo } from './comes-true.ts'
import type { Picture } from './pictures.ts'

const MAIN = fileURLToPath(new URL('../../src/tumesh.js', import.meta.url))
const START_MS_MAX = 120_000
/** A node ends its requests and closes its database within this, or something is wrong. */
const STOP_MS_MAX = 15_000
const ANSWER_MS_MAX = 60_000

export type ListedFile = AnswerOf<'GET /file-sync/api/file-sync/files'>['files'][number]
type Status = Extract<AnswerOf<'GET /api/storage-status'>, { readonly distributed_storage: true }>
export type Described = AnswerOf<'GET /file-sync/api/file-sync/file/{path}'>
type Verified = Exclude<
  AnswerOf<'POST /file-sync/api/file-sync/verify'>,
  { readonly status: 'accepted' }
>

export interface ReadImage {
  readonly status: number
  readonly sha256: string
  readonly bytes: number
  /** Where the node had it from: "local" or "peer:b". */
  readonly source: string
}

export class DemoNode {
  readonly name: string
  readonly #folder: string
  readonly #flags: readonly string[]
  #child: ChildProcess | undefined
  #port = 0

  /** `folder` is the demo's; the node has its data in a folder of its name there. */
  constructor(name: string, folder: string, flags: readonly string[]) {
    this.name = name
    this.#folder = folder
    this.#flags = flags
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`
  }

  get pid(): number {
    return this.#child?.pid ?? 0
  }

  get logFile(): string {
    return join(this.#folder, `${this.name}.log`)
  }

  get isRunning(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && !this.#child.signalCode
  }

  path(...parts: string[]): string {
    return join(this.#folder, this.name, ...parts)
  }

  blobFile(sha256: string): string {
    return this.path('blobs', sha256.slice(0, 2), sha256)
  }

  /** Resolves when the node has said where it is: each time on a free port. */
  async start(moreFlags: readonly string[] = []): Promise<void> {
    const log = openSync(this.logFile, 'a')
    const said = existsSync(this.logFile) ? readFileSync(this.logFile, 'utf8').length : 0
    const args = [MAIN, '--data', this.path(), '--name', this.name, '--http-host', '127.0.0.1']
    args.push('--http-port', '0', ...this.#flags, ...moreFlags)
    const child = spawn(process.execPath, args, {
      cwd: this.#folder, // a configuration of the user's is not to be found
      detached: true, // the demo's Ctrl-C is not the node's
      env: this.#environment(),
      stdio: ['ignore', log, log]
    })
    closeSync(log)
    this.#child = child
    await comesTrue({ withinMs: START_MS_MAX }, async () => {
      const text = readFileSync(this.logFile, 'utf8').slice(said)
      this.#port = Number(/^ {2}page +http:\/\/127\.0\.0\.1:(\d+)/m.exec(text)?.[1] ?? 0)
      if (/^ {2}stop /m.test(text)) return undefined
      if (this.isRunning) return `${this.name} has not started`
      const last = text.trimEnd().split('\n').at(-1)
      throw new NotSo(`${this.name} ended while it started, and said: ${last}`)
    })
  }

  signal(signal: NodeJS.Signals): void {
    if (this.isRunning) this.#child?.kill(signal)
  }

  async kill(): Promise<void> {
    await this.#end('SIGKILL')
  }

  /** Throws if it did not stop in time and had to be killed, or not cleanly. */
  async stop(): Promise<void> {
    if (!this.isRunning) return
    this.signal('SIGCONT')
    let late = false
    const timer = setTimeout(() => {
      late = true
      this.signal('SIGKILL')
    }, STOP_MS_MAX)
    await this.#end('SIGTERM')
    clearTimeout(timer)
    if (late) throw new NotSo(`${this.name} did not stop in ${STOP_MS_MAX / 1000} s`)
    const code = this.#child?.exitCode
    if (code !== 0) throw new NotSo(`${this.name} stopped with exit code ${code}`)
  }

  /** The demo ends without this node. */
  leave(): void {
    this.#child?.unref()
  }

  status(): Promise<Status> {
    return this.#json('GET /api/storage-status') as Promise<Status>
  }

  async files(): Promise<readonly ListedFile[]> {
    return (await this.#json('GET /file-sync/api/file-sync/files')).files
  }

  verify(paths?: readonly string[]): Promise<Verified> {
    const body = { paths }
    return this.#json('POST /file-sync/api/file-sync/verify', { body }) as Promise<Verified>
  }

  async put({ path, body, sha256 }: Picture): Promise<void> {
    const asked = { path: { path }, bytes: () => body }
    const kept = (await this.#json('PUT /images/{path}', asked)).sha256
    if (kept !== sha256) throw new NotSo(`${this.name} answered with hash ${kept} for ${path}`)
  }

  /** The status with which it refuses an upload, and the sentence. Throws NotSo if it takes it. */
  async refuses({ path, body }: Picture): Promise<{ status: number; detail: string }> {
    const asked = { path: { path }, bytes: () => body }
    const answer = await this.#ask('PUT /images/{path}', asked)
    const { detail } = (await answer.json()) as { detail: string }
    if (answer.ok) throw new NotSo(`${this.name} took ${path}`)
    return { status: answer.status, detail }
  }

  /** What it says of an image: who has it, who not and why, and what happened to it. */
  why(path: string): Promise<Described> {
    return this.#json('GET /file-sync/api/file-sync/file/{path}', { path: { path } })
  }

  async remove(path: string): Promise<void> {
    await this.#json('DELETE /images/{path}', { path: { path } })
  }

  /** Reads an image as any client does, and hashes what comes. */
  async read(path: string): Promise<ReadImage> {
    const answer = await this.#ask('GET /images/{path}', { path: { path } })
    const hash = createHash('sha256')
    let bytes = 0
    for await (const piece of answer.body ?? []) {
      hash.update(piece)
      bytes += piece.length
    }
    const source = answer.headers.get('x-image-source') ?? ''
    return { status: answer.status, sha256: hash.digest('hex'), bytes, source }
  }

  /** Whether it answers at all within `ms`. */
  answersWithin(ms: number): Promise<boolean> {
    return fetch(`${this.url}/healthz`, { signal: AbortSignal.timeout(ms) }).then(
      ({ ok }) => ok,
      () => false
    )
  }

  async #json<Name extends Operation>(
    operation: Name,
    ...asked: AskedArguments<Name, Sent>
  ): Promise<AnswerOf<Name>> {
    const answer = await this.#ask(operation, ...asked)
    const content = (await answer.json()) as { detail?: unknown }
    if (answer.ok) return content as AnswerOf<Name>
    throw new NotSo(`${this.name} answered ${answer.status}: ${JSON.stringify(content.detail)}`)
  }

  #ask<Name extends Operation>(
    operation: Name,
    ...asked: AskedArguments<Name, Sent>
  ): Promise<Response> {
    const site = { url: this.url, signal: AbortSignal.timeout(ANSWER_MS_MAX) }
    return sendRequest(site, operation, ...asked).catch(({ cause, message }) => {
      const what = cause instanceof Error ? cause.message : message
      throw new NotSo(`${this.name} gave no answer to ${operation}: ${what}`)
    })
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    if (!this.isRunning || this.#child === undefined) return
    const ended = once(this.#child, 'exit')
    this.signal(signal)
    await ended
  }

  /** Settings of the user's own nodes are not for these. */
  #environment(): NodeJS.ProcessEnv {
    const own = Object.entries(process.env).filter(([name]) => !name.startsWith('TUMESH_'))
    return { ...Object.fromEntries(own), XDG_STATE_HOME: join(this.#folder, 'state') }
  }
}
