import { randomBytes } from 'node:crypto'
import { zstdCompressSync } from 'node:zlib'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { KNOWN_PACKINGS } from '../../../protocols/blobs/packing.ts'
import type { BlobAnswer } from '../../../protocols/blobs/request.ts'
import { blobsProtocol } from '../../../protocols/blobs/serve.ts'
import type { ByteStream } from '../../../protocols/byte-stream.ts'
import type { ContentHash } from '../../../protocols/hash.ts'
import { BlobPeers, type LaneOpener } from '../../../src/blob-sync/blob-peers.ts'
import type { LineKind } from '../../../src/blob-sync/peer-state.ts'
import { TooSlow } from '../../../src/blob-sync/stall-watch.ts'
import { BlobHolders, slowLine } from '../../support/blob-holders.ts'
import { eventually } from '../../support/eventually.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { MemoryBlobSource } from '../../support/memory-blob-source.ts'
import { settled } from '../../support/microtasks.ts'
import { servePair } from '../../support/serve-pair.ts'

const signal = new AbortController().signal
const BYTES = Buffer.from('a picture')

/** Lanes in memory, which a test opens, refuses and closes. */
class FakeLanes implements LaneOpener {
  readonly opened: { stream: ByteStream; close: () => void }[] = []
  readonly #source: MemoryBlobSource
  asked = 0
  refuses = false
  gate = Promise.resolve()

  constructor(source: MemoryBlobSource) {
    this.#source = source
  }

