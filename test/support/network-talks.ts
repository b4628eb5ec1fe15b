// What tests say over networks, whichever they are.

import type { createHash } from 'node:crypto'
import type { ByteStream } from '../../protocols/byte-stream.ts'
import type { NetworkWorld, TestNetwork } from './network-worlds.ts'

export const ECHO = '/tumesh/echo/1'
/** A protocol that each test serves as it needs. */
export const TAKE = '/tumesh/take/1'
export const PIECE_BYTES = 64 * 1024
export const never = new AbortController().signal

/** A started node that echoes. */
export async function startEchoing(
  world: NetworkWorld,
  cluster?: string,
  streamsMax = 8
): Promise<TestNetwork> {
  const node = await world.node(cluster)
  node.handle({ id: ECHO, streamsMax, serve: echo })
  await node.start()
  return node
}

/** Two of them, both of which know of the connection. */
export async function startConnected(world: NetworkWorld): Promise<[TestNetwork, TestNetwork]> {
  const [a, b] = [await startEchoing(world), await startEchoing(world)]
  await a.dial(b.addresses(), never)
  await world.until(() => {
    if (b.peers().length === 0) throw new Error('not connected yet')
  })
  return [a, b]
}

export async function echo(stream: ByteStream): Promise<void> {
  for await (const piece of stream.source) await stream.write(piece)
}

export function listen(network: TestNetwork): string[] {
  const seen: string[] = []
  network.onPeer(({ id }, event) => seen.push(`${event} ${id}`))
  return seen
}

/** The echo of a text; `hold` leaves the stream open. */
export async function ask(
  from: TestNetwork,
  peerId: string,
  text: string,
  hold = false
): Promise<string> {
  const stream = await from.open(peerId, ECHO, never)
  await stream.write(Buffer.from(text))
  if (!hold) {
    await stream.end()
    return (await readAll(stream)).toString()
  }
  const { value } = await stream.source[Symbol.asyncIterator]().next()
  return Buffer.from(value ?? []).toString()
}

export async function readAll({ source }: ByteStream): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  for await (const piece of source) pieces.push(piece)
  return Buffer.concat(pieces)
}

/** Writes pieces that differ, hashes them and ends. */
export async function writePieces(
  stream: ByteStream,
  count: number,
  hash: ReturnType<typeof createHash>,
  onWritten = (_bytes: number) => {}
): Promise<void> {
  for (let at = 0; at < count; at++) {
    const piece = new Uint8Array(PIECE_BYTES).fill(at)
    hash.update(piece)
    await stream.write(piece)
    onWritten(piece.byteLength)
  }
  await stream.end()
}
