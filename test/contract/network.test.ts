import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ConnectedPeer } from '../../src/network/network.ts'
import {
  ask,
  ECHO,
  listen,
  never,
  readAll,
  startConnected,
  startEchoing,
  TAKE
} from '../support/network-talks.ts'
import { NETWORK_WORLDS, type NetworkWorld } from '../support/network-worlds.ts'

describe.each(Object.entries(NETWORK_WORLDS))('a network over %s', (_, makeWorld) => {
  let world: NetworkWorld
  const run = (work: () => Promise<void>) => () => world.run(work)
  const echoing = (cluster?: string, streamsMax?: number) =>
    startEchoing(world, cluster, streamsMax)
  const connected = () => startConnected(world)

  beforeEach(() => {
    world = makeWorld()
  })

  afterEach(() => world.stop())

  test(
    'connects two nodes, and both see the other',
    run(async () => {
      const [a, b] = [await echoing(), await echoing()]
      const seen = [listen(a), listen(b)]
      const peer = await a.dial(b.addresses(), never)
      expect(peer).toMatchObject({ id: b.id, dialled: true })
      expect(a.peers()).toEqual([peer])
      await world.until(() => expect(b.peers()).toMatchObject([{ id: a.id, dialled: false }]))
      expect(seen).toEqual([[`up ${b.id}`], [`up ${a.id}`]])
    })
  )

  test(
    'has addresses, with its id, from start to stop only',
    run(async () => {
      const node = await world.node()
      expect(node.addresses()).toEqual([])
      await node.start()
      expect(node.addresses()[0]).toContain(`/p2p/${node.id}`)
    })
  )

  test(
    'tells the handler who asks',
    run(async () => {
      const asked: ConnectedPeer[] = []
      const [a, b] = [await echoing(), await world.node()]
      b.handle({
        id: TAKE,
        streamsMax: 1,
        async serve(stream, peer) {
          asked.push(peer)
          await stream.end()
        }
      })
      await b.start()
      await a.dial(b.addresses(), never)
      expect(await readAll(await a.open(b.id, TAKE, never))).toHaveLength(0)
      expect(asked).toMatchObject([{ id: a.id, dialled: false }])
    })
  )

  test(
    'tells both sides that the other has gone, once',
    run(async () => {
      const [a, b] = await connected()
      const seen = [listen(a), listen(b)]
      const stream = await a.open(b.id, ECHO, never)
      const reading = readAll(stream).catch((error: unknown) => error)
      await a.hangUp(b.id)
      await a.hangUp(b.id)
      await world.until(() => expect(seen).toEqual([[`down ${b.id}`], [`down ${a.id}`]]))
      expect(await reading).toBeInstanceOf(Error)
      expect([a.peers(), b.peers()]).toEqual([[], []])
      await expect(a.open(b.id, ECHO, never)).rejects.toMatchObject({ code: 'PEER_UNREACHABLE' })
      await a.dial(b.addresses(), never)
      expect(await ask(a, b.id, 'again')).toBe('again')
    })
  )

  test(
    'a listener that was taken off hears nothing',
    run(async () => {
      const [a, b] = [await echoing(), await echoing()]
      const seen: string[] = []
      a.onPeer((_, event) => seen.push(event))()
      await a.dial(b.addresses(), never)
      expect(seen).toEqual([])
    })
  )

  test(
    'stops with streams open: they break for the other side and nothing hangs',
    run(async () => {
      const [a, b] = await connected()
      const stream = await b.open(a.id, ECHO, never)
      await stream.write(new Uint8Array(10))
      const reading = readAll(stream).catch((error: unknown) => error)
      const own = await a.open(b.id, ECHO, never)
      const ownReading = readAll(own).catch((error: unknown) => error)
      await a.stop()
      expect(await ownReading).toBeInstanceOf(Error)
      expect(await reading).toBeInstanceOf(Error)
      expect(a.peers()).toEqual([])
      await world.until(() => expect(b.peers()).toEqual([]))
      await expect(a.dial(b.addresses(), never)).rejects.toMatchObject({ code: 'STOPPING' })
      expect(a.counters(b.id).faults).toBe(0)
    })
  )

  test(
    'says that the other side does not speak a protocol',
    run(async () => {
      const [a, b] = await connected()
      await expect(a.open(b.id, '/tumesh/other/1', never)).rejects.toMatchObject({
        code: 'PEER_UNREACHABLE',
        message: expect.stringContaining('does not speak')
      })
      expect(await ask(a, b.id, 'fine')).toBe('fine')
    })
  )

  test(
    'a node of another cluster gets nothing, and nobody is harmed',
    run(async () => {
      const [a, b, other] = [await echoing(), await echoing(), await echoing('other')]
      for (const [from, to] of [[a, other] as const, [other, a] as const]) {
        await expect(from.dial(to.addresses(), never)).rejects.toMatchObject({
          code: 'PEER_UNREACHABLE',
          details: { reason: 'other-cluster' }
        })
      }
      await a.dial(b.addresses(), never)
      expect(await ask(a, b.id, 'fine')).toBe('fine')
      expect(other.peers()).toEqual([])
    })
  )

  test(
    'a removed peer is hung up on and stays out until it is allowed',
    run(async () => {
      const [a, b] = await connected()
      await b.deny(a.id)
      await world.until(() => expect([a.peers(), b.peers()]).toEqual([[], []]))
      const seen = listen(a)
      for (const [from, to] of [[a, b] as const, [b, a] as const]) {
        await expect(from.dial(to.addresses(), never)).rejects.toMatchObject({
          code: 'PEER_UNREACHABLE'
        })
      }
      expect(seen).toEqual([])
      b.allow(a.id)
      await a.dial(b.addresses(), never)
      expect(await ask(b, a.id, 'back')).toBe('back')
    })
  )

  test(
    'says that nobody listens, and that the node dialled itself',
    run(async () => {
      const a = await echoing()
      await expect(a.dial([world.nowhere], never)).rejects.toMatchObject({
        code: 'PEER_UNREACHABLE',
        message: expect.stringContaining('Nothing listens')
      })
      await expect(a.dial(a.addresses(), never)).rejects.toMatchObject({ code: 'SAME_NODE' })
      const [unnamed] = a.addresses().map((address) => address.split('/p2p/')[0] as string)
      await expect(a.dial([unnamed as string], never)).rejects.toMatchObject({ code: 'SAME_NODE' })
      await expect(a.dial(['nonsense'], never)).rejects.toMatchObject({ code: 'PEER_UNREACHABLE' })
      await expect(a.dial([], never)).rejects.toMatchObject({ code: 'PEER_UNREACHABLE' })
    })
  )

  test(
    'tries all addresses of a node',
    run(async () => {
      const [a, b] = [await echoing(), await echoing()]
      const addresses = [world.nowhere, ...b.addresses()]
      expect(await a.dial(addresses, never)).toMatchObject({ id: b.id })
    })
  )

  test(
    'gives up a dial and an open when asked to',
    run(async () => {
      const [a, b] = await connected()
      const given = AbortSignal.abort(new Error('given up'))
      await a.hangUp(b.id)
      await expect(a.dial(b.addresses(), given)).rejects.toThrow()
      await a.dial(b.addresses(), never)
      await expect(a.open(b.id, ECHO, given)).rejects.toThrow()
      expect(await ask(a, b.id, 'fine')).toBe('fine')
    })
  )

  test(
    'dials that cross each other end in one connection that works both ways',
    run(async () => {
      const [a, b] = [await echoing(), await echoing()]
      const seen = [listen(a), listen(b)]
      await Promise.all([a.dial(b.addresses(), never), b.dial(a.addresses(), never)])
      expect(await Promise.all([ask(a, b.id, 'there'), ask(b, a.id, 'back')])).toEqual([
        'there',
        'back'
      ])
      await world.pause()
      expect(seen).toEqual([[`up ${b.id}`], [`up ${a.id}`]])
      expect([a.peers().length, b.peers().length]).toEqual([1, 1])
    })
  )

  test(
    'three nodes in a line do not hear of each other',
    run(async () => {
      const [a, b, c] = [await echoing(), await echoing(), await echoing()]
      await a.dial(b.addresses(), never)
      await c.dial(b.addresses(), never)
      await world.until(() => expect(b.peers()).toHaveLength(2))
      expect([a.peers().length, c.peers().length]).toEqual([1, 1])
    })
  )
})
