import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, test } from 'vitest'
import type { ByteStream } from '../../protocols/byte-stream.ts'
import { systemClock, systemRandom } from '../../src/base/clock.ts'
import { silentLog } from '../../src/base/log.ts'
import { type Admission, createAdmission } from '../../src/network/admission.ts'
import { createIdentity } from '../../src/network/identity.ts'
import { Libp2pNetwork } from '../../src/network/libp2p-network.ts'
import { eventually } from '../support/eventually.ts'

const BLOB = '/tumesh/blob/1'
const BLOB_BYTES = 400_000
const never = new AbortController().signal
const secret = (fill: number) => createAdmission('test', new Uint8Array(32).fill(fill))

const cleanUps: (() => unknown)[] = []

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

interface Options {
  readonly admission?: Admission
  readonly host?: string
  readonly port?: number
}

async function makeNode({ admission = secret(7), host = '127.0.0.1', port }: Options = {}) {
  const { identity } = await createIdentity()
  const parts = { clock: systemClock, random: systemRandom, log: silentLog }
  const node = new Libp2pNetwork(parts, { identity, admission, host, port, mdns: false })
  node.handle({
    id: BLOB,
    streamsMax: 8,
    async serve(stream) {
      for (let at = 0; at < BLOB_BYTES; at += 50_000) await stream.write(new Uint8Array(50_000))
    }
  })
  cleanUps.push(() => node.stop())
  return node
}

async function startNode(options?: Options) {
  const node = await makeNode(options)
  await node.start()
  return node
}

async function listening(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanUps.push(() => new Promise((resolve) => server.close(resolve)))
  return (server.address() as AddressInfo).port
}

/** A wire to a port that is cut after so many bytes of one direction. */
async function cutWire(port: number, from: 'server' | 'client', bytes: number, how: 'rst' | 'fin') {
  const server = createServer((client) => {
    const upstream = connect(port, '127.0.0.1')
    const sockets: Socket[] = [client, upstream]
    let left = bytes
    const cut = () => {
      for (const socket of sockets) {
        if (how === 'rst') socket.resetAndDestroy()
        else socket.end()
      }
    }
    const pass = (source: Socket, target: Socket, counted: boolean) => {
      source.on('error', () => target.destroy())
      source.on('close', () => target.destroy())
      source.on('data', (chunk: Buffer) => {
        const part = counted ? chunk.subarray(0, left) : chunk
        if (counted) left -= part.byteLength
        if (!target.writableEnded) target.write(part)
        if (counted && left === 0) cut()
      })
    }
    pass(upstream, client, from === 'server')
    pass(client, upstream, from === 'client')
  })
  return `/ip4/127.0.0.1/tcp/${await listening(server)}`
}

async function countBytes({ source }: ByteStream): Promise<{ bytes: number; complete: boolean }> {
  let bytes = 0
  try {
    for await (const piece of source) bytes += piece.byteLength
    return { bytes, complete: true }
  } catch {
    return { bytes, complete: false }
  }
}

const sockets = () => process.getActiveResourcesInfo().filter((kind) => kind === 'TCPSocketWrap')

describe('a connection that is cut', () => {
  const cuts = [0, 1, 100, 600, 1_500, 5_000, 60_000, 300_000, BLOB_BYTES]
  test.each(cuts)('after %i bytes never makes a part look complete', async (bytes) => {
    for (const from of ['server', 'client'] as const) {
      for (const how of ['rst', 'fin'] as const) {
        const [a, b] = [await startNode(), await startNode()]
        const wire = await cutWire(b.port as number, from, bytes, how)
        try {
          await a.dial([`${wire}/p2p/${b.id}`], never)
          const read = await countBytes(await a.open(b.id, BLOB, never))
          expect(read.complete).toBe(read.bytes === BLOB_BYTES)
        } catch (error) {
          expect(error).toMatchObject({ code: 'PEER_UNREACHABLE' })
        }
        await Promise.all([a.stop(), b.stop()])
      }
    }
  })
})

test('an end that waits for a reader is released when the stream is aborted', async () => {
  const [a, b] = [await startNode(), await makeNode()]
  const gate = Promise.withResolvers<void>()
  b.handle({ id: '/tumesh/wait/1', streamsMax: 1, serve: () => gate.promise })
  await b.start()
  await a.dial(b.addresses(), never)
  const stream = await a.open(b.id, '/tumesh/wait/1', never)
  for (let at = 0; at < 6; at++) await stream.write(new Uint8Array(65_536))
  const ending = stream.end()
  await new Promise((resolve) => setTimeout(resolve, 50))
  stream.abort(new Error('given up'))
  await expect(ending).rejects.toThrow('given up')
  gate.resolve()
})

