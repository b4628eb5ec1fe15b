// Images over real connections: disks that fail, and clients that read slowly, not at all, or go.

import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { NodeError } from '../../src/base/errors.ts'
import { STALL_MS_MAX } from '../../src/http/image-response.ts'
import { SMALL_BLOB_BYTES_MAX } from '../../src/store/blob-store.ts'
import { FakeBlob, PIECE_BYTES } from '../support/fake-blob.ts'
import { contentOf, ImageServer, LARGE } from '../support/image-server.ts'

let world: ImageServer

beforeEach(async () => {
  world = new ImageServer()
  await world.listen()
})

afterEach(async () => {
  await world.close()
  for (const { closes, reading } of world.blobs) {
    expect({ closes, reading }).toEqual({ closes: 1, reading: 0 })
  }
})

describe('faults', () => {
  test.each([1000, LARGE])(
    'a file of another size than %s bytes: 503, nothing of it',
    async (bytes) => {
      for (const wrong of [bytes - 1, bytes + 1]) {
        world.serve(contentOf(wrong), { bytes })
        for (const method of ['GET', 'HEAD']) {
          const { status, headers } = await world.get({}, method)
          expect(status).toBe(503)
          expect(headers).toMatchObject({ 'cache-control': 'no-store', 'retry-after': '5' })
          expect(headers).not.toHaveProperty('etag')
        }
      }
      expect(world.faults).toHaveLength(4)
      expect(world.faults[0]).toMatchObject({ code: 'NOT_AVAILABLE' })
    }
  )

  test('what open throws is the answer', async () => {
    const gone = new NodeError('GONE', 'It was deleted.')
    world.image = { ...world.image, open: () => Promise.reject(gone) }
    const { status, body } = await world.get()
    expect(status).toBe(410)
    expect(JSON.parse(body.toString())).toEqual({ detail: 'It was deleted.', code: 'GONE' })
    expect(world.faults).toEqual([gone])
  })

  test('a blob that opens later is sent as well', async () => {
    const { open } = world.image
    world.image = { ...world.image, open: async () => open() }
    expect((await world.get()).body.equals(contentOf(1000))).toBe(true)
  })

  test('a small blob that can’t be read: 500, and no word of why', async () => {
    const error = new Error('/data/world.blobs/ab: EIO')
    world.serve(contentOf(1000), {}, { error })
    const { status, body } = await world.get()
    expect(status).toBe(500)
    expect(body.toString()).not.toContain('EIO')
    expect(world.faults).toEqual([error])
  })

  test('a small blob that the disk can’t read comes from elsewhere, or with a reason', async () => {
    const unreadable = new NodeError('DISK_FAULT', 'The disk failed.')
    world.serve(contentOf(1000), {}, { error: unreadable })
    const elsewhere = { blob: new FakeBlob(contentOf(1000)), from: 'b' }
    world.image = { ...world.image, openInstead: async () => elsewhere }
    const found = await world.get()
    expect([found.status, found.headers['x-image-source']]).toEqual([200, 'peer:b'])
    expect(found.body.equals(contentOf(1000))).toBe(true)
    expect(elsewhere.blob.closes).toBe(1)

    const none = new NodeError('NOT_AVAILABLE', 'No other server has it.')
    world.image = { ...world.image, openInstead: () => Promise.reject(none) }
    const { status, body } = await world.get()
    expect([status, JSON.parse(body.toString()).code]).toEqual([503, 'NOT_AVAILABLE'])
    expect(world.faults).toEqual([none])
  })

  test.each<[string, () => void]>([
    [
      'reading throws',
      () => world.serve(contentOf(LARGE), {}, { error: new Error('EIO'), failAt: PIECE_BYTES })
    ],
    [
      'the file got shorter',
      () => world.serve(contentOf(LARGE - 1), { bytes: LARGE }, { bytes: LARGE })
    ]
  ])('%s in the middle: the connection ends before the body does', async (_, prepare) => {
    prepare()
    await expect(world.get()).rejects.toMatchObject({ code: 'ECONNRESET' })
    await expect(world.get({ Range: `bytes=0-1,${PIECE_BYTES}-` })).rejects.toMatchObject({
      code: 'ECONNRESET'
    })
    expect(world.faults).toHaveLength(2)
  })

  test('a reader that gives more than asked for', async () => {
    world.serve(contentOf(LARGE), {}, { pause: () => new Promise(setImmediate) })
    const { open } = world.image
    world.image = {
      ...world.image,
      open() {
        const { blob } = open() as { blob: FakeBlob }
        const read = blob.read.bind(blob)
        blob.read = (start, end) => read(start, end + 1)
        return { blob }
      }
    }
    await expect(world.get({ Range: 'bytes=0-9' })).rejects.toMatchObject({ code: 'ECONNRESET' })
    expect(world.faults).toHaveLength(1)
  })
})

