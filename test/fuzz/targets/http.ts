// Whole connections: what clients send, byte for byte, to a node in memory behind its real server
// and guard. Paths, queries, ranges, cookies, forms and raw bodies come by here.

import { connect } from 'node:net'
import { startHttpNode } from '../../support/http-node.ts'
import { must, type Opened, type Target } from '../target.ts'

/** A server that waits for more is told that there is none. */
const QUIET_MS = 30
const END_MS_MAX = 20_000

async function openServer(): Promise<Opened> {
  const node = await startHttpNode({ options: { signedUrls: true, drainTimeoutMs: 1 } })
  await node.node.put('cats/a.png', Buffer.from('bytes of no kind'))
  return {
    parallel: 16,
    inputsMax: 1500,
    run: async (input) => judge(await exchange(node.port, input)),
    close: () => node.close()
  }
}

function exchange(port: number, input: Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port })
    let received = ''
    let quiet = setTimeout(() => socket.end(), QUIET_MS)
    const late = setTimeout(() => {
      socket.resetAndDestroy()
      reject(new Error('broken: the connection has an end'))
    }, END_MS_MAX)
    socket.on('data', (bytes) => {
      received += bytes.toString('latin1')
      clearTimeout(quiet)
      quiet = setTimeout(() => socket.end(), QUIET_MS)
    })
    socket.on('error', () => {}) // a reset ends it too
    socket.on('end', () => socket.resetAndDestroy()) // leaves nothing behind in the system
    socket.on('close', () => {
      clearTimeout(quiet)
      clearTimeout(late)
      resolve(received)
    })
    socket.write(input)
  })
}

/** All answers of a connection. */
function judge(received: string): void {
  for (const [head, status = ''] of received.matchAll(/^HTTP\/1\.1 (\d{3})[\s\S]*?\r\n\r\n/gm)) {
    must(status !== '500', `no request is an error of the node: ${received.slice(0, 600)}`)
    if (status === '100') continue
    must(/^X-Content-Type-Options: nosniff\r$/im.test(head), `nosniff stands in: ${head}`)
  }
  must(received === '' || received.startsWith('HTTP/1.1 '), 'answers are HTTP')
}

export const HTTP_TARGETS: readonly Target[] = [
  {
    name: 'http',
    shape: 'text',
    bytesMax: 20_000,
    words: [
      ...['GET ', 'PUT ', 'POST ', 'DELETE ', 'HEAD ', 'OPTIONS ', ' HTTP/1.1\r\n', '\r\n\r\n'],
      ...['/images/', '/blobs/', '/ipfs/', '/file-sync/api/file-sync/upload', '/api/', '/metrics'],
      ...[
        'Content-Length: ',
        'Transfer-Encoding: chunked\r\n',
        'Range: bytes=',
        'Expect: 100-continue'
      ],
      ...['Content-Type: application/json\r\n', '--tumesh-test-boundary', "filename*=UTF-8''%00"],
      ...[
        'X-Forwarded-For: 1.2.3.4\r\n',
        'Cookie: tumesh_session=',
        'If-Match: *\r\n',
        '%00',
        '%2e%2e'
      ]
    ],
    open: openServer
  }
]