describe('connections', () => {
  test('of dials that cross become one', async () => {
    const before = sockets().length
    const [a, b] = [await startNode(), await startNode()]
    await Promise.all([a.dial(b.addresses(), never), b.dial(a.addresses(), never)])
    await eventually(() => expect(sockets()).toHaveLength(before + 2), { withinMs: 15_000 })
    expect(await countBytes(await a.open(b.id, BLOB, never))).toMatchObject({ complete: true })
    expect(await countBytes(await b.open(a.id, BLOB, never))).toMatchObject({ complete: true })
  })

  test('of strangers that say nothing neither keep members out nor a node from stopping', async () => {
    const [a, b] = [await startNode(), await startNode()]
    const silent = Array.from({ length: 40 }, () => connect(b.port as number, '127.0.0.1'))
    cleanUps.push(() => silent.map((socket) => socket.destroy()))
    await Promise.all(silent.map((socket) => once(socket, 'connect')))
    await a.dial(b.addresses(), never)
    expect(await countBytes(await a.open(b.id, BLOB, never))).toMatchObject({ complete: true })
    for (const socket of silent.slice(0, 20)) socket.resetAndDestroy()
    await b.stop()
  })

  test('that talk nonsense harm nobody', async () => {
    const [a, b] = [await startNode(), await startNode()]
    const rubbish = [
      Buffer.alloc(100_000, 0xff),
      Buffer.from('GET / HTTP/1.1\r\n\r\n'),
      Buffer.of(0)
    ]
    for (const bytes of rubbish) {
      const socket = connect(b.port as number, '127.0.0.1').on('error', () => {})
      socket.end(bytes)
      socket.resume()
      await new Promise((resolve) => socket.once('close', resolve))
    }
    await a.dial(b.addresses(), never)
    expect(b.peers()).toHaveLength(1)
  })

  test('stay when the secret changes, and new ones need the new one', async () => {
    const [a, b, c] = [await startNode(), await startNode(), await startNode()]
    await a.dial(b.addresses(), never)
    await Promise.all([a.admit(secret(8)), b.admit(secret(8))])
    expect(await countBytes(await a.open(b.id, BLOB, never))).toMatchObject({ complete: true })
    await expect(c.dial(a.addresses(), never)).rejects.toMatchObject({
      details: { reason: 'other-cluster' }
    })
    await c.admit(secret(8))
    await c.dial(a.addresses(), never)
    await b.hangUp(a.id)
    await b.dial(a.addresses(), never)
    expect(a.peers()).toHaveLength(2)
  })
})

describe('what a dial says of', () => {
  test('a server that is no node', async () => {
    const a = await startNode()
    const port = await listening(createHttpServer((_, response) => response.end('hello')))
    const dial = a.dial([`/ip4/127.0.0.1/tcp/${port}`], never)
    await expect(dial).rejects.toMatchObject({ details: { reason: 'no-node' } })
  })

  test('a server that says nothing', async () => {
    const a = await startNode()
    const open: Socket[] = []
    const port = await listening(createServer((socket) => open.push(socket)))
    cleanUps.push(() => open.map((socket) => socket.destroy()))
    const dial = a.dial([`/ip4/127.0.0.1/tcp/${port}`], never)
    await expect(dial).rejects.toMatchObject({ details: { reason: 'timed-out' } })
  })

  test('another node than the one looked for', async () => {
    const [a, b, c] = [await startNode(), await startNode(), await startNode()]
    const dial = a.dial([`/ip4/127.0.0.1/tcp/${b.port}/p2p/${c.id}`], never)
    await expect(dial).rejects.toMatchObject({ details: { reason: 'other-node' } })
  })

  test('a node that hangs up because it removed this one', async () => {
    const [a, b] = [await startNode(), await startNode()]
    await b.deny(a.id)
    const dial = a.dial(b.addresses(), never)
    await expect(dial).rejects.toMatchObject({ details: { reason: 'hung-up' } })
  })

  test('a node that this one removed', async () => {
    const [a, b] = [await startNode(), await startNode()]
    await a.deny(b.id)
    for (const addresses of [b.addresses(), [`/ip4/127.0.0.1/tcp/${b.port}`]]) {
      const dial = a.dial(addresses, never)
      await expect(dial).rejects.toMatchObject({ details: { reason: 'not-admitted' } })
    }
  })

  test('an address of another network, for a node without a secret', async () => {
    const open = createAdmission('default', undefined)
    const [a, b] = [await startNode({ admission: open }), await startNode({ admission: open })]
    const dial = a.dial(['/ip4/203.0.113.9/tcp/4001'], never)
    await expect(dial).rejects.toThrow('without a secret')
    await a.dial(b.addresses(), never)
    expect(a.peers()).toHaveLength(1)
  })
})

