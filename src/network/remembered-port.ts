// The port of the last run, if it is still to be had: others remember it.

import { createServer } from 'node:net'

/** `port` if it can be listened on now, else undefined. */
export function stillFree(host: string, port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(undefined))
    server.listen({ host, port }, () => server.close(() => resolve(port)))
  })
}