describe('clients', () => {
  /** A connection that asks `count` times at once, and reads nothing unless told to. */
  async function ask(count: number): Promise<Socket> {
    const socket = connect({ port: world.port, host: '127.0.0.1', noDelay: true })
    socket.on('error', () => {})
    socket.pause()
    await once(socket, 'connect')
    socket.write('GET /a HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(count))
    return socket
  }

  /** Until nothing has been pulled for several turns of the event loop. */
  async function pulled(): Promise<number> {
    const sum = () => world.blobs.reduce((bytes, blob) => bytes + blob.pulledBytes, 0)
    let last = -1
    for (let quiet = 0; quiet < 200; quiet++) {
      await new Promise(setImmediate)
      if (sum() !== last || last <= 0) quiet = 0
      last = sum()
    }
    return last
  }

  const HUGE = 64 * 2 ** 20

  test('one that reads nothing is sent no more than the buffers between take, then goes', async () => {
    world.serve(new Uint8Array(HUGE))
    const socket = await ask(1)
    expect(await pulled()).toBeLessThan(HUGE / 4)
    expect(world.blobs[0]?.closes).toBe(0)
    socket.destroy()
    await world.answers(1)
    expect(world.faults).toEqual([])
  })

  test('one that reads nothing for too long is let go', async () => {
    world.serve(new Uint8Array(HUGE))
    const connected = once(world.server, 'connection')
    await ask(1)
    await pulled()
    const [socket] = (await connected) as [Socket]
    expect(socket.timeout).toBe(STALL_MS_MAX)
    socket.emit('timeout')
    await world.answers(1)
    expect(socket.destroyed).toBe(true)
  })

  /** Bytes that come from elsewhere, and stop for a while. */
  function serveWaiting() {
    const waits = Promise.withResolvers<void>()
    const goesOn = Promise.withResolvers<void>()
    let pieces = 0
    const pause = async () => {
      if (++pieces !== 2) return
      waits.resolve()
      await goesOn.promise
    }
    world.serve(contentOf(LARGE), {}, { pause })
    const { open } = world.image
    world.image = {
      ...world.image,
      async open() {
        const { blob } = (await open()) as { blob: FakeBlob }
        const close = blob.close.bind(blob)
        blob.close = () => {
          close()
          goesOn.resolve()
        }
        return { blob, from: 'b' }
      }
    }
    return { waits: waits.promise, goOn: goesOn.resolve }
  }

  test('one whose bytes are still to come from elsewhere is not let go', async () => {
    const { waits, goOn } = serveWaiting()
    const connected = once(world.server, 'connection')
    const getting = world.get()
    const [socket] = (await connected) as [Socket]
    await waits
    while (socket.writableLength > 0) await new Promise(setImmediate)
    socket.emit('timeout')
    expect([socket.destroyed, socket.timeout]).toEqual([false, STALL_MS_MAX])
    goOn()
    const { headers, body } = await getting
    expect(headers['x-image-source']).toBe('peer:b')
    expect(body.equals(contentOf(LARGE))).toBe(true)
  })

  test('one that goes ends the wait for bytes from elsewhere', async () => {
    const { waits } = serveWaiting()
    const socket = await ask(1)
    await waits
    socket.destroy()
    await world.answers(1)
    expect(world.faults).toEqual([])
  })

  test('one that reads late gets all of it, and no listener stays', async () => {
    world.serve(new Uint8Array(HUGE))
    const connected = once(world.server, 'connection')
    const socket = await ask(1)
    const [served] = (await connected) as [Socket]
    const listeners = served.listenerCount('close')
    await pulled()
    let bytes = 0
    socket.on('data', (piece) => {
      bytes += piece.byteLength
    })
    socket.resume()
    await world.answers(1)
    while (bytes < HUGE) await once(socket, 'data')
    expect(served.listenerCount('close')).toBeLessThanOrEqual(listeners + 1)
    socket.destroy()
    expect(world.blobs[0]?.pulledBytes).toBe(HUGE)
  })

  test('one that goes in the middle', async () => {
    world.serve(contentOf(LARGE), {}, { pause: () => new Promise(setImmediate) })
    const socket = await ask(1)
    socket.once('data', () => socket.destroy())
    socket.resume()
    await world.answers(1)
    expect(world.faults).toEqual([])
  })

  test('one that goes while the blob is being opened', async () => {
    for (const bytes of [1000, LARGE]) {
      world.serve(contentOf(bytes))
      const { open } = world.image
      const [asked, opened] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
      world.image = {
        ...world.image,
        async open() {
          asked.resolve()
          await opened.promise
          return open()
        }
      }
      const closed = new Promise((resolve) =>
        world.server.once('connection', (socket) => socket.once('close', resolve))
      )
      const socket = await ask(1)
      await asked.promise
      socket.destroy()
      await closed
      opened.resolve()
    }
    await world.answers(2)
    expect(world.faults).toEqual([])
  })

  test('one that asks 500 times at once is answered 500 times', async () => {
    const socket = await ask(500)
    let text = ''
    socket.on('data', (piece) => {
      text += piece.toString('latin1')
    })
    socket.resume()
    await world.answers(500)
    while (text.split('HTTP/1.1 200').length < 501) await once(socket, 'data')
    socket.destroy()
    expect(world.faults).toEqual([])
  })

  test.each([SMALL_BLOB_BYTES_MAX, LARGE])(
    'one that asks 500 times at once for %s bytes and reads nothing makes the node read little',
    async (bytes) => {
      world.serve(new Uint8Array(bytes))
      const socket = await ask(500)
      expect(await pulled()).toBeLessThan((500 * bytes) / 4)
      expect(world.blobs.filter(({ closes }) => closes === 0).length).toBeLessThan(2)
      socket.destroy()
      await world.answers(500)
      expect(world.faults).toEqual([])
    }
  )
})
