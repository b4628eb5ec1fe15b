// Nobody gets a lane without a key, with a used one, or from elsewhere; nothing that anybody sends
// ends the node or stays.

import { randomBytes } from 'node:crypto'
import { connect as connectPlain, createServer, type Socket } from 'node:net'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { LaneKey } from '../../protocols/lane/key.ts'
import { KEY_MS } from '../../src/network/lane-keys.ts'
import { dialLane } from '../../src/network/lane-tls.ts'
import { eventually } from '../support/eventually.ts'
import { LaneEnd } from '../support/lane-ends.ts'
import { ManualClock } from '../support/manual-clock.ts'

const never = new AbortController().signal
const PSK: ConnectionOptions = {
  host: '127.0.0.1',
  ciphers: 'PSK-AES256-GCM-SHA384',
  minVersion: 'TLSv1.2',
  maxVersion: 'TLSv1.2',
  checkServerIdentity: () => undefined
}

type Asked = ConnectionOptions & { readonly localAddress?: string }

let end: LaneEnd
beforeEach(async () => {
  end = await new LaneEnd().listen()
})
afterEach(() => end.server.close())

const onread = () => ({ buffer: Buffer.alloc(65_536), callback: () => true })
const dial = (key: LaneKey) => dialLane(key, '127.0.0.1', onread(), never)
const keyed = ({ identity, secret }: LaneKey) => ({
  ...PSK,
  pskCallback: () => ({ identity, psk: secret })
})

/** A client of its own; resolves with undefined when it is refused. */
function tryTls(options: Asked): Promise<TLSSocket | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ ...PSK, port: end.port, ...options })
    socket.once('secureConnect', () => resolve(socket))
    socket.on('error', () => socket.destroy())
    socket.once('close', () => resolve(undefined))
  })
}

/** The node lives: a lane with a new key opens. */
async function opensStill(): Promise<void> {
  const lane = await dial(end.give())
  lane.destroy()
  await end.isEmpty()
}

