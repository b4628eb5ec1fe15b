// One conversation for each protocol that uses all it has. They run over any stream.

import { zstdCompressSync } from 'node:zlib'
import { KNOWN_PACKINGS } from '../../protocols/blobs/packing.ts'
import type { BlobAnswer } from '../../protocols/blobs/request.ts'
import { BlobsClient } from '../../protocols/blobs/request.ts'
import { blobsProtocol } from '../../protocols/blobs/serve.ts'
import type { ByteStream } from '../../protocols/byte-stream.ts'
import { refOf } from '../../protocols/entries/entry-ref.ts'
import { EntriesClient } from '../../protocols/entries/request.ts'
import { entriesProtocol } from '../../protocols/entries/serve.ts'
import type { ContentHash } from '../../protocols/hash.ts'
import type { Hello } from '../../protocols/hello/hello.ts'
import { requestHello } from '../../protocols/hello/request.ts'
import { helloProtocol } from '../../protocols/hello/serve.ts'
import { parsePath } from '../../protocols/path.ts'
import type { Protocol } from '../../protocols/protocol.ts'
import { requestSecret } from '../../protocols/secret/request.ts'
import { secretProtocol } from '../../protocols/secret/serve.ts'
import { EMPTY_NODE, ROOT_KEY } from '../../protocols/time-tree-shape.ts'
import { md5 } from './digests.ts'
import { MemoryBlobSource } from './memory-blob-source.ts'
import { imageEntry, MemoryEntries } from './memory-entries.ts'
import { never } from './serve-pair.ts'

export interface Talk {
  readonly name: string
  readonly id: string
  /** Serves a fresh source. */
  serve(stream: ByteStream): Promise<void>
  /** Asks, and ends the stream. The same each time. */
  ask(stream: ByteStream): Promise<unknown>
}

export function helloOf(name: string): Hello {
  return {
    protocols: ['/tumesh/hello/1', '/tumesh/entries/1'],
    name,
    productVersion: '0.1.0',
    clusterIds: ['c1'],
    databaseId: 'd1',
    hasImages: true,
    httpPort: 8000,
    addresses: ['/ip4/127.0.0.1/tcp/4001']
  }
}

function talk<Source>(
  name: string,
  protocol: Protocol<Source>,
  source: () => Source,
  ask: (stream: ByteStream) => Promise<unknown>
): Talk {
  return {
    name,
    id: protocol.id,
    serve: (stream) => protocol.serve(stream, source(), 'asker'),
    ask
  }
}

const offer = {
  cluster: 'photos',
  secret: new Uint8Array(32).fill(7),
  decidedMs: 1_700_000_000_000
}

const some = [
  imageEntry('a.png', 0x18bcfe5680000000n),
  imageEntry('b.png', 0x18bcfe5680010000n, { deleted: true }),
  imageEntry('c.png', 0x18bcfe5600010000n)
] as const

const vouch = { member: 'peer-c', database: 'd3', until: 5 }

function someEntries() {
  const source = new MemoryEntries()
  source.past = [{ entry: imageEntry('a.png', 0x18bcfe5600000000n), sinceMs: 5000 }]
  return source
}

async function askEntries(stream: ByteStream) {
  const client = new EntriesClient(stream)
  const said = [
    await client.push(
      some.map(({ raw }) => raw),
      ['peer'],
      never
    ),
    await client.tree([{ key: ROOT_KEY }, { key: '000000000', before: 0 }], never),
    await client.pairs(ROOT_KEY, undefined, never),
    await client.pairsOfMany([ROOT_KEY, ROOT_KEY], never),
    await client.range(ROOT_KEY, refOf(some[1]), never),
    await client.fetch([refOf(some[2]), { ...refOf(some[0]), version: 1n }], never),
    await client.status(never),
    await client.prove(
      { cut: 7, horizon: 3, sums: EMPTY_NODE, database: 'd1', vouches: [vouch] },
      never
    ),
    await client.review(
      { refs: [refOf(some[2])], database: 'd1', vouches: [vouch], deletions: some.slice(0, 1) },
      never
    ),
    await client.history(parsePath('a.png'), never)
  ]
  await client.end(never)
  return said
}

const contents = [0, 1, 300].map((length) => new Uint8Array(length).fill(length))

function someBlobs() {
  const source = new MemoryBlobSource({ pieceBytes: 100 })
  return { source, hashes: contents.map((bytes) => source.add(bytes)) }
}

async function askBlobs(stream: ByteStream) {
  const client = new BlobsClient(stream)
  const { hashes } = someBlobs()
  const missing = 'ab'.repeat(32) as ContentHash
  const got: unknown[] = []
  const keep = async ({ hash, status, length, body }: BlobAnswer) => {
    const bytes = Buffer.concat(await Array.fromAsync(body))
    got.push({ hash, status, length, bytes: bytes.toString('hex') })
  }
  const items = [...hashes, missing].map((hash) => ({ hash, offset: 0 }))
  // some of these are on their way at the same time
  const said = await Promise.all([
    client.fetch(items, keep, never),
    client.have([...hashes, missing], never),
    client.fetch([{ hash: hashes[2] as ContentHash, offset: 290 }], keep, never),
    client.held(hashes[1] as ContentHash, 10, never)
  ])
  await client.end(never)
  return [said, got]
}

const softBytes = [600, 70_000].map((length) => new Uint8Array(length).fill(length))

/** What a node has that packs all that it sends. */
function someSoftBlobs() {
  const pack = async (block: Uint8Array) => zstdCompressSync(block)
  const source = Object.assign(new MemoryBlobSource(), { packer: { mayPay: () => true, pack } })
  return { source, hashes: softBytes.map((bytes) => source.add(bytes)) }
}

async function askPackedBlobs(stream: ByteStream) {
  const client = new BlobsClient(stream, { packings: KNOWN_PACKINGS })
  const got: string[] = []
  const items = someSoftBlobs().hashes.map((hash, offset) => ({ hash, offset }))
  const keep = async ({ body }: BlobAnswer) => {
    got.push(md5(Buffer.concat(await Array.fromAsync(body))))
  }
  await client.fetch(items, keep, never)
  await client.end(never)
  return got
}

export const talks: readonly Talk[] = [
  talk(
    'hello',
    helloProtocol,
    () => ({ hello: () => helloOf('right'), heard: () => {}, now: () => 5000 }),
    (stream) => requestHello(stream, helloOf('left'), () => 2000, never)
  ),
  talk(
    'secret',
    secretProtocol,
    () => ({ take: async () => {} }),
    (stream) => requestSecret(stream, offer, never)
  ),
  talk('entries', entriesProtocol, someEntries, askEntries),
  talk('blobs', blobsProtocol, () => someBlobs().source, askBlobs),
  talk('packed-blobs', blobsProtocol, () => someSoftBlobs().source, askPackedBlobs)
]
