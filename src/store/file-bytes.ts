// The bytes of a file of our own, piece by piece.

import { createReadStream } from 'node:fs'
import { diskError } from './disk-error.ts'

/** Errors: DISK_FAULT. */
export async function* fileBytes(path: string): AsyncGenerator<Uint8Array> {
  try {
    yield* createReadStream(path)
  } catch (cause) {
    throw diskError(cause, `reading ${path}`)
  }
}