describe('a lane is refused', () => {
  test('with a key that was used', async () => {
    const key = end.give()
    const lane = await dial(key)
    await expect(dial(key)).rejects.toThrow()
    lane.destroy()
    await end.isEmpty()
    await expect(dial(key)).rejects.toThrow()
    expect(end.opened).toHaveLength(1)
  })

  test('with a key of another secret, which is used up by that', async () => {
    const key = end.give()
    await expect(dial({ ...key, secret: randomBytes(32) })).rejects.toThrow()
    await expect(dial(key)).rejects.toThrow()
    expect(end.opened).toEqual([undefined])
    await opensStill()
  })

  test.each(['f'.repeat(32), '', 'x'.repeat(200)])('with the identity "%s"', async (identity) => {
    await expect(dial({ ...end.give(), identity })).rejects.toThrow()
    await end.isEmpty()
    await opensStill()
  })

  test('without a key, and with the usual ciphers', async () => {
    expect(await tryTls({})).toBeUndefined()
    expect(
      await tryTls({ ciphers: undefined, minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3' })
    ).toBeUndefined()
    expect(await tryTls({ ciphers: 'ECDHE-RSA-AES256-GCM-SHA384' })).toBeUndefined()
    await end.isEmpty()
    await opensStill()
  })

  test('from another address than that of the connection', async () => {
    expect(await tryTls({ ...keyed(end.give()), localAddress: '127.0.0.2' })).toBeUndefined()
    await expect(dial(end.give({ ip: '192.0.2.1' }))).rejects.toThrow()
    expect(end.opened).toEqual([undefined, undefined])
    await end.isEmpty()
  })

  test('to a session of an earlier lane', async () => {
    const first = await tryTls(keyed(end.give()))
    const session = first?.getSession()
    let tickets = 0
    first?.on('session', () => tickets++)
    first?.destroy()
    for (const identity of ['f'.repeat(32), '']) {
      const again = { session, pskCallback: () => ({ identity, psk: randomBytes(32) }) }
      expect(await tryTls(again as ConnectionOptions)).toBeUndefined()
    }
    expect(tickets).toBe(0)
    await opensStill()
  })

  test('when the key is too old, or was called back', async () => {
    await end.server.close()
    const clock = new ManualClock()
    end = await new LaneEnd(clock).listen()
    const old = end.give()
    clock.advance(KEY_MS)
    await expect(dial(old)).rejects.toThrow()
    const [gone, kept] = [end.give({ peerId: 'gone' }), end.give({ peerId: 'kept' })]
    end.keys.revoke('gone')
    await expect(dial(gone)).rejects.toThrow()
    ;(await dial(kept)).destroy()
  })
})

test('of too many keys that nobody uses the next one is refused', () => {
  for (let n = 0; n < 4; n++) end.give()
  expect(() => end.give()).toThrow('too many')
  end.give({ peerId: 'another' })
})

test.each([
  ['a request of a browser', Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n')],
  ['noise', randomBytes(4096)],
  ['what begins like a handshake', Buffer.concat([Buffer.of(22, 3, 1, 2, 0), randomBytes(512)])],
  ['nothing, and leaves', Buffer.alloc(0)]
])('a stranger who sends %s is let go', async (_, bytes) => {
  const socket = end.dialPlain()
  socket.resume()
  if (bytes.length > 0) socket.write(bytes)
  else socket.end()
  await new Promise((resolve) => socket.once('close', resolve))
  await end.isEmpty()
  await opensStill()
})

test('a stranger who says nothing is let go after a while, and a slow one', async () => {
  const silent = end.dialPlain()
  const slow = end.dialPlain()
  const drip = setInterval(() => slow.write(Buffer.of(22)), 500)
  await eventually(() => expect(end.server.connections()).toBe(2))
  await end.isEmpty()
  clearInterval(drip)
  for (const socket of [silent, slow]) socket.destroy()
  await opensStill()
})

test('one address can not open any number of sockets', async () => {
  const sockets = Array.from({ length: 80 }, () => end.dialPlain())
  const closed = sockets.map((socket) => new Promise((resolve) => socket.once('close', resolve)))
  await Promise.race(closed)
  await eventually(() => expect(end.server.connections()).toBe(64))
  for (const socket of sockets) socket.destroy()
  await end.isEmpty()
  await opensStill()
})

test('a handshake is not begun anew on an open lane', async () => {
  const lane = (await tryTls(keyed(end.give()))) as TLSSocket
  const refused = new Promise((resolve) => {
    lane.once('close', resolve)
    lane.renegotiate({}, (error) => error && resolve(error))
  })
  await refused
  lane.destroy()
  await end.isEmpty()
  await opensStill()
})

/** Passes bytes on to the server of lanes, after a test has had its way with them. */
async function between(change: (bytes: Buffer, there: Socket) => Buffer | undefined) {
  const sockets: Socket[] = []
  const server = createServer((near) => {
    const far = connectPlain(end.port, '127.0.0.1')
    sockets.push(near, far)
    for (const socket of [near, far]) socket.on('error', () => {})
    near.on('data', (bytes) => {
      const changed = change(bytes, far)
      if (changed !== undefined) far.write(changed)
    })
    far.on('data', (bytes) => near.write(bytes))
    near.on('close', () => far.destroy())
    far.on('close', () => near.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  const close = () => {
    for (const socket of sockets) socket.destroy()
    return new Promise((resolve) => server.close(resolve))
  }
  return { port, close }
}

test('a bit that is flipped on the way ends the lane on both sides', async () => {
  let flips = false
  const proxy = await between((bytes) => {
    if (flips) bytes.writeUInt8(bytes.readUInt8(bytes.length - 3) ^ 1, bytes.length - 3)
    return bytes
  })
  const lane = await dial({ ...end.give(), port: proxy.port })
  await eventually(() => expect(end.opened).toHaveLength(1))
  const read: Buffer[] = []
  end.opened[0]?.on('data', (bytes: Buffer) => read.push(bytes))
  flips = true
  const closed = new Promise((resolve) => lane.once('close', resolve))
  lane.write(Buffer.from('a picture'))
  await closed
  expect(read).toEqual([])
  await end.isEmpty()
  await proxy.close()
  await opensStill()
})
