// What a node does without being asked: it lets the trash grow old, retries what the disk refused,
// checks its index and writes the readable copy of it, and takes in what others write into images/.

import { join } from 'node:path'
import type { Config } from '../config/schema.ts'
import type { FoldersOrder } from './adopt-folders.ts'
import { type AdoptingParts, createAdopting } from './adopting.ts'
import { NodeError } from './base/errors.ts'
import { type Loop, startLoop } from './base/loop.ts'
import { startStallLog } from './base/stall-log.ts'
import type { Task } from './base/task-board.ts'
import { checkIndexDaily } from './flows/check-index.ts'
import { type Collected, collect } from './flows/collect.ts'
import { releaseIfConfirmed } from './flows/decide-brakes.ts'
import { expire, type Fruitless } from './flows/expire.ts'
import { indexText } from './flows/export-index.ts'
import { releaseIfBack } from './flows/find-again.ts'
import type { IngestOptions } from './flows/ingest.ts'
import { noteDeletedKeys } from './flows/key-revocations.ts'
import { makeLookUps } from './flows/make-look-ups.ts'
import { followDamage, mendIndex } from './flows/mend-index.ts'
import type { FlowParts } from './flows/parts.ts'
import { planTrash } from './flows/plan-trash.ts'
import { isReshowNeeded, reshow } from './flows/reshow.ts'
import { countReviewedBytes } from './flows/reviewed-bytes.ts'
import { scrub } from './flows/scrub.ts'
import type { DiskStatus } from './flows/status.ts'
import { dropPartials } from './flows/sweep-partials.ts'
import { sweepUnnamed } from './flows/sweep-unnamed.ts'
import { trustedClock } from './flows/trusted-clock.ts'
import { metadataFiles } from './metadata-files.ts'
import { type FilesCount, fileCounter } from './store/count-files.ts'
import { takesBytes } from './store/disk-space.ts'
import { writeFileAtomic } from './store/small-file.ts'

const MINUTE_MS = 60_000
/** A little is read each time. */
const SCRUB_MS = 10_000
const HOUR_MS = 60 * MINUTE_MS
/** So old may be what the status says of the disk. */
const ROOM_MS = 5_000
const LOOK_UPS_MS = 2_000
/** More than opening the index writes: what is in its log, as a table. */
const INDEX_OPEN_BYTES = 32 * 2 ** 20
/** Above this the readable copy is written on demand and at stop only. */
const EXPORT_HOURLY_ENTRIES_MAX = 100_000
/** A stop does not wait longer for the readable copy: the old one stays. */
const EXPORT_AT_STOP_MS_MAX = 10_000

interface Work {
  readonly everyMs: number
  /** A minute after the start at the latest, where nothing is said. */
  readonly firstMs?: number
  do(signal: AbortSignal): Promise<unknown>
}

export interface LastRun {
  readonly wasBrokenOff: boolean
  /** Its index was found damaged, and rows of it are gone. */
  readonly wasDamaged: boolean
}

export interface Duties {
  /** To be done before the node answers: looks whether there is a collection to take in. */
  prepare(): Promise<void>
  start(lastRun: LastRun): void
  stop(): Promise<void>
  /** Writes metadata/file_index.json. */
  exportIndex(): Promise<{ file: string; entries: number }>
  /** The same, if anything has changed, unless that takes too long. */
  exportAtStop(): Promise<void>
  /** Whether a collection from before is still being taken in. */
  adopting(): boolean
  /** See adoptFolders. */
  adoptFolders(order: FoldersOrder): Task
  quarantined(): FilesCount
  /** What could not be forgotten when that was last tried. */
  waiting(): Pick<Collected, 'waiting' | 'members'>
}

export interface DutyParts extends AdoptingParts {
  readonly room: { measure(): Promise<void>; status(): Omit<DiskStatus, 'inodesFree'> }
  readonly indexReserve: { take(): Promise<void> }
  /** Hears that the disk was full and changes are taken again: what was missed may come now. */
  readonly onHealed: () => void
}

export type DutyOptions = Pick<
  Config,
  'adopt' | 'fileStorage' | 'fileSync' | 'images' | 'index' | 'scrub'
> & {
  readonly ingest: IngestOptions
}

