// The one queue through which every change of the index passes, several at a time in one synced
// batch (rule 9).
//
// While a batch is being written the next changes gather: they are planned one after the other, on
// top of it and of each other, and written together. So a lone change waits for nobody, a thousand
// share the cost of a few syncs, and the disk and the processor work at the same time.

import { saidAs } from '../base/cause.ts'
import { NodeError } from '../base/errors.ts'
import { isDamage, isDiskFull } from './database-error.ts'
import type { DatabaseRows } from './database-rows.ts'
import { Layer } from './layer.ts'
import type { IndexParts } from './ports.ts'
import type { Rows } from './rows-read.ts'
import type { Tables } from './tables.ts'
import { type News, Transaction } from './transaction.ts'

/**
 * Changes in one batch: about 10 rows each, so a batch stays below a megabyte and a few
 * milliseconds.
 */
const BATCH_CHANGES_MAX = 256
/** Callers wait for their change, so more than this can only come from a caller that does not. */
const WAITING_CHANGES_MAX = 100_000

export type Change<T> = (transaction: Transaction) => T | Promise<T>

interface Waiting {
  readonly plan: Change<unknown>
  readonly durable: boolean
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
}

/** Changes that are written together. */
class Batch {
  readonly layer: Layer
  readonly planned: { readonly waiting: Waiting; readonly result: unknown }[] = []
  readonly news: News[] = []
  wantsAdded = 0
  /** Changes that were looked at, also those that were refused. */
  taken = 0
  /** Once it is being written: resolves however that ends. */
  written: Promise<void> = Promise.resolve()

  constructor(below: Rows) {
    this.layer = new Layer(below)
  }
}

export interface ChangeQueueParts
  extends Pick<
    IndexParts,
    'database' | 'clock' | 'failPoints' | 'requireWritable' | 'repair' | 'onWhole'
  > {
  readonly tables: Tables
  readonly rows: DatabaseRows
}

export class ChangeQueue {
  readonly #parts: ChangeQueueParts
  readonly #writer: string
  /**
   * Hears of the keys of entries that are others from now on, gone ones included, before anybody
   * else; undefined: that is not known, and it may be any. Must not throw.
   */
  onEntries: (keys: Iterable<string> | undefined) => void = () => {}
  /** Hears of entries once they are durable. Must not throw. */
  onNews: (news: readonly News[]) => void = () => {}
  /** Hears that blobs are lacking though no peer sent news: they were lost. Must not throw. */
  onLost: () => void = () => {}
  /** Hears that the database turned out to be damaged, and can be mended. Must not throw. */
  onDamage: () => void = () => {}
  #waiting: Waiting[] = []
  /** The next change is asked for. */
  #asked = Promise.withResolvers<void>()
  #running: Promise<void> | undefined
  #generation: number
  #revision = 0
  #fault: NodeError | undefined
  #reopening: Promise<void> | undefined
  #openings = 0

  constructor(parts: ChangeQueueParts, writer: string) {
    this.#parts = parts
    this.#writer = writer
    // Generations must differ from those of earlier runs only as long as their intents are open,
    // and those are replayed at start: any number that grows does.
    this.#generation = parts.clock.now()
  }

  /** Counts the batches written: what was read at another revision may have changed. */
  get revision(): number {
    return this.#revision
  }

  /** The error after which nothing is acknowledged any more. */
  get fault(): NodeError | undefined {
    return this.#fault
  }

