// The guard before a real server, asked over real connections, with the system's own table where
// there is one.

import { existsSync, readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import pino from 'pino'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { systemClock } from '../../src/base/clock.ts'
import { NodeError } from '../../src/base/errors.ts'
import { createGuard, type Guard, type GuardParts } from '../../src/http/guard.ts'
import { createLocalKey } from '../../src/http/local-key.ts'
import type { Access, Who } from '../../src/http/plan-access.ts'

const onLinux = existsSync('/proc/self/net/tcp')
let guard: Guard
let server: Server
let port: number
let lines: string[]
let who: Who
let answer: (access: Access) => string

const SIGNING = {
  ...{ clock: systemClock, signingKeys: () => [''] },
  sessions: { bearerOf: () => undefined }
}

function readTables(): string | undefined {
  if (!onLinux) return undefined
  const names = ['tcp', 'tcp6'].map((name) => `/proc/self/net/${name}`).filter(existsSync)
  return names.map((name) => readFileSync(name, 'latin1')).join('')
}

function start(parts: Partial<GuardParts> = {}, publicRead: 'public' | 'key' = 'public') {
  const log = pino({}, { write: (line: string) => lines.push(line) })
  const keys = createLocalKey('local-secret')
  const ownUid = process.getuid?.()
  const read = parts.readTables ?? readTables
  guard = createGuard(
    { log, keys, readTables, readTableSoon: async () => read(), ownUid, ...SIGNING, ...parts },
    { publicRead, trustedProxies: ['10.0.0.0/8', '192.168.7.7', 'fd00::1'], signedUrls: false }
  )
}

beforeEach(async () => {
  lines = []
  who = 'admin'
  answer = ({ as, sees }) => `${as} ${sees}`
  start()
  server = createServer(async (request: IncomingMessage, response) => {
    try {
      await guard.prepare(request, who)
      response.end(answer(guard.check(request, who)))
    } catch (error) {
      response.end(error instanceof NodeError ? error.code : String(error))
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  port = (server.address() as AddressInfo).port
})

afterEach(async () => {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})

/** The last line of the answer to a request with exactly these headers. */
function ask(...headers: string[]): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  socket.end(['GET / HTTP/1.1', 'Connection: close', ...headers, '', ''].join('\r\n'))
  return new Promise((resolve, reject) => {
    let text = ''
    socket.on('data', (bytes) => {
      text += bytes
    })
    socket.on('end', () =>
      resolve(text.split('\r\n').find((line) => /^\w+( \w+)?$/.test(line)) ?? text)
    )
    socket.on('error', reject)
  })
}

const host = () => `Host: 127.0.0.1:${port}`

test('the own user may do all without a key', async () => {
  expect(await ask(host())).toBe('keyless all')
  expect(await ask(`Host: localhost:${port}`, `Origin: http://localhost:${port}`)).toBe(
    'keyless all'
  )
})

test.each<[string, () => string[]]>([
  ['a forged Host', () => ['Host: evil.example']],
  ['two Hosts', () => [host(), host()]],
  ['another origin', () => [host(), 'Origin: http://evil.example']],
  [
    'two origins',
    () => [host(), `Origin: http://127.0.0.1:${port}`, 'Origin: http://evil.example']
  ],
  ['another site', () => [host(), 'Sec-Fetch-Site: cross-site']],
  ['a key that is none', () => [host(), 'Authorization: Basic eDp5']],
  ['a wrong key', () => [host(), 'Authorization: Bearer wrong']]
])('%s is refused and closes nothing', async (_, headers) => {
  expect(await ask(...headers())).toBe('UNAUTHORIZED')
  expect(guard.keylessOpen).toBe(true)
  expect(await ask(host())).toBe('keyless all')
})

test.runIf(onLinux)('a program of another user is refused', async () => {
  start({ ownUid: (process.getuid?.() ?? 0) + 1 })
  expect(await ask(host())).toBe('UNAUTHORIZED')
})

test('where the table can’t be read nobody is the own user', async () => {
  start({ readTables: () => '' })
  expect(await ask(host())).toBe('UNAUTHORIZED')
})

test('where the system has no table loopback decides, and the log says so once', async () => {
  start({ readTables: () => undefined })
  expect([await ask(host()), await ask(host())]).toEqual(['keyless all', 'keyless all'])
  expect(lines.filter((line) => line.includes('does not tell'))).toHaveLength(1)
})

test('one forwarded request ends keyless access; the local key still opens', async () => {
  who = 'public'
  answer = () => 'an image'
  expect(await ask(host(), 'X-Forwarded-For: 8.8.8.8')).toBe('an image')
  who = 'admin'
  answer = ({ as, sees }) => `${as} ${sees}`
  expect(guard.keylessOpen).toBe(false)
  expect(await ask(host())).toBe('UNAUTHORIZED')
  expect(await ask(host(), 'Via: 1.1 proxy')).toBe('UNAUTHORIZED')
  const warnings = lines.filter((line) => line.includes('npm run keys -- add NAME --scope write'))
  expect(warnings).toHaveLength(1)
  expect(warnings[0]).toContain('x-forwarded-for')
  expect(await ask('Host: any', 'authorization: bearer local-secret')).toBe('key all')
  expect(await ask(host(), 'Authorization: Bearer local-secret', 'Via: 1.1 p')).toBe('UNAUTHORIZED')
})

test('nothing is read where a key is shown, or where no answer depends on it', async () => {
  let reads = 0
  start({
    readTables: () => {
      reads++
      return readTables()
    }
  })
  expect(await ask(host(), 'Authorization: Bearer local-secret')).toBe('key all')
  who = 'anyone'
  answer = () => 'well'
  expect(await ask(host())).toBe('well')
  expect(reads).toBe(0)
  who = 'admin'
  answer = ({ as, sees }) => `${as} ${sees}`
  expect(await ask(host())).toBe('keyless all')
  expect(reads).toBe(1)
})

test('a public route asks who calls only if the answer depends on it', async () => {
  let reads = 0
  start({
    readTables: () => {
      reads++
      return readTables()
    }
  })
  who = 'public'
  answer = () => 'an image'
  expect(await ask(host())).toBe('an image')
  expect(reads).toBe(0)
  answer = ({ as, sees }) => `${as} ${sees}`
  expect(await ask(host())).toBe('keyless all')
  expect(reads).toBe(1)
  expect(await ask('Host: evil.example')).toBe('public own')
})

test('reading can be closed, but not what is for anyone', async () => {
  start({}, 'key')
  who = 'public'
  expect(await ask('Host: evil.example')).toBe('UNAUTHORIZED')
  expect(await ask('Host: evil.example', 'Authorization: Bearer local-secret')).toBe('key all')
  who = 'anyone'
  expect(await ask('Host: evil.example')).toBe('public own')
})

test.each(['proxy.example', '10.0.0.0/33', '10.0.0.0/x', 'fd00::1/129', ''])(
  'the proxy %j is a fault of the configuration',
  (proxy) => {
    const parts = {
      log: pino({ level: 'silent' }),
      keys: createLocalKey('k'),
      readTables,
      readTableSoon: async () => readTables(),
      ownUid: 1,
      ...SIGNING
    }
    const create = () =>
      createGuard(parts, { publicRead: 'public', trustedProxies: [proxy], signedUrls: false })
    expect(create).toThrow(expect.objectContaining({ code: 'BAD_CONFIG' }))
  }
)
