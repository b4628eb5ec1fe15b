// Sends an image over node:http: small ones in one piece, large ones as fast as the client reads.

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { saidAs } from '../base/cause.ts'
import { NodeError } from '../base/errors.ts'
import type { SpareBuffers } from '../base/spare-buffers.ts'
import type { ReadableBlob } from '../flows/parts.ts'
import { type FoundBlob, isUnreadable } from '../flows/read.ts'
import { type FileStamp, SMALL_BLOB_BYTES_MAX } from '../store/blob-store.ts'
import { sendError } from './error-body.ts'
import { type ImageFacts, type Piece, planImageResponse, sourceOf } from './plan-image-response.ts'
import { sendLent, writeLent } from './send-lent.ts'

export interface ImageToSend extends ImageFacts {
  /**
   * Called once where bytes are needed, not at all for 304, 412 and 416. What it throws is answered
   * as an error.
   */
  open(): FoundBlob | Promise<FoundBlob>
  /** The same when the bytes that `open` has found can't be read: from elsewhere. */
  openInstead(): Promise<FoundBlob>
  /** Hears of an answer that has all bytes of this node's own, before it is sent. */
  readonly onWhole?:
    | ((headers: readonly string[], body: Uint8Array, stamp: FileStamp | undefined) => void)
    | undefined
  /** Hears of 304, before it is sent. */
  readonly onSame?: ((headers: readonly string[]) => void) | undefined
  /** The same where it is only asked whether there are bytes: for HEAD. */
  find(): Promise<Pick<ImageFacts, 'bytes'> & Pick<FoundBlob, 'from'>>
}

export interface SendParts {
  /** Of SMALL_BLOB_BYTES_MAX bytes. */
  readonly buffers: SpareBuffers
  onFault(error: unknown): void
}

/** A connection on which nothing moves for so long holds an open blob for nothing. */
export const STALL_MS_MAX = 60_000

/**
 * Answers a GET or HEAD, and never rejects. `onFault` hears what kept the bytes from being sent
 * whole, other than the client: what `open` threw, a failed read, another length than promised. The
 * blob is closed on every path.
 */
export async function sendImage(
  request: IncomingMessage,
  response: ServerResponse,
  image: ImageToSend,
  { buffers, onFault }: SendParts
): Promise<void> {
  if (response.socket === null && !(await becomesNext(request, response))) return
  let blob: ReadableBlob | undefined
  const close = () => {
    blob?.close()
    blob = undefined
  }
  request.socket.once('close', close) // it may be waiting for bytes
  try {
    const plan = planImageResponse(requestOf(request), image)
    if (plan.send === 'error') {
      sendRefusal(response, plan.code, image)
      return
    }
    if (plan.send === 'nothing') {
      image.onSame?.(plan.headers)
      response.writeHead(plan.status, plan.headers).end()
      return
    }
    const { status, headers, pieces } = plan
    if (request.method === 'HEAD') {
      const found = await image.find()
      checkLength(found.bytes, image.bytes)
      response.writeHead(status, [...headers, 'X-Image-Source', sourceOf(found.from)]).end()
      return
    }
    const opened = image.open()
    let found = opened instanceof Promise ? await opened : opened
    blob = found.blob
    let whole: Whole | undefined
    try {
      whole = wholeIfSmall(blob, image, buffers)
    } catch (error) {
      if (!isUnreadable(error)) throw error
      close()
      found = await image.openInstead()
      blob = found.blob
      whole = wholeIfSmall(blob, image, buffers)
    }
    headers.push('X-Image-Source', sourceOf(found.from))
    if (whole !== undefined) {
      const { all, giveBack } = whole
      if (status === 200 && found.from === undefined) image.onWhole?.(headers, all, blob.stamp)
      sendLent(response.writeHead(status, headers), joined(all, pieces), giveBack)
    } else {
      response.writeHead(status, headers)
      const buffer = buffers.take(SMALL_BLOB_BYTES_MAX)
      if (await stream(response, blob, pieces, buffer)) {
        buffers.give(buffer)
        response.end()
      }
    }
  } catch (error) {
    sendError(response, error)
    onFault(error)
  } finally {
    request.socket.off('close', close)
    close()
  }
}