describe('listening', () => {
  test('takes a given port, and says if it is taken', async () => {
    const a = await startNode()
    const port = a.port as number
    const b = await makeNode({ port })
    await expect(b.start()).rejects.toMatchObject({ code: 'PORT_TAKEN' })
    await a.stop()
    const c = await startNode({ port })
    expect(c.port).toBe(port)
    expect(c.addresses()).toEqual([`/ip4/127.0.0.1/tcp/${port}/p2p/${c.id}`])
  })

  test('takes a name', async () => {
    expect((await startNode({ host: 'localhost' })).addresses()[0]).toContain('/ip4/127.0.0.1/')
  })

  test.each(['203.0.113.9', 'no-such-name.invalid'])('refuses %s', async (host) => {
    const node = await makeNode({ host })
    await expect(node.start()).rejects.toMatchObject({ code: 'ADDRESS_UNUSABLE' })
  })

  test('on :: takes IPv4 as well, on one port', async () => {
    const node = await startNode({ host: '::' })
    expect(node.addresses()).toContain(`/ip4/127.0.0.1/tcp/${node.port}/p2p/${node.id}`)
    const ports = node.addresses().map((address) => /tcp\/(\d+)/.exec(address)?.[1])
    expect(new Set(ports)).toEqual(new Set([String(node.port)]))
  })
})

test('a process ends by itself when its network has stopped', async () => {
  const a = await startNode({ admission: createAdmission('default', undefined) })
  const { bytes } = await createIdentity()
  const options = {
    keyHex: Buffer.from(bytes).toString('hex'),
    host: '127.0.0.1',
    dial: a.addresses()
  }
  const script = fileURLToPath(new URL('../support/network-process.ts', import.meta.url))
  const child = spawn(process.execPath, [script, JSON.stringify(options)], {
    stdio: ['pipe', 'pipe', 'inherit']
  })
  cleanUps.push(() => child.kill('SIGKILL'))
  await eventually(() => expect(a.peers()).toHaveLength(1))
  child.stdin.end()
  expect(await once(child, 'exit')).toEqual([0, null])
  await eventually(() => expect(a.peers()).toEqual([]))
})

describe('while a secret is exchanged for another', () => {
  const secrets = [1, 2, 3].map((fill) => new Uint8Array(32).fill(fill))
  const [a, b, c] = secrets as [Uint8Array, Uint8Array, Uint8Array]
  const formerA = { secret: a, isRotated: false }
  const formerB = { secret: b, isRotated: true }
  const before = createAdmission('test', a)
  const during = createAdmission('test', b, { isRotated: true, former: formerA })
  const after = createAdmission('test', b, { isRotated: true })
  const again = createAdmission('test', c, { isRotated: true, former: formerB })
  const cases: readonly [string, Admission, Admission, readonly [boolean, boolean] | undefined][] =
    [
      ['one who has not heard of it', before, during, [false, true]],
      ['another who has both', during, during, [false, false]],
      ['one who has the new one alone', after, during, [false, false]],
      ['one who is over it', after, after, [false, false]],
      ['one who is a whole exchange behind', after, again, [false, true]],
      ['one who has the old one, when its time is over', before, after, undefined],
      ['one who is two exchanges behind', before, again, undefined],
      ['a stranger', createAdmission('test', c), during, undefined]
    ]

  test.each(cases)('%s', async (_who, first, second, isFormer) => {
    for (const [from, to] of [
      [first, second],
      [second, first]
    ] as const) {
      const [dialling, dialled] = [
        await startNode({ admission: from }),
        await startNode({ admission: to })
      ]
      const dial = dialling.dial(dialled.addresses(), never)
      if (isFormer === undefined) {
        await expect(dial).rejects.toMatchObject({ details: { reason: 'other-cluster' } })
        continue
      }
      await dial
      await eventually(() => expect(dialled.peers()).toHaveLength(1))
      const seen = [dialling, dialled].map((node) => node.peers()[0]?.isFormer)
      expect(seen).toEqual(from === first ? isFormer : isFormer.toReversed())
    }
  })

  test('connections stand, and the doors change under way', async () => {
    const [one, other] = [
      await startNode({ admission: before }),
      await startNode({ admission: before })
    ]
    await one.dial(other.addresses(), never)
    await one.admit(during)
    expect(one.peers()).toHaveLength(1)
    await one.hangUp(other.id)
    await eventually(() => expect(other.peers()).toEqual([]))
    await other.dial(one.addresses(), never)
    expect(one.peers()[0]?.isFormer).toBe(true)
    await one.hangUp(other.id)
    await eventually(() => expect(other.peers()).toEqual([]))
    await one.admit(after)
    await expect(other.dial(one.addresses(), never)).rejects.toMatchObject({
      details: { reason: 'other-cluster' }
    })
    await other.admit(during)
    await other.dial(one.addresses(), never)
    expect([one, other].map((node) => node.peers()[0]?.isFormer)).toEqual([false, false])
  })
})
