// Whether the last run of the node came to its end. A crash or a power cut leaves no word of it,
// and may leave files that nobody was told of.

import type { ImageIndex } from '../index/image-index.ts'

const ENDED = 'ended'

/** At the start; whether the last run was broken off. */
export async function beginRun(index: ImageIndex): Promise<boolean> {
  if (index.meta(ENDED) === undefined) return true
  await index.change((tx) => tx.setMeta(ENDED, undefined))
  return false
}

/** When nothing is under way any more. A run whose disk is full may pass for a crash. */
export async function endRun(index: ImageIndex): Promise<void> {
  if (index.fault !== undefined) return
  await index.change((tx) => tx.setMeta(ENDED, true)).catch(() => {})
}
