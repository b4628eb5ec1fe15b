import { describe, expect, test } from 'vitest'
import type { ByteStream } from '../../../protocols/byte-stream.ts'
import { silentLog } from '../../../src/base/log.ts'
import { MemoryNetwork } from '../../../src/network/memory-network.ts'
import { MemoryWire, type MemoryWireOptions } from '../../../src/network/memory-wire.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { SeededChance } from '../../support/seeded-chance.ts'

const ECHO = '/tumesh/echo/1'
const never = new AbortController().signal

class World {
  readonly clock = new ManualClock()
  readonly wire: MemoryWire
  /** Everything that was seen, with its time. */
  readonly trace: string[] = []

  constructor(seed = 1, options: MemoryWireOptions = {}) {
    this.wire = new MemoryWire({ clock: this.clock, random: new SeededChance(seed) }, options)
  }

  async node(id: string, place = id): Promise<MemoryNetwork> {
    const node = new MemoryNetwork({ wire: this.wire, log: silentLog }, { id, place })
    node.onPeer((peer, event) => this.note(`${id}: ${event} ${peer.id}`))
    node.handle({
      id: ECHO,
      streamsMax: 4,
      serve: async (stream) => {
        for await (const piece of stream.source) {
          this.note(`${id}: ${piece.byteLength} bytes`)
          await stream.write(piece)
        }
      }
    })
    await node.start()
    return node
  }

  note(what: string): void {
    this.trace.push(`${this.clock.now() % 1e6} ${what}`)
  }

  /** Who sees whom, without times. */
  events(): string[] {
    return this.trace.map((line) => line.replace(/^\d+ /, '')).filter((line) => !/bytes/.test(line))
  }
}

async function readAll(world: World, { source }: ByteStream): Promise<string> {
  let bytes = 0
  try {
    for await (const piece of source) bytes += piece.byteLength
    world.note(`complete after ${bytes}`)
    return 'complete'
  } catch {
    world.note(`broken after ${bytes}`)
    return 'broken'
  }
}

/** A megabyte there and back; how the reading ended. */
async function echoMegabyte(world: World, from: MemoryNetwork, to: string): Promise<string> {
  const stream = await from.open(to, ECHO, never)
  const reading = readAll(world, stream)
  const writing = async () => {
    for (let at = 0; at < 16; at++) await stream.write(new Uint8Array(65_536))
    await stream.end()
  }
  await writing().catch(() => {})
  return reading
}

