// What peers get of this node's blobs: on streams of the network, and on lanes.

import { blobsProtocol } from '../../protocols/blobs/serve.ts'
import type { ByteStream } from '../../protocols/byte-stream.ts'
import type { ContentHash } from '../../protocols/hash.ts'
import type { FlowParts } from '../flows/parts.ts'
import { type CountedReads, countReads, createBlobSource } from '../flows/serve-blobs.ts'
import type { Standing } from '../flows/standing.ts'
import type { Lanes } from '../network/lanes.ts'
import type { SyncNetwork } from './admitted-network.ts'

/** From the start of the network on. */
export function servePeers(
  network: SyncNetwork,
  lanes: Lanes | undefined,
  flows: FlowParts,
  standing: (hash: ContentHash) => Promise<Standing>
): CountedReads {
  const source = countReads(createBlobSource(flows, standing))
  const serve = (stream: ByteStream, id: string) => {
    const pace = (bytes: number, broken?: AbortSignal) => flows.traffic.send(id, bytes, broken)
    const packer = flows.packing.packerFor(id)
    return blobsProtocol.serve(stream, { ...source, pace, packer }, id)
  }
  network.handle({
    id: blobsProtocol.id,
    streamsMax: blobsProtocol.limits.streamsMax,
    serve: (stream, { id }) => serve(stream, id)
  })
  lanes?.use({ network, serve })
  return source
}
