// A member that names images and gives other bytes for them, on streams and on lanes: it is asked
// no more for a while, nobody gets to see its bytes, and the images come from who has them.

import { createHash, randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { zstdCompressSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { blobsProtocol } from '../../protocols/blobs/serve.ts'
import type { BlobSource } from '../../protocols/blobs/source.ts'
import { EntriesClient } from '../../protocols/entries/request.ts'
import { entriesProtocol } from '../../protocols/entries/serve.ts'
import { encodeEntry, KIND_IMAGE } from '../../protocols/entry.ts'
import type { ContentHash, Md5 } from '../../protocols/hash.ts'
import { requestHello } from '../../protocols/hello/request.ts'
import { helloProtocol } from '../../protocols/hello/serve.ts'
import { ENTRIES_ID, HELLO_ID } from '../../protocols/ids.ts'
import type { Protocol } from '../../protocols/protocol.ts'
import { versionAt } from '../../protocols/version.ts'
import { systemClock, systemRandom } from '../../src/base/clock.ts'
import { silentLog } from '../../src/base/log.ts'
import { createAdmission } from '../../src/network/admission.ts'
import { CounterTable } from '../../src/network/counters.ts'
import { createIdentity } from '../../src/network/identity.ts'
import { Lanes } from '../../src/network/lanes.ts'
import { Libp2pNetwork } from '../../src/network/libp2p-network.ts'
import { eventually } from '../support/eventually.ts'
import { bytesAt, put, send } from '../support/http-client.ts'
import { MemoryEntries } from '../support/memory-entries.ts'
import { helloOf } from '../support/protocol-talks.ts'
import { type RealNode, Workbench } from '../support/real-node.ts'

const SECRET = new Uint8Array(32).fill(7)
const never = new AbortController().signal
const GROWTH_BYTES_MAX = 150 * 2 ** 20
/** It is asked again after a rest, and for other reasons; not over and over. */
const ASKED_MAX = 12
const LONG = { withinMs: 40_000 }

let bench: Workbench
let node: RealNode
let holder: RealNode
let address: string
beforeAll(async () => {
  bench = new Workbench()
  writeFileSync(bench.path('secret'), Buffer.from(SECRET).toString('hex'))
  const flags = ['--cluster', 'test', '--secret-file', bench.path('secret')]
  node = await bench.start('a', { flags })
  address = (await send(`${node.url}/api/storage-status`)).body.node.addresses[0]
  holder = await bench.start('holder', { flags: [...flags, '--bootstrap', address] })
}, 60_000)
afterAll(() => bench.cleanUp())

const memory = () => {
  const status = readFileSync(`/proc/${node.child.pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) * 1024
}

/** What it says of a blob of so many bytes, and what it gives. */
interface Lie {
  readonly length: number
  pieces(): Iterable<Uint8Array>
  /** What it says that a block of them is when it is packed. */
  readonly packed?: (block: Uint8Array) => Uint8Array
}

const PIECE = 65_536
function* noise(bytes: number): Generator<Uint8Array> {
  for (let left = bytes; left > 0; left -= PIECE)
    yield new Uint8Array(Math.min(left, PIECE)).fill(1)
}

/** Some hundred bytes. */
const BOMB = zstdCompressSync(Buffer.alloc(2 ** 24))

const packedAs = (packed: Lie['packed'] & {}) => (right: Buffer) => ({
  length: right.length,
  pieces: () => [right],
  packed
})

const LIES: Readonly<Record<string, (right: Buffer) => Lie>> = {
  'other bytes': (right) => ({ length: right.length, pieces: () => noise(right.length) }),
  'the right bytes but for the last': (right) => ({
    length: right.length,
    pieces: () => [right.subarray(0, -1), Buffer.from('x')]
  }),
  'too few bytes': (right) => ({ length: 5, pieces: () => [right.subarray(0, 5)] }),
  'too many bytes': (right) => ({
    length: right.length + 100,
    pieces: () => [right, Buffer.alloc(100)]
  }),
  'bytes without end': () => ({ length: 2 ** 45, pieces: () => noise(2 ** 45) }),
  'bytes that end in the middle': (right) => ({
    length: right.length,
    *pieces() {
      yield right.subarray(0, Math.floor(right.length / 2))
      throw new Error('that is all')
    }
  }),
  'packed bytes that become too many': packedAs(() => BOMB),
  'packed bytes that are none': packedAs(() => randomBytes(400)),
  'packed bytes that were cut': packedAs((block) => zstdCompressSync(block).subarray(0, -2)),
  'packed bytes of something else': packedAs(({ length }) => zstdCompressSync(Buffer.alloc(length)))
}

interface Liar {
  readonly asked: () => number
  readonly lanes: () => number
  stop(): Promise<void>
}

/** A member that says it has written the image, and so is asked for it first. */
async function liar(path: string, right: Buffer, lie: Lie, byLanes: boolean): Promise<Liar> {
  const { identity } = await createIdentity()
  const parts = { clock: systemClock, random: systemRandom, log: silentLog }
  const options = { host: '127.0.0.1', port: 0 }
  const admission = createAdmission('test', SECRET)
  const network = new Libp2pNetwork(parts, { ...options, identity, admission, mdns: false })
  const entry = encodeEntry({
    ...{ kind: KIND_IMAGE, path, deleted: false, version: versionAt(Date.now()) },
    ...{ writer: identity.peerId, bytes: right.length, mediaType: 'image/svg+xml' },
    hash: createHash('sha256').update(right).digest('hex') as ContentHash,
    md5: createHash('md5').update(right).digest('hex') as Md5,
    createdMs: Date.now()
  })
  let asked = 0
  let served = 0
  const source: BlobSource = {
    open: async () => {
      asked++
      return {
        bytes: lie.length,
        read: async function* (start, end) {
          if (lie.packed !== undefined) yield right.subarray(start, end)
          else if (start === 0) yield* lie.pieces()
          else yield* noise(lie.length - start)
        },
        close: () => {}
      }
    },
    have: () => true,
    whenHeld: async () => true,
    packer: lie.packed && { mayPay: () => true, pack: async (block) => lie.packed?.(block) }
  }
  const serve = <S>(protocol: Protocol<S>, from: S) =>
    network.handle({
      id: protocol.id,
      streamsMax: protocol.limits.streamsMax,
      serve: (stream, { id }) => protocol.serve(stream, from, id)
    })
  const self = { ...helloOf('liar'), hasImages: true, databaseId: 'of-a-liar' }
  serve(helloProtocol, { hello: () => self, heard: () => {}, now: Date.now })
  serve(entriesProtocol, new MemoryEntries([entry]))
  serve(blobsProtocol, source)
  const lanes = new Lanes({ ...parts, counters: new CounterTable(parts) }, options)
  if (byLanes) {
    lanes.use({
      network,
      serve(stream, id) {
        served++
        return blobsProtocol.serve(stream, source, id)
      }
    })
    await lanes.start()
  }
  await network.start()
  const peer = await network.dial([address], never)
  await requestHello(await network.open(peer.id, HELLO_ID, never), self, Date.now, never)
  const client = new EntriesClient(await network.open(peer.id, ENTRIES_ID, never))
  await client.push([entry.raw], [], never)
  return {
    asked: () => asked,
    lanes: () => served,
    async stop() {
      if (byLanes) await lanes.stop()
      await network.stop()
    }
  }
}

describe.each([
  ['a few bytes', 2000],
  ['some megabytes', 3_000_000]
])('of %s', (_what, bytes) => {
  test.each(
    Object.keys(LIES).flatMap((name) => [
      [name, 'streams'],
      [name, 'lanes']
    ])
  )(
    '%s, on %s',
    async (name, way) => {
      const before = memory()
      const id = `${bytes}-${randomBytes(6).toString('hex')}`
      const right = Buffer.from(
        `<svg xmlns="http://www.w3.org/2000/svg" id="x"><!--${randomBytes(bytes / 2).toString('hex')}--></svg>`
      )
      const lie = LIES[name]?.(right)
      if (lie === undefined) throw new Error('no lie')
      const bad = await liar(`${id}.svg`, right, lie, way === 'lanes')
      try {
        await eventually(() => expect(bad.asked()).toBeGreaterThan(0), LONG)
        const early = await bytesAt(`${node.url}/images/${id}.svg`).catch(() => undefined)
        expect(early?.status).not.toBe(200)
        expect((await put(holder.url, `right-${id}.svg`, right)).status).toBe(201)
        await eventually(async () => {
          const { status, bytes: got } = await bytesAt(`${node.url}/images/${id}.svg`)
          expect([status, Buffer.compare(Buffer.from(got), right)]).toEqual([200, 0])
        }, LONG)
        expect(bad.asked()).toBeLessThan(ASKED_MAX)
        expect(bad.lanes() > 0).toBe(way === 'lanes')
        expect(node.child.exitCode).toBeNull()
        expect(memory() - before).toBeLessThan(GROWTH_BYTES_MAX)
      } finally {
        await bad.stop()
      }
    },
    120_000
  )
})
