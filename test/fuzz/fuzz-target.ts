// Feeds one target with changed samples, one slice of time or number after the other, and judges
// each input: only the declared errors, and not too long.

import { Chance } from './chance.ts'
import type { Kept } from './corpus.ts'
import { keep, readCorpus } from './corpus.ts'
import { type Mutation, mutateBytes } from './mutate-bytes.ts'
import { mutateFrames, mutateMessage } from './mutate-message.ts'
import { mutateJson, mutateText } from './mutate-text.ts'
import type { Opened, Target } from './target.ts'

export interface Finding {
  readonly target: string
  readonly was: string
  readonly input: Kept
}

export interface FuzzOptions {
  readonly seed: number
  /** An input that takes longer is a finding. */
  readonly slowMs?: number
  /** Hears of each before it is tried. */
  readonly onInput?: (target: string, input: Buffer) => void
}

const MUTATORS = {
  bytes: mutateBytes,
  text: mutateText,
  json: mutateJson,
  message: mutateMessage,
  frames: mutateFrames
} as const
const REPEATS = 3
const BYTES_MAX = 4096
/** Inputs that were changed are changed further now and then. */
const POOL_MAX = 64

export class FuzzedTarget {
  readonly target: Target
  inputs = 0
  /** The slowest input, in milliseconds. */
  slowestMs = 0
  readonly #chance: Chance
  readonly #corpus: readonly Buffer[]
  readonly #pool: Buffer[] = []
  readonly #slowMs: number
  readonly #onInput: (target: string, input: Buffer) => void
  #opened: Opened | undefined
  #since = 0

  constructor(target: Target, { seed, slowMs, onInput }: FuzzOptions) {
    this.target = target
    const letters = [...target.name]
    this.#chance = new Chance(seed ^ letters.reduce((sum, c) => sum * 31 + c.charCodeAt(0), 7))
    this.#corpus = readCorpus(target.name)
    this.#onInput = onInput ?? (() => {})
    this.#slowMs = slowMs ?? Number.POSITIVE_INFINITY
  }

  /** Tries so many; the first finding ends it. */
  async run(inputs: number): Promise<Finding | undefined> {
    for (let left = inputs; left > 0; ) {
      const opened = await this.#open()
      const batch = Array.from({ length: Math.min(left, opened.parallel ?? 1) }, () => this.#next())
      left -= batch.length
      this.inputs += batch.length
      this.#since += batch.length
      const [only] = batch
      const finding =
        batch.length === 1 && only !== undefined
          ? await this.try(only)
          : (await Promise.all(batch.map((input) => this.try(input)))).find(Boolean)
      if (finding !== undefined) return finding
    }
    return undefined
  }

  /** What one input does. */
  async try(input: Buffer): Promise<Finding | undefined> {
    const opened = await this.#open()
    this.#onInput(this.target.name, input)
    try {
      const ms = await timed(opened, input)
      if (opened.parallel !== undefined) return undefined // others ran in the same time
      this.slowestMs = Math.max(this.slowestMs, ms < this.#slowMs ? ms : 0)
      if (ms >= this.#slowMs) return await this.#slow(opened, input)
      return undefined
    } catch (error) {
      const was = error instanceof Error ? (error.stack ?? error.message) : String(error)
      return { target: this.target.name, was, input: keep(input) }
    }
  }

  async close(): Promise<void> {
    await this.#opened?.close?.()
    this.#opened = undefined
    this.#since = 0
  }

  /** The quickest of several tries, in time of the processor alone: other programs run too. */
  async #slow(opened: Opened, input: Buffer): Promise<Finding | undefined> {
    let quickest = Number.POSITIVE_INFINITY
    for (let left = REPEATS; left > 0 && quickest >= this.#slowMs; left--) {
      const before = process.threadCpuUsage()
      await opened.run(input)
      const { user, system } = process.threadCpuUsage(before)
      quickest = Math.min(quickest, (user + system) / 1000)
    }
    this.slowestMs = Math.max(this.slowestMs, quickest)
    if (quickest < this.#slowMs) return undefined
    const was = `it takes ${Math.round(quickest)} ms for ${input.length} bytes`
    return { target: this.target.name, was, input: keep(input) }
  }

  async #open(): Promise<Opened> {
    if (this.#since >= (this.#opened?.inputsMax ?? Number.POSITIVE_INFINITY)) await this.close()
    this.#opened ??= await this.target.open()
    return this.#opened
  }

  #next(): Buffer {
    const chance = this.#chance
    const isOld = this.#pool.length > 0 && chance.happens(0.3)
    const sample = isOld ? chance.pick(this.#pool) : chance.pick(this.#corpus)
    const { words = [], bytesMax = BYTES_MAX, shape } = this.target
    const mutation: Mutation = { chance, other: chance.pick(this.#corpus), words, bytesMax }
    const input = MUTATORS[shape](sample, mutation)
    if (chance.happens(0.1)) {
      if (this.#pool.length < POOL_MAX) this.#pool.push(input)
      else this.#pool[chance.below(POOL_MAX)] = input
    }
    return input
  }
}

async function timed(opened: Opened, input: Buffer): Promise<number> {
  const from = performance.now()
  const result = opened.run(input)
  if (result instanceof Promise) await result
  return performance.now() - from
}
