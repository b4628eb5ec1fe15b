import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { mdnsSockets } from '../support/no-mdns.ts'

const HEAD =
  '   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops'
const line = (port: string, uid: number, inode: number) =>
  `  123: 00000000:${port} 00000000:0000 07 00000000:00000000 00:00000000 00000000  ${uid}        0 ${inode} 2 0000000000000000 0`

test('a socket of this user on the port of mDNS is seen, others are not', () => {
  const table = [HEAD, line('14E9', 1000, 11), line('14E9', 0, 12), line('0035', 1000, 13)]
  expect(mdnsSockets(table.join('\n'), 1000)).toEqual(['11'])
})

test.skipIf(process.platform !== 'linux')(
  'the table of this machine is read as it is',
  async () => {
    const socket = createSocket('udp4').bind(0, '127.0.0.1')
    await once(socket, 'listening')
    try {
      const port = socket.address().port.toString(16).toUpperCase().padStart(4, '0')
      const table = readFileSync('/proc/net/udp', 'utf8').replaceAll(`:${port} `, ':14E9 ')
      expect(mdnsSockets(table, process.getuid?.() ?? 0)).toHaveLength(1)
    } finally {
      socket.close()
    }
  }
)