export function createDuties(parts: DutyParts, options: DutyOptions): Duties {
  const { flows, folder } = parts
  const { index, log, clock } = flows
  const loops: Loop[] = []
  let quarantined: FilesCount = { files: 0, bytes: 0 }
  const countQuarantine = fileCounter(flows, folder.quarantine)
  const collecting = createCollecting(parts, options)
  const adopting = createAdopting(parts, { ...options.adopt, ingest: options.ingest })
  const making = {
    reviewedBytes: countReviewedBytes(flows),
    isSteady: trustedClock(flows),
    fruitless: {}
  }
  let exported: string | undefined
  const contentOfIndex = () => `${index.root().live} ${index.root().liveSum}`

  async function exportIndex(signal: AbortSignal = new AbortController().signal) {
    const content = contentOfIndex()
    const file = metadataFiles(folder).export
    await writeFileAtomic(file, indexText(flows, signal), { mode: 0o644 })
    exported = content
    return { file, entries: index.counts().images }
  }

  async function exportIfChanged(signal: AbortSignal): Promise<void> {
    if (!options.index.export || adopting.isOpen() || exported === contentOfIndex()) return
    await exportIndex(signal)
  }

  async function exportHourly(signal: AbortSignal): Promise<void> {
    if (index.counts().images < EXPORT_HOURLY_ENTRIES_MAX) await exportIfChanged(signal)
  }

  const work: Record<string, Work> = {
    room: { everyMs: ROOM_MS, do: (signal) => makeRoom(parts, options, making, signal) },
    collect: { everyMs: HOUR_MS, do: collecting.run },
    scrub: { everyMs: SCRUB_MS, do: (signal) => scrubIfWanted(parts, options, signal) },
    brakes: { everyMs: MINUTE_MS, do: (signal) => lookAtBrakes(flows, signal) },
    heal: { everyMs: MINUTE_MS, do: (signal) => healIndex(parts, signal) },
    scan: { everyMs: MINUTE_MS, do: async (signal) => flows.scanner?.catchUp(signal) },
    settle: { everyMs: MINUTE_MS, do: (signal) => flows.settler.settleAll({ signal }) },
    export: { everyMs: HOUR_MS, do: exportHourly },
    check: checkWork(flows),
    'look-ups': { everyMs: LOOK_UPS_MS, do: (signal) => makeLookUps(flows, signal) },
    quarantine: {
      firstMs: 0,
      everyMs: MINUTE_MS,
      do: async () => {
        quarantined = await countQuarantine()
      }
    }
  }

  return {
    prepare: adopting.prepare,
    start({ wasBrokenOff, wasDamaged }) {
      for (const [name, one] of Object.entries(work)) loops.push(startWork(parts, name, one))
      loops.push(watchStalls(flows))
      startReshow(parts, options)
      if (wasDamaged) startIndexTask(parts, (signal) => followDamage(flows, signal))
      mendOnce(parts)
      if (wasBrokenOff) startSweep(parts)
      adopting.start()
    },
    async stop() {
      await Promise.all([...loops.map((loop) => loop.stop()), adopting.stop()])
    },
    exportIndex: () => exportIndex(),
    async exportAtStop() {
      try {
        const late = new AbortController()
        clock.after(EXPORT_AT_STOP_MS_MAX, () => late.abort(new Error('it took too long')))
        await exportIfChanged(late.signal)
      } catch (error) {
        log.warn({ err: error }, 'file_index.json was not written anew')
      }
    },
    adopting: adopting.isOpen,
    adoptFolders: adopting.adoptFolders,
    quarantined: () => quarantined,
    waiting: collecting.waiting
  }
}

function startWork({ flows, folder }: DutyParts, name: string, work: Work): Loop {
  const { everyMs, firstMs = Math.min(everyMs, MINUTE_MS) } = work
  return startLoop(flows, { name, firstMs, everyMs }, async (signal) => {
    if (!folder.markerPresent()) return
    try {
      await work.do(signal)
    } catch (error) {
      flows.index.upkeep.noteFailure(error)
      throw error
    }
  })
}

async function lookAtBrakes(flows: FlowParts, signal: AbortSignal): Promise<void> {
  await releaseIfBack(flows, signal)
  await releaseIfConfirmed(flows)
}

/** Begins when the node has found its feet, and its disk has time. */
function checkWork(flows: FlowParts): Work {
  const work = (signal: AbortSignal) => checkIndexDaily(flows, signal)
  return { firstMs: 10 * MINUTE_MS, everyMs: HOUR_MS, do: work }
}

