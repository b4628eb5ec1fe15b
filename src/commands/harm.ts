// Harm to the disk of a node, for `tumesh drill`: to bytes that the drill itself has put there.

import { chmodSync, closeSync, fstatSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs'
import { join } from 'node:path'

const SEALED_MODE = 0o444

/** Flips one bit in the middle of a blob's file, wherever it is linked. */
export function flipBit(data: string, sha256: string): void {
  const file = fileOf(data, sha256)
  chmodSync(file, 0o600)
  const fd = openSync(file, 'r+')
  try {
    const at = Math.floor(fstatSync(fd).size / 2)
    const byte = Buffer.alloc(1)
    readSync(fd, byte, 0, 1, at)
    byte[0] = (byte[0] ?? 0) ^ 1
    writeSync(fd, byte, 0, 1, at)
  } finally {
    closeSync(fd)
    chmodSync(file, SEALED_MODE)
  }
}

export function removeBlob(data: string, sha256: string): void {
  unlinkSync(fileOf(data, sha256))
}

function fileOf(data: string, sha256: string): string {
  return join(data, 'blobs', sha256.slice(0, 2), sha256)
}
