// Peers in memory that hold blobs, each behind the real protocol and streams that can break.

import { blobsProtocol } from '../../protocols/blobs/serve.ts'
import type { BlobSource } from '../../protocols/blobs/source.ts'
import type { ByteStream } from '../../protocols/byte-stream.ts'
import type { ContentHash, Md5 } from '../../protocols/hash.ts'
import { parsePath } from '../../protocols/path.ts'
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
}

export class BlobHolders {
  readonly #holders = new Map<string, Holder>()

  add(id: string, source: BlobSource, streams: readonly PairOptions[] = [{}]): void {
    this.#holders.set(id, { source, streams, served: [] })
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

  readonly open = async (id: string): Promise<ByteStream> => {
    const holder = this.#holders.get(id)
    if (holder === undefined) throw new Error(`${id} is not connected`)
    const { source, streams, served } = holder
    const next = servePair(blobsProtocol, source, streams[served.length] ?? streams.at(-1))
    served.push(next)
    return next.stream
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
