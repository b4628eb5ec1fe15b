// Asks clamd, the daemon of ClamAV, about bytes: its command INSTREAM, over a socket of the system
// or of TCP. Whatever is not a plain answer is an error, never a clean bill.

import { connect, type Socket } from 'node:net'
import type { Clock } from '../base/clock.ts'
import { systemCodeOf } from '../base/errors.ts'
import { BoundedCalls } from './bounded-calls.ts'

export interface ClamdOptions {
  /** `/run/clamav/clamd.ctl`, or `host:port`. */
  readonly address: string
  readonly timeoutMs: number
}

/** Undefined: nothing was found. */
export type Found = string | undefined

/** Throws BUSY, and ScannerError where clamd gives no answer. */
export type AskClamd = (bytes: Iterable<Uint8Array> | AsyncIterable<Uint8Array>) => Promise<Found>

/** The scanner is not there, or does not answer as it should. */
export class ScannerError extends Error {}

/** It is there, and takes no stream as long as this one, or hung up on it. */
export class ScannerLimit extends ScannerError {}

const RUNNING_MAX = 8
const WAITING_MAX = 1024
const CHUNK_BYTES_MAX = 64 * 1024
const ANSWER_BYTES_MAX = 4096

export function createClamd(
  parts: { readonly clock: Clock },
  { address, timeoutMs }: ClamdOptions
): AskClamd {
  const calls = new BoundedCalls(parts, {
    ...{ runningMax: RUNNING_MAX, waitingMax: WAITING_MAX },
    // the socket gives up first, and frees its place
    timeoutMs: 2 * timeoutMs
  })
  return async (bytes) => {
    const answer = await calls.run(async () => ({ found: await ask(address, timeoutMs, bytes) }))
    if (answer === undefined) throw new ScannerError('clamd did not answer in time')
    return answer.found
  }
}

async function ask(
  address: string,
  timeoutMs: number,
  bytes: Iterable<Uint8Array> | AsyncIterable<Uint8Array>
): Promise<Found> {
  const socket = connectTo(address)
  const answer = answerOf(socket, timeoutMs)
  try {
    await Promise.race([send(socket, bytes), answer])
    return read(await answer)
  } catch (cause) {
    if (cause instanceof ScannerError) throw cause
    // why it hung up is lost where more was sent to it meanwhile
    if (BROKEN_OFF.includes(systemCodeOf(cause) ?? '') && (await isThere(address, timeoutMs))) {
      throw new ScannerLimit(`clamd at ${address} hung up in the middle`, { cause })
    }
    throw new ScannerError(`clamd at ${address} failed: ${(cause as Error).message}`, { cause })
  } finally {
    socket.destroy()
  }
}

const BROKEN_OFF = ['EPIPE', 'ECONNRESET']

function connectTo(address: string): Socket {
  const [, host = '', port] = /^(?!\/)\[?(.+?)\]?:(\d+)$/.exec(address) ?? []
  return port === undefined ? connect(address) : connect(Number(port), host)
}

async function isThere(address: string, timeoutMs: number): Promise<boolean> {
  const socket = connectTo(address)
  try {
    const answer = answerOf(socket, timeoutMs)
    await write(socket, Buffer.from('zPING\0'))
    return (await answer).startsWith('PONG')
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

/** As it is at the end of the connection. */
function answerOf(socket: Socket, timeoutMs: number): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  promise.catch(() => {}) // awaited later
  let text = ''
  socket.setTimeout(timeoutMs, () => socket.destroy(new ScannerError('clamd does not answer')))
  socket.setEncoding('utf8')
  socket.on('data', (piece) => {
    text += piece
    if (text.length > ANSWER_BYTES_MAX) socket.destroy(new ScannerError('clamd says too much'))
    else if (text.endsWith('\0')) resolve(text)
  })
  socket.once('end', () => resolve(text))
  socket.once('error', reject)
  socket.once('close', () => reject(new ScannerError('clamd closed the connection')))
  return promise
}

async function send(
  socket: Socket,
  bytes: Iterable<Uint8Array> | AsyncIterable<Uint8Array>
): Promise<void> {
  await write(socket, Buffer.from('zINSTREAM\0'))
  for await (const piece of bytes) {
    for (let at = 0; at < piece.byteLength; at += CHUNK_BYTES_MAX) {
      const chunk = piece.subarray(at, at + CHUNK_BYTES_MAX)
      const length = Buffer.alloc(4)
      length.writeUInt32BE(chunk.byteLength)
      await write(socket, length)
      await write(socket, chunk)
    }
  }
  await write(socket, Buffer.alloc(4))
}

function write(socket: Socket, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) =>
    socket.write(bytes, (error) => (error ? reject(error) : resolve()))
  )
}

function read(answer: string): Found {
  const text = answer.replace(/[\0\s]+$/, '')
  if (text === 'stream: OK') return undefined
  const [, found] = /^stream: (.{1,200}) FOUND$/.exec(text) ?? []
  if (/^INSTREAM size limit exceeded/.test(text)) throw new ScannerLimit('clamd takes less')
  if (found === undefined) throw new ScannerError(`clamd answers "${text.slice(0, 200)}"`)
  return found
}
