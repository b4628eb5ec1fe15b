// How much the trash may hold: its own bound, and less when the disk gets full.

import type { DiskStatus } from './status.ts'

export interface TrashFacts {
  readonly trashBytes: number
  /** The bound that is configured. */
  readonly bytesMax: number
  readonly disk: Pick<DiskStatus, 'free' | 'reserved' | 'state'>
}

/**
 * Bytes. Before an upload is refused for want of room, the trash gives up what brings the disk back
 * to twice its reserve, or a hundredth of itself where the room for names is short and not that for
 * bytes.
 */
export function planTrash({ trashBytes, bytesMax, disk }: TrashFacts): number {
  if (disk.state === 'ok') return bytesMax
  const lackingBytes = Math.max(2 * disk.reserved - disk.free, Math.ceil(trashBytes / 100))
  return Math.max(0, Math.min(bytesMax, trashBytes - lackingBytes))
}