interface Whole {
  readonly all: Uint8Array
  giveBack(): void
}

/** Synchronously: for most images that is all there is to do. Undefined for a large one. */
function wholeIfSmall(
  blob: ReadableBlob,
  { bytes }: ImageFacts,
  buffers: SpareBuffers
): Whole | undefined {
  checkLength(blob.bytes, bytes)
  if (bytes > SMALL_BLOB_BYTES_MAX || blob.readInto === undefined) return undefined
  const buffer = buffers.take(bytes)
  const all = buffer.subarray(0, bytes)
  blob.readInto(all)
  return { all, giveBack: () => buffers.give(buffer) }
}

/**
 * False when the client went away, and the buffer may still be in use. Throws before more or fewer
 * bytes than promised look like the image.
 */
async function stream(
  response: ServerResponse,
  blob: ReadableBlob,
  pieces: readonly Piece[],
  buffer: Uint8Array
): Promise<boolean> {
  let waitsForBytes = true
  // The platform's timer of the socket: it sees bytes leave that no counter of ours does. What is
  // still to come from another server is not the client's fault.
  response.setTimeout(STALL_MS_MAX, () => {
    if (waitsForBytes && response.writableLength === 0) response.setTimeout(STALL_MS_MAX)
    else response.destroy()
  })
  for (const piece of pieces) {
    if ('start' in piece) {
      let sentBytes = 0
      for await (const bytes of blob.read(piece.start, piece.end, buffer)) {
        sentBytes += bytes.byteLength
        if (sentBytes > piece.end - piece.start) break
        waitsForBytes = false
        if (!(await writeLent(response, bytes))) return false
        waitsForBytes = true
      }
      if (response.socket?.destroyed) return false
      checkLength(sentBytes, piece.end - piece.start)
    } else if (!(await writeLent(response, piece))) return false
  }
  waitsForBytes = false
  return true
}

/**
 * Requests of one connection may come before the answers to earlier ones have left. Such an answer
 * waits without a blob or a buffer, else a single packet could ask for a thousand of them. False
 * when the connection ends first.
 */
function becomesNext({ socket }: IncomingMessage, response: ServerResponse): Promise<boolean> {
  socket.setMaxListeners(0)
  return happens(socket, response, 'socket')
}

/** True when the response has the event, false when the connection ends first. */
function happens(socket: Socket, response: ServerResponse, event: string): Promise<boolean> {
  if (socket.destroyed) return Promise.resolve(false)
  return new Promise((resolve) => {
    const end = (happened: boolean) => {
      response.off(event, onEvent)
      socket.off('close', onClose)
      resolve(happened)
    }
    const onEvent = () => end(true)
    const onClose = () => end(false)
    response.once(event, onEvent)
    socket.once('close', onClose)
  })
}

function joined(all: Uint8Array, pieces: readonly Piece[]): Uint8Array {
  const parts = pieces.map((piece) =>
    'start' in piece ? all.subarray(piece.start, piece.end) : piece
  )
  return parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts)
}

function sendRefusal(
  response: ServerResponse,
  code: 'PRECONDITION_FAILED' | 'RANGE_NOT_SATISFIABLE',
  { hash, bytes }: ImageFacts
): void {
  const headers = { ETag: `"${hash}"` }
  if (code === 'PRECONDITION_FAILED') {
    const sentence = 'The image is not the one that the request expects. Read it again.'
    sendError(response, new NodeError(code, sentence), headers)
  } else {
    const sentence = `The image has ${bytes} bytes, and the range is outside them.`
    sendError(response, new NodeError(code, sentence), {
      ...headers,
      'Accept-Ranges': 'bytes',
      'Content-Range': `bytes */${bytes}`
    })
  }
}

function checkLength(bytes: number, expectedBytes: number): void {
  if (bytes === expectedBytes) return
  throw new NodeError(
    'NOT_AVAILABLE',
    'The stored bytes of this image are not whole, so they are not sent. Verify the image.',
    { bytes, expectedBytes, ...saidAs('bytes_not_whole') }
  )
}

function requestOf({ method = 'GET', url = '', headers }: IncomingMessage) {
  return { method, url, headers }
}
