import type { AddressInfo } from 'node:net'
import { createServer, type Server, type Socket } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { systemClock } from '../../../src/base/clock.ts'
import { createClamd, ScannerError, ScannerLimit } from '../../../src/content/clamd.ts'

let server: Server
const sockets = new Set<Socket>()
afterEach(async () => {
  for (const socket of sockets) socket.destroy()
  await new Promise((done) => server.close(done))
})

/** What a scanner says that has gone wrong, which a real one does not. */
async function answering(behave: (socket: Socket, text: string) => void, timeoutMs = 5000) {
  server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    let bytes = Buffer.alloc(0)
    socket.on('data', (piece) => {
      bytes = Buffer.concat([bytes, piece])
      if (bytes.subarray(-4).equals(Buffer.alloc(4))) behave(socket, bytes.toString('latin1'))
    })
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as AddressInfo
  const ask = createClamd({ clock: systemClock }, { address: `127.0.0.1:${port}`, timeoutMs })
  return () => ask([Buffer.from('abc'), Buffer.alloc(100_000, 'x')])
}

test('bytes go out in chunks with their lengths, and the answer is what was found', async () => {
  let sent = ''
  const ask = await answering((socket, text) => {
    sent = text
    socket.end('stream: Bad.Thing FOUND\0')
  })
  expect(await ask()).toBe('Bad.Thing')
  expect(sent.startsWith('zINSTREAM\0\0\0\0\x03abc\0\x01\0\0x')).toBe(true)
  expect(sent.length).toBe(10 + 4 + 3 + 4 + 65_536 + 4 + 34_464 + 4)
})

test.each(['stream: OK\0', 'stream: OK\n'])('%j is a clean bill', async (answer) => {
  const ask = await answering((socket) => socket.end(answer))
  expect(await ask()).toBeUndefined()
})

test.each([
  'INSTREAM size limit exceeded. ERROR\0',
  'stream: OK, but',
  'OK\0',
  '',
  'x'.repeat(10_000)
])('%.20j is none', async (answer) => {
  const ask = await answering((socket) => socket.end(answer))
  await expect(ask()).rejects.toBeInstanceOf(ScannerError)
})

test('that a stream is too long for it is told apart', async () => {
  const ask = await answering((socket) => socket.end('INSTREAM size limit exceeded. ERROR\0'))
  await expect(ask()).rejects.toBeInstanceOf(ScannerLimit)
})

test('a scanner that says nothing, resets, or is not there is none', async () => {
  const silent = await answering(() => {}, 100)
  await expect(silent()).rejects.toThrow(/clamd d(oes|id) not answer/)
  const { port } = server.address() as AddressInfo
  await new Promise((done) => {
    for (const socket of sockets) socket.destroy()
    server.close(done)
  })
  const gone = createClamd(
    { clock: systemClock },
    { address: `127.0.0.1:${port}`, timeoutMs: 1000 }
  )
  await expect(gone([])).rejects.toBeInstanceOf(ScannerError)
  const none = createClamd({ clock: systemClock }, { address: '/none/x.ctl', timeoutMs: 1000 })
  await expect(none([])).rejects.toBeInstanceOf(ScannerError)
  const reset = await answering((socket) => socket.resetAndDestroy())
  await expect(reset()).rejects.toBeInstanceOf(ScannerError)
})
