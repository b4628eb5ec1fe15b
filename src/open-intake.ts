// The thread for bulk bytes, as a node has it: what it has written, the store takes over.

import { type Random, randomHex } from './base/clock.ts'
import type { Log } from './base/log.ts'
import type { RequestCount } from './base/request-count.ts'
import type { Packing } from './blob-sync/packing.ts'
import { IntakeThread } from './flows/intake-thread.ts'
import type { DiskBlobs } from './store/disk-blobs.ts'
import type { Folder } from './store/folder.ts'

export interface OpenIntakeParts {
  readonly log: Log
  readonly random: Random
  readonly folder: Folder
  readonly store: DiskBlobs
  readonly packing: Packing
  readonly requests: RequestCount
}

/** It begins when it is needed. */
export function openIntake(parts: OpenIntakeParts): IntakeThread {
  const { log, random, folder, store, packing, requests } = parts
  const { packings, onSaved } = packing.unpacking
  const program = new URL('./lane-thread.js', import.meta.url)
  return new IntakeThread(
    { log, adopt: (file, by) => store.adopt(file, by), onSaved, requests },
    { program, folder: folder.temp, tag: randomHex(random, 8), packings }
  )
}
