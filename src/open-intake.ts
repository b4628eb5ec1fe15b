// The thread for bulk bytes, as a node has it: what it has written, the store takes over.

import { type Random, randomHex } from './base/clock.ts'
import type { Log } from './base/log.ts'
import { IntakeThread } from './flows/intake-thread.ts'
import type { DiskBlobs } from './store/disk-blobs.ts'
import type { Folder } from './store/folder.ts'

export interface OpenIntakeParts {
  readonly log: Log
  readonly random: Random
  readonly folder: Folder
  readonly store: DiskBlobs
}

/** It begins when it is needed. */
export function openIntake({ log, random, folder, store }: OpenIntakeParts): IntakeThread {
  const program = new URL('./lane-thread.js', import.meta.url)
  return new IntakeThread(
    { log, adopt: (file, by) => store.adopt(file, by) },
    { program, folder: folder.temp, tag: randomHex(random, 8) }
  )
}
