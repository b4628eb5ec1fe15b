// The answering side of /tumesh/blobs/1. Reads the next request only when the last one is answered,
// and the next bytes only when the last ones are on their way: a slow reader costs one piece.

import type { ByteStream } from '../byte-stream.ts'
import { BLOBS_ID } from '../ids.ts'
import { encodeMessage, headOf } from '../message.ts'
import type { Protocol } from '../protocol.ts'
import { serveRequests } from '../serve-requests.ts'
import { STATUS } from '../status.ts'
import { copyMessage } from './copy.ts'
import { BLOBS_LIMITS } from './limits.ts'
import { ResponseSchema } from './messages_pb.ts'
import { type BlobsRequest, parseRequest } from './parse-request.ts'
import { sendBlob } from './send.ts'
import { SmallWrites } from './small-writes.ts'
import type { BlobSource } from './source.ts'

export const blobsProtocol: Protocol<BlobSource> = {
  id: BLOBS_ID,
  limits: BLOBS_LIMITS,
  serve: serveBlobs
}

function serveBlobs(stream: ByteStream, source: BlobSource): Promise<void> {
  const out = new SmallWrites(stream)
  return serveRequests(stream, {
    requestBytesMax: BLOBS_LIMITS.requestBytesMax,
    parse: parseRequest,
    perform: (request) => perform(request, source, out),
    failure: (error) => encodeMessage(ResponseSchema, { ...headOf(error), whole: true })
  })
}

async function perform(
  request: BlobsRequest,
  source: BlobSource,
  out: SmallWrites
): Promise<Uint8Array | undefined> {
  switch (request.kind) {
    case 'fetch': {
      for (const item of request.items) await sendBlob(item, request.packings, source, out)
      await out.flush()
      return undefined
    }
    case 'have': {
      const bitmap = new Uint8Array(Math.ceil(request.hashes.length / 8))
      for (const [at, hash] of request.hashes.entries()) {
        if (await source.have(hash)) (bitmap[at >> 3] as number) |= 1 << (at & 7)
      }
      const [first] = request.hashes
      const copy = request.explain && first !== undefined && (await source.copy?.(first))
      const more = copy ? { copy: copyMessage(copy) } : {}
      return encodeMessage(ResponseSchema, { status: STATUS.OK, bitmap, ...more })
    }
    case 'held': {
      const held = await source.whenHeld(request.hash, request.timeoutMs, out.broken)
      return encodeMessage(ResponseSchema, { status: STATUS.OK, held })
    }
  }
}
