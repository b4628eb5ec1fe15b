// Long work that a person started: it runs in the background, can be looked up, and is stopped with
// the node.

import type { Word } from './cause.ts'
import { type Clock, type Random, randomHex } from './clock.ts'
import { NodeError } from './errors.ts'

export type TaskStatus = 'running' | 'completed' | 'failed'

export interface TaskError {
  readonly subject: string
  readonly detail: string
  /** The same, to be said in another language. */
  readonly code?: string
  readonly cause?: Word
}

/** One piece of work. Its fields change while it runs. */
export interface Task {
  readonly id: string
  readonly kind: string
  readonly status: TaskStatus
  /** How many things there are to do; grows if more turn up. */
  readonly total: number
  readonly processed: number
  /** The first TASK_ERRORS_MAX of them. */
  readonly errors: readonly TaskError[]
  readonly errorCount: number
  readonly startMs: number
  readonly endMs: number | undefined
  readonly result: unknown
}

/** The worker's hands on its task. */
export interface TaskControl {
  readonly signal: AbortSignal
  total(count: number): void
  processed(count: number): void
  /** What it was refused for, or the sentence itself. */
  error(subject: string, failure: unknown): void
}

const TASK_ERRORS_MAX = 100
/** Tasks that have ended are kept for whoever asks late. */
const ENDED_TASKS_MAX = 100
const RUNNING_TASKS_MAX = 50

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

export interface StartedTask<T> {
  readonly task: Task
  /** Settles with the work itself. */
  readonly done: Promise<T>
}

export class TaskBoard {
  readonly #clock: Clock
  readonly #random: Random
  readonly #tasks = new Map<string, Task>()
  readonly #running = new Map<string, { abort: AbortController; done: Promise<unknown> }>()

  constructor({ clock, random }: { clock: Clock; random: Random }) {
    this.#clock = clock
    this.#random = random
  }

  get(id: string): Task | undefined {
    return this.#tasks.get(id)
  }

  /** All that are known, the oldest first. */
  list(): readonly Task[] {
    return [...this.#tasks.values()]
  }

  /** The running task of a kind, for work of which there is only one at a time. */
  runningOf(kind: string): Task | undefined {
    for (const id of this.#running.keys()) {
      const task = this.#tasks.get(id)
      if (task?.kind === kind) return task
    }
    return undefined
  }

  /** Starts work. Throws BUSY if too much runs already. The id is `<kind>_<random>`. */
  start<T>(kind: string, work: (control: TaskControl) => Promise<T>): StartedTask<T> {
    if (this.#running.size >= RUNNING_TASKS_MAX) {
      throw new NodeError(
        'BUSY',
        `${RUNNING_TASKS_MAX} tasks are running already. Wait for one to end.`
      )
    }
    const task: Mutable<Task> = {
      id: `${kind}_${randomHex(this.#random, 8)}`,
      kind,
      status: 'running',
      total: 0,
      processed: 0,
      errors: [],
      errorCount: 0,
      startMs: this.#clock.now(),
      endMs: undefined,
      result: undefined
    }
    const abort = new AbortController()
    this.#tasks.set(task.id, task)
    const done = work(controlOf(task, abort.signal))
    const watched = done.then(
      (result) => this.#end(task, 'completed', result),
      (error: unknown) => {
        addError(task, kind, error)
        this.#end(task, 'failed', undefined)
      }
    )
    this.#running.set(task.id, { abort, done: watched })
    return { task, done }
  }

  /** Aborts what runs and waits for its end. */
  async stop(): Promise<void> {
    const running = [...this.#running.values()]
    for (const { abort } of running) {
      abort.abort(new NodeError('STOPPING', 'The node is stopping. Ask again when it runs.'))
    }
    await Promise.all(running.map(({ done }) => done))
  }

  #end(task: Mutable<Task>, status: TaskStatus, result: unknown): void {
    task.status = status
    task.result = result
    task.endMs = this.#clock.now()
    this.#running.delete(task.id)
    for (const [id, old] of this.#tasks) {
      if (this.#tasks.size - this.#running.size <= ENDED_TASKS_MAX) break
      if (old.status !== 'running') this.#tasks.delete(id)
    }
  }
}

function controlOf(task: Mutable<Task>, signal: AbortSignal): TaskControl {
  return {
    signal,
    total: (count) => {
      task.total = count
    },
    processed: (count) => {
      task.processed = count
    },
    error: (subject, failure) => addError(task, subject, failure)
  }
}

function addError(task: Mutable<Task>, subject: string, failure: unknown): void {
  task.errorCount += 1
  if (task.errors.length >= TASK_ERRORS_MAX) return
  const detail = failure instanceof Error ? failure.message : String(failure)
  task.errors = [...task.errors, { subject, detail, ...wordsOf(failure) }]
}

function wordsOf(failure: unknown): Pick<TaskError, 'code' | 'cause'> {
  if (!(failure instanceof NodeError)) return {}
  const cause = failure.details.cause as Word | undefined
  return { code: failure.code, ...(cause && { cause }) }
}
