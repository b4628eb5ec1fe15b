// Files are dated by the clock of whoever keeps the disk: of a server in the network, or of the
// machine around a virtual one, it may be another than ours.

import { chmodSync, lstatSync } from 'node:fs'
import type { Clock } from '../base/clock.ts'

/** Clocks of disks tick up to every 10 ms, those of FAT every 2 s. */
const TICK_MS = 3000

/** When a folder was changed last, by its disk, and what our clock said when we looked. */
export interface DatedLook {
  readonly ctimeMs: number
  readonly nowMs: number
}

/**
 * By how much the disk is ahead of ours; undefined if this folder of our own can't be touched, or
 * is not dated when it is. Nothing is written that needs room.
 */
export function diskAheadMs(clock: Clock, folder: string): number | undefined {
  try {
    const { mode, ctimeMs } = lstatSync(folder)
    const before = { ctimeMs, nowMs: clock.now() }
    chmodSync(folder, mode & 0o7777) // changes its ctime alone
    return aheadOf(before, { ctimeMs: lstatSync(folder).ctimeMs, nowMs: clock.now() })
  } catch {
    return undefined
  }
}

/**
 * Of a folder that was touched between two looks. 0 for less than a tick, and however long the
 * machine slept between them; undefined where that did not date it, as on disks of other systems.
 */
export function aheadOf(before: DatedLook, { ctimeMs, nowMs }: DatedLook): number | undefined {
  const aheadMs = ctimeMs > nowMs ? ctimeMs - nowMs : Math.min(0, ctimeMs - before.nowMs)
  if (Math.abs(aheadMs) < TICK_MS) return 0
  return ctimeMs === before.ctimeMs ? undefined : aheadMs
}
