import { afterEach, beforeEach, expect, test } from 'vitest'
import { blobsProtocol } from '../../../protocols/blobs/serve.ts'
import { type ContentHash, parseHash } from '../../../protocols/hash.ts'
import { silentLog } from '../../../src/base/log.ts'
import { Holders } from '../../../src/mesh/holders.ts'
import { MemoryNetwork } from '../../../src/network/memory-network.ts'
import { MemoryWire } from '../../../src/network/memory-wire.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { SeededChance } from '../../support/seeded-chance.ts'

const X = parseHash('0a'.repeat(32))
const hashOf = (n: number) => parseHash(n.toString(16).padStart(64, '0'))
const never = new AbortController().signal

let clock: ManualClock
let wire: MemoryWire
let own: MemoryNetwork
let holders: Holders
let nodes: MemoryNetwork[]
/** When each node holds what. */
let heldFromMs: Map<string, Map<ContentHash, number>>
let asked: string[]

beforeEach(async () => {
  clock = new ManualClock()
  wire = new MemoryWire({ clock, random: new SeededChance(1) }, { delayMs: [1, 1] })
  heldFromMs = new Map()
  nodes = []
  asked = []
  own = new MemoryNetwork({ wire, log: silentLog }, { id: 'own' })
  holders = new Holders({ network: own, clock })
  await own.start()
})

afterEach(() =>
  clock.run(async () => {
    await holders.stop()
    await Promise.all([own, ...nodes].map((network) => network.stop()))
  })
)

/** A peer that holds blobs from so many milliseconds on. */
async function meet(id: string, held: readonly (readonly [ContentHash, number])[]): Promise<void> {
  const startMs = clock.now()
  const have = (hash: ContentHash) =>
    clock.now() >= (heldFromMs.get(id)?.get(hash) ?? Number.POSITIVE_INFINITY)
  heldFromMs.set(id, new Map(held.map(([hash, ms]) => [hash, startMs + ms])))
  const network = new MemoryNetwork({ wire, log: silentLog }, { id })
  const source = {
    open: async () => undefined,
    have: (hash: ContentHash) => {
      asked.push('have')
      return have(hash)
    },
    async whenHeld(hash: ContentHash, timeoutMs: number) {
      asked.push('held')
      const endMs = clock.now() + timeoutMs
      while (!have(hash) && clock.now() < endMs) {
        await new Promise<void>((resolve) => clock.after(5, resolve))
      }
      return have(hash)
    }
  }
  network.handle({
    ...{ id: blobsProtocol.id, streamsMax: 1 },
    serve: (stream, peer) => blobsProtocol.serve(stream, source, peer.id)
  })
  await network.start()
  nodes.push(network)
  await own.dial([`/memory/${id}`], never)
}

test('all who are connected are asked; who does not answer is left out', () =>
  clock.run(async () => {
    await meet('b', [[X, 0]])
    await meet('c', [])
    await meet('d', [[X, 0]])
    wire.cut('own', 'd')
    const answers = await holders.ask(X, 2000, never)
    expect([...answers].sort()).toEqual([
      ['b', true],
      ['c', false]
    ])
  }))

test('resolves as soon as enough hold it, else when the time is over', () =>
  clock.run(async () => {
    await meet('b', [[X, 100]])
    await meet('c', [[X, 700]])
    const startMs = clock.now()
    expect(await holders.whenHeld(X, 1, 5000, never)).toEqual(['b'])
    expect(clock.now() - startMs).toBeLessThan(300)
    expect(await holders.whenHeld(X, 2, 5000, never)).toEqual(['b', 'c'])
    expect(clock.now() - startMs).toBeLessThan(1000)
    expect(await holders.whenHeld(X, 3, 500, never)).toEqual(['b', 'c'])
    expect(await holders.whenHeld(X, 0, 500, never)).toEqual([])
    expect(await holders.whenHeld(X, 1, 5000, AbortSignal.abort())).toEqual([])
    expect(asked).toContain('held')
  }))

test('all that wait share one stream, also more than fit a question', () =>
  clock.run(async () => {
    const blobs = Array.from({ length: 300 }, (_, n) => hashOf(n + 1))
    await meet(
      'b',
      blobs.map((hash, n) => [hash, n])
    )
    const all = await Promise.all(blobs.map((hash) => holders.whenHeld(hash, 1, 30_000, never)))
    expect(all.every(([id]) => id === 'b')).toBe(true)
  }))

test('a server that comes while somebody waits is asked too', () =>
  clock.run(async () => {
    const waiting = holders.whenHeld(X, 1, 5000, never)
    await meet('b', [[X, 0]])
    expect(await waiting).toEqual(['b'])
  }))

test('a server that is lost is no holder, and keeps nobody waiting for longer', () =>
  clock.run(async () => {
    await meet('b', [])
    const waiting = holders.whenHeld(X, 1, 5000, never)
    clock.after(100, () => wire.lose('own', 'b'))
    expect(await waiting).toEqual([])
    expect((await holders.ask(X, 1000, never)).size).toBe(0)
  }))

test('a peer whose stream breaks while proof is waited for is asked again', () =>
  clock.run(async () => {
    await meet('b', [[X, 1000]])
    await meet('c', [])
    const open = own.open.bind(own)
    let tries = 0
    own.open = (peerId, ...rest) =>
      peerId === 'b' && ++tries === 1
        ? Promise.reject(new Error('the stream was reset'))
        : open(peerId, ...rest)
    const startMs = clock.now()
    expect(await holders.whenHeld(X, 1, 30_000, never)).toEqual(['b'])
    expect(clock.now() - startMs).toBeLessThan(3000)
  }))
