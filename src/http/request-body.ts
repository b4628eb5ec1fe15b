// The body of a request before it is read: how long it will be, and whether the client waits to be
// asked for it.

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Room } from '../flows/parts.ts'

/** Bytes of the body; undefined where the client did not say (chunked). */
export function bodyLength({ headers }: IncomingMessage): number | undefined {
  const text = headers['content-length']
  if (text !== undefined) return Number(text)
  return headers['transfer-encoding'] === undefined ? 0 : undefined
}

/**
 * To be called when nothing speaks against the request any more, before its body is read. A client
 * that sent `Expect: 100-continue` and is refused instead never sends it.
 */
export function askForBody({ headers }: IncomingMessage, response: ServerResponse): void {
  if (/^100-continue$/i.test(headers.expect ?? '')) response.writeContinue()
}

/**
 * The bytes as they come, while the disk has room for them: how many there will be, not every
 * client says, and others write meanwhile. Throws DISK_FULL.
 */
export async function* takingRoom(
  room: Pick<Room, 'take'>,
  source: AsyncIterable<Uint8Array>
): AsyncGenerator<Uint8Array> {
  for await (const piece of source) {
    room.take(piece.byteLength)
    yield piece
  }
}