describe('a wire', () => {
  test('repeats everything for a seed, and differs for others', async () => {
    const traceOf = async (seed: number) => {
      const world = new World(seed, { delayMs: [1, 50], dialLoss: 0.2 })
      await world.clock.run(async () => {
        const [a, b] = [await world.node('a'), await world.node('b')]
        const dials = [a.dial(b.addresses(), never), b.dial(a.addresses(), never)]
        await Promise.allSettled(dials)
        await echoMegabyte(world, a, 'b').catch(() => world.note('not connected'))
        world.wire.lose('a', 'b')
        await new Promise<void>((resolve) => {
          world.clock.after(1_000, resolve)
        })
      })
      return world.trace
    }
    const [first, again, other] = [await traceOf(3), await traceOf(3), await traceOf(4)]
    expect(again).toEqual(first)
    expect(first.length).toBeGreaterThan(10)
    expect(other).not.toEqual(first)
  })

  test.each([
    ['is closed by one side', (a: MemoryNetwork) => void a.hangUp('b')],
    ['is lost', (_: MemoryNetwork, wire: MemoryWire) => wire.lose('a', 'b')],
    ['is cut', (_: MemoryNetwork, wire: MemoryWire) => wire.cut('a', 'b')],
    ['ends with the other node', (_: MemoryNetwork, wire: MemoryWire) => wire.crash('b')],
    [
      'ends with the power of the other',
      (_: MemoryNetwork, wire: MemoryWire) => wire.crash('b', { silent: true })
    ]
  ])('breaks streams in the middle when a connection %s', async (_, breakIt) => {
    for (let seed = 1; seed <= 20; seed++) {
      const world = new World(seed, { delayMs: [1, 10] })
      await world.clock.run(async () => {
        const [a, b] = [await world.node('a'), await world.node('b')]
        await a.dial(b.addresses(), never)
        const echoing = echoMegabyte(world, a, 'b')
        world.clock.after(30 + seed * 3, () => breakIt(a, world.wire))
        expect(await echoing).toBe('broken')
        await new Promise<void>((resolve) => {
          world.clock.after(30_000, resolve)
        })
        expect(world.wire.connections()).toEqual([])
      })
      expect(world.events()).toEqual(
        expect.arrayContaining(['a: up b', 'b: up a', 'a: down b', 'b: down a'])
      )
    }
  })

  test('that is cut lets nothing through until it is healed', async () => {
    const world = new World()
    await world.clock.run(async () => {
      const [a, b, c] = [await world.node('a'), await world.node('b'), await world.node('c')]
      world.wire.partition(['a'], ['b', 'c'])
      await expect(a.dial(b.addresses(), never)).rejects.toThrow('did not answer in time')
      await expect(c.dial(a.addresses(), never)).rejects.toThrow('did not answer in time')
      await b.dial(c.addresses(), never)
      world.wire.healAll()
      await a.dial(b.addresses(), never)
      expect(world.wire.connections()).toHaveLength(2)
    })
  })

  test('a node that crashed has no effect any more, and its place is free for another', async () => {
    const world = new World()
    await world.clock.run(async () => {
      const [a, b] = [await world.node('a'), await world.node('b')]
      world.wire.crash('b')
      await expect(b.dial(a.addresses(), never)).rejects.toThrow('did not answer in time')
      await expect(a.dial(b.addresses(), never)).rejects.toThrow('Nothing listens')
      await world.node('b')
      await a.dial(['/memory/b'], never)
      expect(a.peers()).toHaveLength(1)
    })
  })

  test('a node that lost power and is back is the same peer for those who did not notice', async () => {
    const world = new World()
    await world.clock.run(async () => {
      const [a, b] = [await world.node('a'), await world.node('b')]
      await a.dial(b.addresses(), never)
      const reading = readAll(world, await a.open('b', ECHO, never))
      world.wire.crash('b', { silent: true })
      const again = await world.node('b', 'elsewhere')
      await again.dial(a.addresses(), never)
      expect(await echoMegabyte(world, a, 'b')).toBe('complete')
      expect(await reading).toBe('broken')
      expect(a.peers()).toMatchObject([{ id: 'b', address: '/memory/elsewhere/p2p/b' }])
    })
    expect(world.events().filter((line) => line.startsWith('a:'))).toEqual(['a: up b'])
  })

  test('doubles a connection: the old one breaks, new streams go on, nobody is seen to leave', async () => {
    const world = new World(1, { delayMs: [1, 5] })
    await world.clock.run(async () => {
      const [a, b] = [await world.node('a'), await world.node('b')]
      await a.dial(b.addresses(), never)
      const echoing = echoMegabyte(world, a, 'b')
      world.clock.after(20, () => world.wire.double('a', 'b'))
      expect(await echoing).toBe('broken')
      expect(await echoMegabyte(world, a, 'b')).toBe('complete')
      expect(world.wire.connections()).toEqual([['a', 'b']])
    })
    expect(world.events().filter((line) => /up|down/.test(line))).toEqual(['b: up a', 'a: up b'])
  })

  test('breaks connections by chance in the middle of something', async () => {
    const world = new World(1, { breakage: 0.05 })
    await world.clock.run(async () => {
      const [a, b] = [await world.node('a'), await world.node('b')]
      await a.dial(b.addresses(), never)
      expect(await echoMegabyte(world, a, 'b')).toBe('broken')
    })
  })

  test('is slow between two nodes until it is healed, and has walls that never are', async () => {
    const world = new World()
    await world.clock.run(async () => {
      const [a, b, c] = [await world.node('a'), await world.node('b'), await world.node('c')]
      const tookMs = async () => {
        const before = world.clock.now()
        await a.open('b', ECHO, never).then((stream) => stream.end())
        return world.clock.now() - before
      }
      await a.dial(b.addresses(), never)
      world.wire.slow('a', 'b', 1_000)
      expect(await tookMs()).toBeGreaterThan(2_000)
      world.wire.wall('a', 'c')
      world.wire.healAll()
      await new Promise<void>((resolve) => {
        world.clock.after(5_000, resolve) // what is on its way arrives first
      })
      expect(await tookMs()).toBeLessThan(100)
      await expect(a.dial(c.addresses(), never)).rejects.toThrow('did not answer in time')
    })
  })

  test.each([true, false])('lets streams of one connection overtake: %s', async (overtake) => {
    const world = new World(1, { delayMs: [1, 1_000], overtake })
    const ends: number[] = []
    await world.clock.run(async () => {
      const [a, b] = [await world.node('a'), await world.node('b')]
      await a.dial(b.addresses(), never)
      const open = async (n: number) => {
        const stream = await a.open('b', ECHO, never)
        await stream.end()
        await readAll(world, stream)
        ends.push(n)
      }
      await Promise.all([0, 1, 2, 3].map(open))
    })
    const isInOrder = ends.join() === '0,1,2,3'
    expect(isInOrder).toBe(!overtake)
  })

  test('loses dials, which then take as long as dials that nobody answers', async () => {
    const world = new World(1, { dialLoss: 1 })
    await world.clock.run(async () => {
      const [a, b] = [await world.node('a'), await world.node('b')]
      const before = world.clock.now()
      await expect(a.dial(b.addresses(), never)).rejects.toThrow('did not answer in time')
      expect(world.clock.now() - before).toBe(20_000)
    })
  })
})