  async open(_peer: string, onClose: () => void): Promise<ByteStream> {
    this.asked++
    await this.gate
    if (this.refuses) throw new Error('no way through')
    const { stream } = servePair(blobsProtocol, this.#source)
    const close = () => {
      stream.abort(new Error('closed'))
      onClose()
    }
    this.opened.push({ stream, close })
    return stream
  }
}

const source = new MemoryBlobSource()
const hash = source.add(BYTES)
let clock: ManualClock
let network: BlobHolders
let lanes: FakeLanes
let peers: BlobPeers
let chance: number
beforeEach(() => {
  clock = new ManualClock()
  network = new BlobHolders()
  network.add('p', source)
  lanes = new FakeLanes(source)
  chance = 0
  const random = { fraction: () => chance }
  peers = new BlobPeers({ network, clock, random, lanes }, { retryDelayMs: 5000 })
})
afterEach(() => peers.stop())

async function fetch(line: LineKind = 'bulk'): Promise<string> {
  let got = ''
  const take = async ({ whole }: { whole: () => Promise<Uint8Array> }) => {
    got = Buffer.from(await whole()).toString()
  }
  await peers.fetch('p', [{ hash, offset: 0 }], take, { line, signal, stallMs: 1000 })
  return got
}

const used = () => [network.streams('p'), lanes.opened.length]
const laneIsThere = (count = 1) => eventually(() => expect(lanes.opened).toHaveLength(count))

test('the first blobs come at once, those after them on a lane of each kind', async () => {
  const gate = Promise.withResolvers<void>()
  lanes.gate = gate.promise
  expect(await fetch()).toBe('a picture')
  expect(used()).toEqual([1, 0])
  gate.resolve()
  await laneIsThere()
  const sent = network.sentBytes('p')
  expect(await fetch()).toBe('a picture')
  expect([...used(), network.sentBytes('p')]).toEqual([1, 1, sent])
  await fetch('reads')
  await laneIsThere(2)
  expect(await fetch('reads')).toBe('a picture')
  expect([...used(), lanes.asked]).toEqual([2, 2, 2])
})

test('a peer that has come gets its lanes before anything is asked', async () => {
  peers.greet('p', 1000)
  await laneIsThere(2)
  expect([await fetch(), await fetch('reads')]).toEqual(['a picture', 'a picture'])
  expect(used()).toEqual([0, 2])
})

test('where no lane can be opened that is tried again after half a minute', async () => {
  lanes.refuses = true
  for (let n = 0; n < 3; n++) expect(await fetch()).toBe('a picture')
  expect([...used(), lanes.asked]).toEqual([1, 0, 1])
  lanes.refuses = false
  clock.advance(30_000)
  await fetch()
  await laneIsThere()
  await fetch()
  expect([...used(), lanes.asked]).toEqual([1, 1, 2])
})

test('a peer that went while its lanes were being opened gets them as soon as it is back', async () => {
  const gate = Promise.withResolvers<void>()
  lanes.gate = gate.promise
  peers.greet('p', 1000)
  peers.drop('p')
  gate.reject(new Error('the stream broke'))
  await settled()
  lanes.gate = Promise.resolve()
  peers.greet('p', 1000)
  await laneIsThere(2)
})

test('where lanes open and break before any answer, what is asked goes without for a while', async () => {
  const breaks = async () => {
    const fetching = fetch()
    lanes.opened.at(-1)?.stream.abort(new Error('broken'))
    await expect(fetching).rejects.toThrow('broken')
  }
  await fetch()
  await laneIsThere(1)
  await breaks()
  for (let n = 0; n < 3; n++) expect(await fetch()).toBe('a picture')
  expect([...used(), lanes.asked]).toEqual([2, 1, 1])
  clock.advance(30_000)
  await fetch()
  await laneIsThere(2)
  await breaks()
  clock.advance(59_999)
  expect([await fetch(), lanes.asked]).toEqual(['a picture', 2])
  clock.advance(1)
  await fetch()
  await laneIsThere(3)
  expect(await fetch()).toBe('a picture')
  await breaks()
  await fetch()
  await laneIsThere(4)
})

test('a lane that closes while nothing is asked is nobody’s fault', async () => {
  await fetch()
  await laneIsThere()
  lanes.opened[0]?.close()
  expect(await fetch()).toBe('a picture')
  await laneIsThere(2)
  expect(peers.state('p').restsUntilMs).toBe(0)
})

test('a lane that is an hour old gives way to a new one when that is open', async () => {
  await fetch()
  await laneIsThere()
  await fetch()
  clock.advance(60 * 60_000 + 1)
  expect(await fetch()).toBe('a picture')
  await laneIsThere(2)
  const [old] = lanes.opened
  expect(await fetch()).toBe('a picture')
  await eventually(() => expect(old?.stream.write(Buffer.of(0))).rejects.toThrow())
})

/** Fails again as soon as it may be asked. */
function failAgain(): number {
  clock.advance(Math.max(0, peers.state('p').restsUntilMs - clock.monotonicMs()))
  peers.failed('p', new Error('broken'))
  return peers.state('p').restsUntilMs - clock.monotonicMs()
}

test('a peer that fails rests as long as is set, then doubly, and never for ever', () => {
  const rests = Array.from({ length: 6 }, failAgain)
  expect(rests).toEqual([5000, 10_000, 20_000, 40_000, 60_000, 60_000])
  peers.received('p', 1)
  expect(failAgain()).toBe(5000)
})

/** Asks the peer, and has the answer after so long; whether it counts as slow then. */
function isSlowAfter(bytes: number, ms: number): boolean {
  peers.owes('p', bytes)
  clock.advance(ms)
  peers.received('p', bytes)
  peers.owes('p', -bytes)
  return peers.state('p').isSlow
}

test('one that was too slow counts as slow until it sends faster than that', () => {
  peers.failed('p', new TooSlow())
  expect(isSlowAfter(100_000, 60_000)).toBe(true)
  clock.advance(60_000)
  expect(isSlowAfter(5000, 5000)).toBe(true)
  expect(isSlowAfter(5000, 100)).toBe(false)
})

test('what is told of its last connection is forgotten when a peer is back', () => {
  peers.drop('p')
  peers.failed('p', new Error('the stream was reset'))
  expect(peers.state('p').restsUntilMs).toBeGreaterThan(0)
  peers.greet('p', 1000)
  expect(peers.state('p').restsUntilMs).toBe(0)
  expect(failAgain()).toBe(5000)
})

test('chance has peers that failed together not come back together', () => {
  chance = 0.5
  expect([failAgain(), failAgain()]).toEqual([5625, 11_250])
  peers.failed('p', new Error('broken')) // while it rests, by the same break
  expect(peers.state('p').restsUntilMs - clock.monotonicMs()).toBe(11_250)
})

test('what can not be opened is tried again with the same chance', async () => {
  chance = 0.5
  lanes.refuses = true
  await fetch()
  clock.advance(30_000)
  await fetch()
  expect(lanes.asked).toBe(1)
  clock.advance(3750)
  await fetch()
  expect(lanes.asked).toBe(2)
})

const READS = { line: 'reads', signal, stallMs: 1000 } as const
const item = (blob: ContentHash) => ({ hash: blob, offset: 0 })

test('what one reader can not use ends no other reader’s request', async () => {
  lanes.refuses = true
  const failed = peers.fetch('p', [item(hash)], () => Promise.reject(new Error('no room')), READS)
  await Promise.all([expect(failed).rejects.toThrow('no room'), fetch('reads')])
  expect(await fetch('reads')).toBe('a picture')
  expect(used()).toEqual([1, 0])
})

test('after an answer that one can not use it hears of none of its others', async () => {
  lanes.refuses = true
  const heard: string[] = []
  const take = async (answer: BlobAnswer) => {
    heard.push(answer.hash)
    throw new Error('no room')
  }
  await expect(peers.fetch('p', [item(hash), item(hash)], take, READS)).rejects.toThrow('no room')
  expect(heard).toEqual([hash])
  expect(await fetch('reads')).toBe('a picture')
})

test('what is passed over may take its time, as long as it comes', async () => {
  lanes.refuses = true
  network.lines.set('p', slowLine(clock, { bytes: 1000, everyMs: 100 }))
  const slow = source.add(Buffer.alloc(100_000, 7))
  const failing = peers.fetch('p', [item(slow)], () => Promise.reject(new Error('no room')), READS)
  const failed = expect(failing).rejects.toThrow('no room')
  expect(await clock.run(() => fetch('reads'))).toBe('a picture')
  await failed
  expect(network.streams('p')).toBe(1)
})

test('nor is what comes packed silent before a block of it is whole', async () => {
  const pack = async (block: Uint8Array) => zstdCompressSync(block)
  const packed = Object.assign(new MemoryBlobSource(), { packer: { mayPay: () => true, pack } })
  const text = randomBytes(30_000).toString('hex')
  const soft = packed.add(Buffer.from(text))
  network.add('q', packed)
  network.lines.set('q', slowLine(clock, { bytes: 1000, everyMs: 100 }))
  const random = { fraction: () => chance }
  const packing = { unpacking: { packings: KNOWN_PACKINGS } }
  const asking = new BlobPeers({ network, clock, random, packing }, { retryDelayMs: 5000 })
  let got = ''
  const take = async ({ whole }: BlobAnswer) => {
    got = Buffer.from(await whole()).toString()
  }
  await clock.run(() => asking.fetch('q', [item(soft)], take, READS))
  expect(got).toBe(text)
  asking.stop()
})

test('what is too much to be passed over breaks the stream, and is not waited for', async () => {
  lanes.refuses = true
  const large = source.add(Buffer.alloc(2 ** 20 + 1))
  const failed = peers.fetch('p', [item(large)], () => Promise.reject(new Error('no room')), READS)
  await expect(failed).rejects.toThrow('no room')
  expect(await fetch('reads')).toBe('a picture')
  expect(used()).toEqual([2, 0])
})

test('a large blob has a lane of its own where there are lanes, else a stream', async () => {
  lanes.refuses = true
  await peers.openOwn('p', signal)
  expect([...used(), lanes.asked]).toEqual([1, 0, 0])
  lanes.refuses = false
  peers.greet('p', 1000)
  await laneIsThere(2)
  await peers.openOwn('p', signal)
  expect(used()).toEqual([1, 3])
  lanes.refuses = true
  await peers.openOwn('p', signal)
  expect(used()).toEqual([2, 3])
})