/** Holds room for the index, and lets the trash go that is too old or too much for the disk. */
async function makeRoom(
  { flows, room, indexReserve }: DutyParts,
  { fileStorage }: DutyOptions,
  making: {
    reviewedBytes: () => Promise<number>
    isSteady: () => Promise<boolean>
    fruitless: Fruitless
  },
  signal: AbortSignal
): Promise<void> {
  await room.measure()
  await indexReserve.take()
  if (flows.index.fault !== undefined) return
  if (room.status().state !== 'ok') {
    dropPartials(flows)
    // what can be made again goes before what was deleted
    if (await flows.thumbnails?.dropAll()) await room.measure()
  }
  const reviewed = await making.reviewedBytes()
  const trashBytes = Math.max(0, flows.index.counts().trashBytes - reviewed)
  const facts = { trashBytes, bytesMax: fileStorage.trashSizeBytes, disk: room.status() }
  // by a clock that has just leapt ahead everything is old
  const isSteady = await making.isSteady()
  const trashKeepMs = isSteady ? fileStorage.trashKeepMs : Number.POSITIVE_INFINITY
  const isUrgent = facts.disk.state !== 'ok'
  const bounds = { trashKeepMs, trashBytesMax: planTrash(facts) + reviewed, isUrgent }
  await expire(flows, bounds, signal, making.fruitless)
}

async function scrubIfWanted(
  { flows }: DutyParts,
  { fileSync, scrub: options }: DutyOptions,
  signal: AbortSignal
): Promise<void> {
  const { index, store } = flows
  if (!fileSync.verifyIntegrity || index.fault !== undefined || store.fault !== undefined) return
  await scrub(flows, options, signal)
}

function watchStalls({ clock, log, activity }: FlowParts): Loop {
  const end = activity && startStallLog({ clock, log, activity })
  return { stop: async () => end?.() }
}

function createCollecting({ flows }: DutyParts, options: DutyOptions) {
  let last: Pick<Collected, 'waiting' | 'members'> = { waiting: 0, members: [] }
  return {
    async run(signal: AbortSignal): Promise<void> {
      if (flows.index.fault !== undefined) return
      await noteDeletedKeys(flows.index)
      const { forgotten, ...left } = await collect(flows, options.index, signal)
      last = left
      if (forgotten > 0) flows.log.info({ forgotten }, 'forgot deletions that every member has')
    },
    waiting: () => last
  }
}

/** After damage: see mendIndex. After a full disk: takes changes again once there is room. */
async function healIndex(
  { flows, folder, room, onHealed }: DutyParts,
  signal: AbortSignal
): Promise<void> {
  const { index, log, settler } = flows
  if (await mendIndex(flows, signal)) return onHealed()
  if (index.fault?.code !== 'DISK_FULL' || room.status().state === 'full') return
  if (!(await takesBytes(join(folder.temp, 'room.probe'), INDEX_OPEN_BYTES))) return
  await index.upkeep.reopen()
  log.info('there is room on the disk again: changes are taken')
  onHealed()
  await settler.settleAll({ signal })
}

/** Makes images/ anew if it shows the blobs in another way than configured. */
function startReshow({ flows, tasks }: DutyParts, { images }: DutyOptions): void {
  if (!isReshowNeeded(flows, images.view)) return
  tasks
    .start('view', (control) => reshow(flows, images.view, control))
    .done.catch(
      unlessStopping((error) =>
        flows.log.error({ err: error }, 'images/ was not made anew; the next start goes on')
      )
    )
}

/**
 * Removes what a crash left in blobs/ without anybody knowing; younger files are this run's own.
 * Others may name again what the index has lost, so they are heard first.
 */
function startSweep({ flows, tasks, compared }: DutyParts): void {
  const startMs = flows.clock.now()
  const sweep = async (signal: AbortSignal) => {
    await compared(signal)
    const removed = await sweepUnnamed(flows, startMs, signal)
    if (removed > 0) flows.log.info({ removed }, 'removed what a crash left in blobs/')
  }
  tasks
    .start('sweep', ({ signal }) => sweep(signal))
    .done.catch(
      unlessStopping((error) => flows.log.error({ err: error }, 'blobs/ was not looked through'))
    )
}

/** The first time at once; if it comes again, the disk fails, and each minute is enough. */
function mendOnce(parts: DutyParts): void {
  const { flows, onHealed } = parts
  const mend = async (signal: AbortSignal) => {
    if (await mendIndex(flows, signal)) onHealed()
  }
  flows.index.upkeep.onDamage = () => {
    flows.index.upkeep.onDamage = () => {}
    startIndexTask(parts, mend)
  }
}

/** Reads all of the index: nobody waits for that. */
function startIndexTask(
  { flows, tasks }: DutyParts,
  work: (signal: AbortSignal) => Promise<void>
): void {
  tasks
    .start('index', ({ signal }) => work(signal))
    .done.catch(
      unlessStopping((error) => flows.log.error({ err: error }, 'the index was not mended'))
    )
}

function unlessStopping(report: (error: unknown) => void): (error: unknown) => void {
  return (error) => {
    if (!(error instanceof NodeError && error.code === 'STOPPING')) report(error)
  }
}
