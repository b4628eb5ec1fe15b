// One file whose reads, writes and flushes are functions of ours: the kernel asks for them through
// /dev/fuse. The protocol is that of fuse(4), as far as one regular file needs it.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, read, writeSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'

export interface FileBehind {
  readonly bytes: number
  /** Throws for bytes that can't be read. */
  read(offset: number, length: number): Uint8Array
  write(offset: number, bytes: Uint8Array): void
  flush(): void
}

const OP = {
  lookup: 1,
  forget: 2,
  getattr: 3,
  setattr: 4,
  open: 14,
  read: 15,
  write: 16,
  statfs: 17,
  release: 18,
  fsync: 20,
  flush: 25,
  init: 26,
  interrupt: 36,
  destroy: 38,
  batchForget: 42
} as const

const HEADER_BYTES = 40
const WRITE_BYTES_MAX = 2 ** 20
const PAGES_MAX = WRITE_BYTES_MAX / 4096
const INIT_BIG_WRITES = 1 << 5
const INIT_MAX_PAGES = 1 << 22
const OPEN_DIRECT_IO = 1
const REGULAR = 0o100600
const EIO = -5
const ENOSYS = -38
const NO_ANSWER: readonly number[] = [OP.forget, OP.interrupt, OP.batchForget]

const readAsync = promisify(read)

/** Puts the file over the empty regular file `at`; resolves once it is there. */
export async function serveFile(at: string, file: FileBehind): Promise<{ ended: Promise<void> }> {
  const fd = openSync('/dev/fuse', 'r+')
  const options = `fd=3,rootmode=${REGULAR.toString(8)},user_id=0,group_id=0`
  const mount = spawn('mount', ['-i', '-t', 'fuse', '-o', options, 'fragile', at], {
    stdio: ['ignore', 'ignore', 'inherit', fd]
  })
  const ended = answerAll(fd, file).finally(() => closeSync(fd))
  const [code] = await once(mount, 'close')
  if (code !== 0) throw new Error(`mount: ${code}`)
  return { ended }
}

/** Until the file is unmounted. */
async function answerAll(fd: number, file: FileBehind): Promise<void> {
  const request = Buffer.alloc(WRITE_BYTES_MAX + 64 * 1024)
  for (;;) {
    let length: number
    try {
      length = (await readAsync(fd, request, 0, request.length, null)).bytesRead
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'ENODEV') return
      if (code === 'EPERM')
        await sleep(1) // not mounted yet
      else if (code === 'EINTR' || code === 'EAGAIN' || code === 'ENOENT') await undefined
      else throw error
      continue
    }
    answer(fd, file, request.subarray(0, length))
  }
}

function answer(fd: number, file: FileBehind, request: Buffer): void {
  const operation = request.readUInt32LE(4)
  if (NO_ANSWER.includes(operation)) return
  let error = 0
  let body: Uint8Array = Buffer.alloc(0)
  try {
    const found = perform(file, operation, request.subarray(HEADER_BYTES))
    if (found === undefined) error = ENOSYS
    else body = found
  } catch {
    error = EIO
  }
  const header = Buffer.alloc(16)
  header.writeUInt32LE(16 + body.byteLength, 0)
  header.writeInt32LE(error, 4)
  request.copy(header, 8, 8, 16)
  try {
    writeSync(fd, Buffer.concat([header, body]))
  } catch (failure) {
    // ENOENT: who asked has been killed meanwhile
    if ((failure as NodeJS.ErrnoException).code !== 'ENOENT') throw failure
  }
}

/** Undefined for what is not known here. */
function perform(file: FileBehind, operation: number, given: Buffer): Uint8Array | undefined {
  switch (operation) {
    case OP.init:
      return initAnswer(given)
    case OP.getattr:
    case OP.setattr:
      return attributes(file)
    case OP.open: {
      const body = Buffer.alloc(16)
      body.writeUInt32LE(OPEN_DIRECT_IO, 8)
      return body
    }
    case OP.read:
      return file.read(Number(given.readBigUInt64LE(8)), given.readUInt32LE(16))
    case OP.write: {
      const length = given.readUInt32LE(16)
      file.write(Number(given.readBigUInt64LE(8)), given.subarray(40, 40 + length))
      const body = Buffer.alloc(8)
      body.writeUInt32LE(length, 0)
      return body
    }
    case OP.fsync:
      file.flush()
      return Buffer.alloc(0)
    case OP.statfs:
      return Buffer.alloc(80)
    case OP.release:
    case OP.flush:
    case OP.destroy:
      return Buffer.alloc(0)
    default:
      return undefined
  }
}

function initAnswer(given: Buffer): Uint8Array {
  const body = Buffer.alloc(64)
  body.writeUInt32LE(7, 0)
  body.writeUInt32LE(31, 4)
  given.copy(body, 8, 8, 12) // read ahead as far as the kernel likes
  body.writeUInt32LE(INIT_BIG_WRITES | INIT_MAX_PAGES, 12)
  body.writeUInt16LE(16, 16)
  body.writeUInt16LE(12, 18)
  body.writeUInt32LE(WRITE_BYTES_MAX, 20)
  body.writeUInt32LE(1, 24)
  body.writeUInt16LE(PAGES_MAX, 28)
  return body
}

function attributes({ bytes }: FileBehind): Uint8Array {
  const body = Buffer.alloc(104)
  body.writeBigUInt64LE(3600n, 0)
  body.writeBigUInt64LE(1n, 16)
  body.writeBigUInt64LE(BigInt(bytes), 24)
  body.writeBigUInt64LE(BigInt(Math.ceil(bytes / 512)), 32)
  body.writeUInt32LE(REGULAR, 76)
  body.writeUInt32LE(1, 80)
  body.writeUInt32LE(4096, 96)
  return body
}