  /**
   * Runs a change and resolves with its result when it is written, and synced where `durable`. What
   * `plan` throws rejects this change alone. After a failed write every change is refused with
   * DISK_FULL or DISK_FAULT, and whether a restart finds the failed ones is not known. Errors:
   * those, READ_ONLY, BUSY.
   */
  async run<T>(plan: Change<T>, durable: boolean): Promise<T> {
    if (this.#fault !== undefined) throw this.#fault
    this.#parts.requireWritable()
    if (this.#waiting.length >= WAITING_CHANGES_MAX) {
      throw new NodeError(
        'BUSY',
        'Too many changes are waiting for the disk. Try again in a moment.'
      )
    }
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({ plan, durable, resolve: resolve as (value: unknown) => void, reject })
      this.#asked.resolve()
      this.#asked = Promise.withResolvers()
      this.#running ??= this.#drain()
    })
  }

  /** Resolves when all changes asked for so far are written or refused. */
  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running
  }

  /** Settles when the database can be read again, which is closed for a moment. */
  get reopening(): Promise<void> | undefined {
    return this.#reopening
  }

  /** Another number once it was opened anew: what was read before may be gone. */
  get openings(): number {
    return this.#openings
  }

  /** Hears what a read has thrown: damage of the database is a fault from then on. True if so. */
  noteFailure(error: unknown): boolean {
    if (!isDamage(error)) return false
    if (!isDamage(this.#fault)) this.#fail(error)
    return true
  }

  #fail(error: unknown): void {
    this.#fault = faultOf(error)
    if (isDamage(error)) this.#tell(this.onDamage)
  }

  /**
   * After a full disk, once there is room: opens the database anew, which ends the log at its last
   * whole batch. Other faults stay until a restart.
   */
  async reopen(): Promise<void> {
    if (this.#fault?.code === 'DISK_FULL') await this.#openAnew(async () => {})
  }

  /**
   * After damage: puts the database together anew from what can be read, and rows are lost with
   * what can't. False if there is no damage, or no way.
   */
  async mend(): Promise<boolean> {
    const { repair } = this.#parts
    if (repair === undefined || !isDamage(this.#fault)) return false
    const { cause } = this.#fault as NodeError
    await this.#openAnew(() => repair(String((cause as Error | undefined)?.message)))
    return true
  }

  /** All is done that follows from damage: until then each start hears of it again. */
  endDamage(): void {
    this.#parts.onWhole?.()
  }

  async #openAnew(repair: () => Promise<void>): Promise<void> {
    const opening = this.#openAfter(repair)
    this.#reopening = opening.catch(() => {})
    try {
      await opening
    } finally {
      this.#reopening = undefined
    }
  }

  async #openAfter(repair: () => Promise<void>): Promise<void> {
    await this.idle()
    const { database, tables } = this.#parts
    await database.close()
    await repair()
    this.#openings++
    await database.open()
    await Promise.all(Object.values(tables).map((table) => table.open()))
    this.#revision += 1 // what failed may be there all the same
    this.#parts.rows.doubt()
    this.#tell(() => this.onEntries(undefined))
    this.#fault = undefined
  }

  async #drain(): Promise<void> {
    await Promise.resolve() // changes asked for in the same turn share a batch
    let before: Batch | undefined
    while (this.#waiting.length > 0 || before !== undefined) {
      const batch = new Batch(before?.layer ?? this.#parts.rows)
      await this.#gather(batch, before)
      await before?.written
      batch.layer.rest(this.#parts.rows)
      before = undefined
      if (batch.taken === 0) continue
      batch.written = this.#write(batch)
      before = batch
    }
    this.#running = undefined
  }

  /** Plans what waits, and what comes while the batch before is written, on top of that one. */
  async #gather(batch: Batch, before: Batch | undefined): Promise<void> {
    let isWritten = before === undefined
    const written = before?.written.then(() => {
      isWritten = true
    })
    for (;;) {
      const next = this.#waiting.splice(0, BATCH_CHANGES_MAX - batch.taken)
      for (const waiting of next) await this.#plan(waiting, batch)
      if (isWritten || batch.taken >= BATCH_CHANGES_MAX) return
      if (this.#waiting.length === 0) await Promise.race([written, this.#asked.promise])
      if (isWritten && this.#waiting.length === 0) return
    }
  }

  async #plan(waiting: Waiting, batch: Batch): Promise<void> {
    batch.taken++
    // The log of the database is broken in the middle: what follows now is not found again.
    if (this.#fault !== undefined) return waiting.reject(this.#fault)
    const own = new Layer(batch.layer)
    try {
      const transaction = this.#transaction(own)
      const result = await waiting.plan(transaction)
      transaction.ledger.end()
      own.mergeInto(batch.layer)
      batch.news.push(...transaction.news)
      batch.wantsAdded += Math.max(0, transaction.wantsAdded)
      batch.planned.push({ waiting, result })
    } catch (error) {
      this.noteFailure(error)
      waiting.reject(error)
    }
  }

  /** Never rejects. */
  async #write({ layer, planned, news, wantsAdded }: Batch): Promise<void> {
    const { failPoints } = this.#parts
    failPoints.reach('change:planned')
    try {
      if (this.#fault !== undefined) throw this.#fault
      const sync = planned.some(({ waiting }) => waiting.durable)
      await layer.writeTo(this.#parts, { sync })
    } catch (error) {
      if (this.#fault === undefined) this.#fail(error)
      this.#tell(() => this.onEntries(undefined))
      for (const { waiting } of planned) waiting.reject(this.#fault)
      return
    }
    this.#revision += 1
    this.#tell(() => this.onEntries(layer.changedKeys('entry')))
    failPoints.reach('change:written')
    for (const { waiting, result } of planned) waiting.resolve(result)
    if (news.length > 0) this.#tell(() => this.onNews(news))
    const isLoss = wantsAdded > 0 && news.every(({ from }) => from === undefined)
    if (isLoss) this.#tell(this.onLost)
  }

  /** A listener that throws is wrong, and ends the node; the queue goes on until then. */
  #tell(listener: () => void): void {
    try {
      listener()
    } catch (error) {
      queueMicrotask(() => {
        throw error
      })
    }
  }

  #transaction(layer: Layer): Transaction {
    this.#generation += 1
    return new Transaction({
      layer,
      writer: this.#writer,
      nowMs: this.#parts.clock.now(),
      generation: this.#generation
    })
  }
}

function faultOf(cause: unknown): NodeError {
  if (isDamage(cause)) {
    return new NodeError(
      'DISK_FAULT',
      'The index is damaged on the disk. What can be read of it is put together anew within minutes; nothing is accepted until then. Check the disk.',
      saidAs('index_damage'),
      { cause }
    )
  }
  return isDiskFull(cause)
    ? new NodeError(
        'DISK_FULL',
        'The disk is full: the index could not be written. Free some room; changes are taken again within minutes.',
        saidAs('index_no_room'),
        { cause }
      )
    : new NodeError(
        'DISK_FAULT',
        'The index could not be written, so nothing more is accepted. Check the disk, then restart the node.',
        saidAs('index_fault'),
        { cause }
      )
}
