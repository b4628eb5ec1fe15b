import { connect } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createHttpServer } from '../../../src/http/server.ts'
import { type HttpNode, NO_RATES, startHttpNode } from '../../support/http-node.ts'
import { tinyImage } from '../../support/memory-node.ts'

let http: HttpNode

beforeEach(async () => {
  http = await startHttpNode()
})

afterEach(() => http.close())

function head(line: string, ...more: string[]): string {
  return `${[line, `Host: 127.0.0.1:${http.port}`, ...more].join('\r\n')}\r\n\r\n`
}

describe('garbage', () => {
  it.each([
    ['bytes that are no HTTP', '\x16\x03\x01\x02\x00\x01\x00\r\n\r\n', 400],
    ['a method that does not exist', 'FETCH / HTTP/1.1\r\n\r\n', 400],
    ['a broken version', 'GET / HTTP/9.9\r\n\r\n', 400],
    ['a header without a name', 'GET / HTTP/1.1\r\n: x\r\n\r\n', 400],
    [
      'two lengths',
      'POST /api/restore HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
      400
    ],
    [
      'a length beside chunks',
      'POST /api/restore HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
      400
    ],
    [
      'a head that is too long',
      `GET / HTTP/1.1\r\nHost: x\r\nA: ${'a'.repeat(20_000)}\r\n\r\n`,
      431
    ]
  ])('answers %s and goes on', async (_what, text, status) => {
    const client = http.connect()
    client.write(text)
    const answer = await client.end()
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} [\\s\\S]*\r\n\r\n\\{"detail"`))
    expect(answer).toContain('Connection: close')
    expect((await http.send('/healthz')).status).toBe(200)
  })

  it('refuses a request without a Host', async () => {
    const client = http.connect()
    client.write('GET /healthz HTTP/1.1\r\n\r\n')
    expect(await client.end()).toMatch(/^HTTP\/1.1 400 [\s\S]*no Host header/)
  })

  it('refuses a request with two of them, also after one that was answered', async () => {
    const client = http.connect()
    client.write('GET /images/none HTTP/1.1\r\nHost: a\r\n\r\n')
    await client.until(/ 404 /)
    client.write('GET /images/none HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n')
    expect(await client.end()).toMatch(/ 404 [\s\S]*HTTP\/1.1 400 [\s\S]*more than one Host header/)
  })

  it('takes HTTP/1.0 without one', async () => {
    const client = http.connect()
    client.write('GET /healthz HTTP/1.0\r\n\r\n')
    expect(await client.end()).toMatch(/^HTTP\/1.1 200 /)
  })

  it('survives random bytes and connections that break off', async () => {
    for (let seed = 0; seed < 20; seed++) {
      const client = http.connect()
      client.write(
        Buffer.from(Array.from({ length: 300 }, (_, at) => (at * 7919 * (seed + 3)) % 256))
      )
      if (seed % 2 === 0) client.destroy()
      else await client.end()
    }
    expect((await http.send('/healthz')).status).toBe(200)
  })

  it('answers the requests before it', async () => {
    const client = http.connect()
    client.write(`${head('GET /api/keys HTTP/1.1')}${head('GET /healthz HTTP/1.1')}garbage\r\n\r\n`)
    const answers = await client.end()
    expect(answers.match(/HTTP\/1.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 200'])
  })

  it('answers a malformed chunk', async () => {
    const client = http.connect()
    client.write(head('PUT /images/a.svg HTTP/1.1', 'Transfer-Encoding: chunked'))
    client.write('5\r\nhello\r\nZZ\r\n')
    expect(await client.end()).toMatch(/^HTTP\/1.1 400 /)
    expect(http.node.store.leftovers()).toEqual([])
  })
})

describe('listening', () => {
  async function listenError(
    host: string,
    port: number
  ): Promise<{ code: string; message: string }> {
    const guard = {
      prepare: () => undefined,
      check: () => ({ as: 'public', sees: 'own' }) as const,
      isFromProxy: () => false,
      keyOf: () => undefined,
      requireKey: () => '',
      clientOf: () => '',
      keylessOpen: true
    }
    const { options, http: parts } = http.node
    const server = createHttpServer(parts, guard, {
      ...options,
      host,
      port,
      read: 'public',
      drainTimeoutMs: 0,
      corsOrigins: [],
      pathMaxAgeMs: 0,
      tls: undefined,
      hotBytesMax: 2 ** 25,
      accelLocation: undefined,
      serverTiming: false,
      inWork: { addressMax: 256, keyMax: 1024 },
      rates: NO_RATES
    })
    const error = await server.listen().then(
      () => undefined,
      (error) => error
    )
    await server.close()
    return error
  }

  it('says which port is taken, and what to do', async () => {
    const error = await listenError('127.0.0.1', http.port)
    expect(error.code).toBe('PORT_TAKEN')
    expect(error.message).toContain(`Port ${http.port}`)
    expect(error.message).toContain('--http-port')
  })

  it('says that an address is not one of this machine', async () => {
    const error = await listenError('192.0.2.1', 0)
    expect(error.code).toBe('ADDRESS_UNUSABLE')
    expect(error.message).toContain('192.0.2.1')
  })
})

describe('stopping', () => {
  it('closes idle connections at once and takes no more', async () => {
    const silent = http.connect()
    const idle = http.connect()
    idle.write(head('GET /healthz HTTP/1.1'))
    await idle.until(/"ok"/)
    await http.server.close()
    expect(await silent.end()).toBe('')
    await idle.end()
    await expect(
      new Promise((resolve, reject) => {
        connect({ host: '127.0.0.1', port: http.port }, () => resolve('open')).on('error', reject)
      })
    ).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })

  it('lets an upload go on to its end', async () => {
    const image = tinyImage(1)
    const client = http.connect()
    client.write(head('PUT /images/a.svg HTTP/1.1', `Content-Length: ${image.length}`))
    client.write(image.subarray(0, 10))
    await http.send('/healthz') // the upload before it has been seen
    const closed = http.server.close()
    client.write(image.subarray(10))
    expect(await client.end()).toMatch(/^HTTP\/1.1 201 [\s\S]*Connection: close/i)
    await closed
    expect(http.node.flows.index.counts().images).toBe(1)
  })

  it('ends a connection with the answer that is under way', async () => {
    const image = Buffer.concat([tinyImage(1), Buffer.alloc(9_000_000, ' ')])
    await http.node.put('a.svg', image)
    const client = http.connect()
    client.write(head('GET /images/a.svg HTTP/1.1'))
    await client.until(/^HTTP\/1.1 200 /)
    const closed = http.server.close()
    expect((await client.end()).length).toBeGreaterThan(image.byteLength)
    await closed
  })

  it('answers 503 to what comes meanwhile on an open connection', async () => {
    const image = Buffer.concat([tinyImage(1), Buffer.alloc(9_000_000, ' ')])
    await http.node.put('a.svg', image)
    const client = http.connect()
    client.write(head('GET /images/a.svg HTTP/1.1'))
    await client.until(/^HTTP\/1.1 200 /)
    client.socket.pause()
    const closed = http.server.close()
    client.write(head('GET /healthz HTTP/1.1'))
    client.socket.resume()
    const answers = await client.end()
    expect(answers.slice(image.byteLength)).toMatch(/HTTP\/1.1 503 [\s\S]*STOPPING/)
    expect(answers.slice(image.byteLength)).toMatch(/connection: close/i)
    await closed
  })

  it('cuts off what takes too long', async () => {
    const client = http.connect()
    client.write(head('PUT /images/a.svg HTTP/1.1', 'Content-Length: 1000'))
    client.write('x')
    await http.send('/healthz')
    const closed = http.server.close()
    http.node.clock.advance(999)
    expect(client.received).toBe('')
    http.node.clock.advance(1)
    expect(await client.end()).toBe('')
    http.node.clock.advance(5000)
    await closed
    expect(http.node.flows.index.counts().images).toBe(0)
  })
})
