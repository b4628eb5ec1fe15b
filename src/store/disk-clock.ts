// Files are dated by the clock of whoever keeps the disk: of a server in the network, or of the
// machine around a virtual one, it may be another than ours.

import { chmodSync, lstatSync } from 'node:fs'
import type { Clock } from '../base/clock.ts'

/** Clocks of disks tick up to every 10 ms, those of FAT every 2 s. */
const TICK_MS = 3000

/**
 * By how much it is ahead of ours, 0 for less than a tick; undefined if this folder of our own
 * can't be touched. Nothing is written that needs room.
 */
export function diskAheadMs(clock: Clock, folder: string): number | undefined {
  try {
    chmodSync(folder, lstatSync(folder).mode & 0o7777) // changes its ctime alone
    const aheadMs = lstatSync(folder).ctimeMs - clock.now()
    return Math.abs(aheadMs) < TICK_MS ? 0 : aheadMs
  } catch {
    return undefined
  }
}
