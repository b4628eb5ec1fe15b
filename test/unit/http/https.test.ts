import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { connect as connectTcp } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type HttpNode, startHttpNode } from '../../support/http-node.ts'
import { tinyImage } from '../../support/memory-node.ts'

const PAIRS = fileURLToPath(new URL('../../fixtures/tls/', import.meta.url))

let folder: string
let http: HttpNode | undefined

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tumesh-https-'))
  place('first')
})

afterEach(async () => {
  await http?.close()
  http = undefined
  rmSync(folder, { recursive: true })
})

const certFile = () => join(folder, 'own.pem')
const keyFile = () => join(folder, 'own.key')

function place(pair: 'first' | 'second'): void {
  copyFileSync(join(PAIRS, `${pair}.pem`), certFile())
  copyFileSync(join(PAIRS, `${pair}.key`), keyFile())
}

async function start(): Promise<HttpNode & { tlsPort: number }> {
  const tls = { certFile: certFile(), keyFile: keyFile(), port: 0 }
  http = await startHttpNode({ options: { tls } })
  return http as HttpNode & { tlsPort: number }
}

function get(port: number, path: string): Promise<{ status: number; bytes: Buffer; of: string }> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, path, rejectUnauthorized: false, agent: false }
    const outgoing = request(options, async (incoming) => {
      const of = (incoming.socket as TLSSocket).getPeerCertificate().subject?.CN as string
      const pieces: Buffer[] = []
      for await (const piece of incoming) pieces.push(piece)
      resolve({ status: incoming.statusCode ?? 0, bytes: Buffer.concat(pieces), of })
    })
    outgoing.on('error', reject)
    outgoing.end()
  })
}

test('the same is served with TLS', async () => {
  const { node, tlsPort, send } = await start()
  await node.put('a.svg', tinyImage(1))
  const { status, bytes, of } = await get(tlsPort, '/images/a.svg')
  expect([status, of]).toEqual([200, 'first.tumesh.test'])
  expect(bytes).toEqual(tinyImage(1))
  expect((await send('/images/a.svg')).status).toBe(200)
})

test('a renewed certificate is used without a restart, and a broken one never', async () => {
  const { node, tlsPort } = await start()
  place('second')
  node.clock.advance(30_000)
  expect((await get(tlsPort, '/healthz')).of).toBe('second.tumesh.test')
  copyFileSync(join(PAIRS, 'first.pem'), certFile()) // its key is still the other one's
  node.clock.advance(30_000)
  expect((await get(tlsPort, '/healthz')).of).toBe('second.tumesh.test')
  writeFileSync(certFile(), 'half a cert')
  node.clock.advance(30_000)
  rmSync(certFile())
  node.clock.advance(30_000)
  expect((await get(tlsPort, '/healthz')).of).toBe('second.tumesh.test')
  place('first')
  node.clock.advance(30_000)
  expect((await get(tlsPort, '/healthz')).of).toBe('first.tumesh.test')
})

test.each([
  ['a missing file', () => rmSync(keyFile()), /http\.tls_key can't be read/],
  ['no PEM', () => writeFileSync(certFile(), 'x'), /is not in PEM form/],
  ['a key of another', () => copyFileSync(join(PAIRS, 'second.key'), keyFile()), /is not the key/]
])('%s keeps the node from starting, with the reason', async (_what, harm, sentence) => {
  harm()
  await expect(start()).rejects.toMatchObject({
    code: 'BAD_CONFIG',
    message: expect.stringMatching(sentence)
  })
})

test('what is no TLS is turned away, and the node goes on', async () => {
  const { tlsPort } = await start()
  for (const bytes of [
    'GET / HTTP/1.1\r\n\r\n',
    '\x16\x03\x01\x02\x00\x01garbage',
    '\0'.repeat(99)
  ]) {
    const socket = connectTcp(tlsPort, '127.0.0.1')
    socket.on('error', () => {})
    socket.write(bytes)
    socket.resume()
    await new Promise((resolve) => socket.once('close', resolve))
  }
  expect((await get(tlsPort, '/healthz')).status).toBe(200)
})

test('old versions of TLS are refused', async () => {
  const { tlsPort } = await start()
  const socket = connectTls({
    ...{ host: '127.0.0.1', port: tlsPort, rejectUnauthorized: false },
    ...{ minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT:@SECLEVEL=0' }
  })
  const error = await new Promise<{ code?: string }>((resolve) => socket.once('error', resolve))
  expect(error.code).toMatch(/PROTOCOL|VERSION|ALERT/)
})

test('a stop does not wait for a handshake that never ends', async () => {
  const { node, tlsPort, server } = await start()
  const socket = connectTcp(tlsPort, '127.0.0.1')
  socket.on('error', () => {})
  await new Promise((resolve) => socket.once('connect', resolve))
  await get(tlsPort, '/healthz') // by now the server has the other one too
  const closed = server.close()
  node.clock.advance(60_000)
  await closed
  http = undefined
  await node.close()
})
