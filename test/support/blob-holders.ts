// Peers in memory that hold blobs, each behind the real protocol and streams that can break.

import { blobsProtocol } from '../../protocols/blobs/serve.ts'
import type { BlobSource } from '../../protocols/blobs/source.ts'
import type { ByteStream } from '../../protocols/byte-stream.ts'
import type { ContentHash, Md5 } from '../../protocols/hash.ts'
import { parsePath } from '../../protocols/path.ts'
import { type Clock, sleep } from '../../src/base/clock.ts'
import type { ConnectedPeer } from '../../src/network/network.ts'
import { md5, sha256 } from './digests.ts'
import { MemoryBlobSource } from './memory-blob-source.ts'
import type { MemoryNode } from './memory-node.ts'
import { type Served, servePair } from './serve-pair.ts'
import type { PairOptions } from './stream-pair.ts'

interface Holder {
  readonly source: BlobSource
  /** Of each stream in turn; the last one's are those of all further ones. */
  readonly streams: readonly PairOptions[]
  readonly served: Served[]
  /** Others with the same identity, each behind a connection of its own. */
  readonly twins: BlobSource[]
}

export class BlobHolders {
  /** What the bytes of these holders pass. */
  readonly lines = new Map<string, (stream: ByteStream) => ByteStream>()
  readonly #holders = new Map<string, Holder>()

  add(id: string, source: BlobSource, streams: readonly PairOptions[] = [{}]): void {
    this.#holders.set(id, { source, streams, served: [], twins: [] })
  }

  addTwin(id: string, source: BlobSource): void {
    this.#holders.get(id)?.twins.push(source)
  }

  remove(id: string): void {
    this.#holders.delete(id)
  }

  readonly peers = (): readonly ConnectedPeer[] =>
    [...this.#holders.keys()].map((id) => ({
      id,
      address: `/memory/${id}`,
      dialled: true,
      sinceMs: 0
    }))

  readonly ways = (id: string): number => 1 + (this.#holders.get(id)?.twins.length ?? 0)

  readonly open = async (
    id: string,
    _protocolId?: string,
    _signal?: AbortSignal,
    way = 0
  ): Promise<ByteStream> => {
    const holder = this.#holders.get(id)
    if (holder === undefined) throw new Error(`${id} is not connected`)
    const { source: first, streams, served, twins } = holder
    const source = [first, ...twins][way] as BlobSource
    const next = servePair(blobsProtocol, source, streams[served.length] ?? streams.at(-1))
    served.push(next)
    return this.lines.get(id)?.(next.stream) ?? next.stream
  }

  /** Streams that were opened to a peer. */
  streams(id: string): number {
    return this.#holders.get(id)?.served.length ?? 0
  }

  sentBytes(id: string): number {
    const served = this.#holders.get(id)?.served ?? []
    return served.reduce((sum, { server }) => sum + server.sent().byteLength, 0)
  }
}

/** A line on which so many bytes come at a time, and so often. */
export function slowLine(clock: Clock, { bytes, everyMs }: { bytes: number; everyMs: number }) {
  return (stream: ByteStream): ByteStream => {
    const broken = new AbortController()
    const source = (async function* () {
      for await (const piece of stream.source) {
        for (let at = 0; at < piece.byteLength; at += bytes) {
          await sleep(clock, everyMs, broken.signal)
          yield piece.subarray(at, at + bytes)
        }
      }
    })()
    const abort = (error: Error) => {
      broken.abort(error)
      stream.abort(error)
    }
    return { source, write: (written) => stream.write(written), end: () => stream.end(), abort }
  }
}

/** A holder that gives other bytes under the hash of these. */
export function lyingSource(bytes: Uint8Array, wrongAt: number): MemoryBlobSource {
  const wrong = bytes.slice()
  wrong[wrongAt] = (wrong[wrongAt] ?? 0) ^ 1
  const source = new MemoryBlobSource()
  const hash = source.add(wrong)
  const open = source.open.bind(source)
  source.open = () => open(hash)
  return source
}

/** An entry of another node: its blob is wanted here. */
export async function want({ flows }: MemoryNode, path: string, bytes: Uint8Array) {
  const hash = sha256(bytes) as ContentHash
  const about = { bytes: bytes.byteLength, mediaType: 'image/png', createdMs: 1 }
  await flows.index.change((tx) => {
    tx.putImage({ path: parsePath(path), hash, md5: md5(bytes) as Md5, ...about })
  })
  return hash
}
