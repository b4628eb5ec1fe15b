// A reverse proxy that has a node below a path, as a web server in front of several programs does.

import { once } from 'node:events'
import { createServer, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Whoever asks closes it. */
export async function proxyBelow(path: string, node: string): Promise<{ url: string } & Server> {
  const { hostname, port } = new URL(node)
  const server = createServer((incoming, outgoing) => {
    const { method, url = '', headers } = incoming
    if (!url.startsWith(`${path}/`)) {
      outgoing.writeHead(404).end('another program')
      return
    }
    const forwarded = { ...headers, 'x-forwarded-for': '10.1.2.3' }
    const place = { hostname, port, method, path: url.slice(path.length), headers: forwarded }
    const up = request(place, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(outgoing)
    })
    up.on('error', () => outgoing.destroy())
    incoming.pipe(up)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}/`
  return Object.assign(server, { url })
}
