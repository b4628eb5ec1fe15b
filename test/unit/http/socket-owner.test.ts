import type { Socket } from 'node:net'
import { describe, expect, test } from 'vitest'
import { ownerOf, SocketOwners } from '../../../src/http/socket-owner.ts'
import { microtasks } from '../../support/microtasks.ts'

// Copied from a little-endian machine: two clients of a node at port 8000 (1F40), and what
// surrounds them.
const TCP = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F40 00000000:0000 0A 00000000:00000000 00:00000000 00000000   501        0 1075 1 000000007f1da4a9 100 0 0 10 0
   1: 0100007F:A5A2 0100007F:1F40 01 00000000:00000000 02:0000176F 00000000  1000        0 17392 3 000000004474c762 20 0 0 11 -1
   2: 0100007F:1F40 0100007F:A5A2 01 00000000:00000000 00:00000000 00000000   501        0 17393 1 000000006f2d9482 20 4 30 10 -1
   3: 0100007F:A5A3 0100007F:1F40 06 00000000:00000000 03:0000176F 00000000     0        0 0 3 0000000000000000
   4: 0100007F:A5A3 0100007F:1F40 01 00000000:00000000 02:0000176F 00000000  1001        0 17399 3 000000004474c762 20 0 0 11 -1
   5: 0100007F:A5A4 0100007F:1F40 05 00000000:00000000 02:0000176F 00000000     0        0 0 3 000000004474c762 20 0 0 11 -1
  10: 0200007F:A5A2 0200007F:1F40 01 00000000:00000000 02:0000176F 00000000     0        0 18001 3 000000004474c762 20 0 0 11 -1
`
const TCP6 = `  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   1: 00000000000000000000000001000000:9F34 00000000000000000000000001000000:1F40 01 00000000:00000000 02:0000176F 00000000  1002        0 15812 3 000000009a551237 20 0 0 11 -1
   2: 0000000000000000FFFF00000100007F:9F35 0000000000000000FFFF00000100007F:1F40 01 00000000:00000000 00:00000000 00000000  1003        0 17394 2 000000006f2d9482 20 4 31 11 -1
`
const TABLE = TCP + TCP6

function owner(address: string, port: number, farPort = 8000) {
  return ownerOf(TABLE, { address, port }, { address, port: farPort })
}

describe('the owner of a connection', () => {
  test('is the user of the client’s row, not of the node’s', () => {
    expect(owner('127.0.0.1', 0xa5a2)).toBe(1000)
    expect(ownerOf(TABLE, at(8000), at(0xa5a2))).toBe(501)
  })

  test('is found over IPv6, and for IPv4 inside IPv6', () => {
    expect(owner('::1', 0x9f34)).toBe(1002)
    expect(owner('127.0.0.1', 0x9f35)).toBe(1003)
  })

  test('is told from another address with the same port', () => {
    expect(owner('127.0.0.2', 0xa5a2)).toBe(0)
  })

  test('is nobody once the process has closed the socket, though the row says 0', () => {
    expect(owner('127.0.0.1', 0xa5a4)).toBeUndefined()
  })

  test('is the living one where a dead row comes first', () => {
    expect(owner('127.0.0.1', 0xa5a3)).toBe(1001)
  })

  test.each<[string, string, number, number]>([
    ['another port', '127.0.0.1', 1, 8000],
    ['another port of the node', '127.0.0.1', 0xa5a2, 8001],
    ['a name', 'localhost', 0xa5a2, 8000],
    ['no address', '', 0xa5a2, 8000]
  ])('is unknown for %s', (_, address, port, farPort) => {
    expect(owner(address, port, farPort)).toBeUndefined()
  })

  test('is unknown in an empty, cut or strange table', () => {
    expect(ownerOf('', at(1), at(2))).toBeUndefined()
    const row = TCP.indexOf('0100007F:A5A2 ')
    for (let end = row; end < row + 78; end++) {
      expect(ownerOf(TCP.slice(0, end), at(0xa5a2), at(8000))).toBeUndefined()
    }
    expect(ownerOf(TCP.replace(' 1000 ', ' root '), at(0xa5a2), at(8000))).toBeUndefined()
  })
})

describe('whether it is the own user', () => {
  const near = at(0xa5a2)
  const far = at(8000)

  function owners(readTables: () => string | undefined, ownUid: number | undefined) {
    return new SocketOwners({ readTables, readTableSoon: async () => readTables(), ownUid })
  }

  test('is read once per connection', () => {
    let reads = 0
    const known = owners(() => {
      reads++
      return TABLE
    }, 1000)
    const socket = {} as Socket
    expect([known.isOwn(socket, near, far), known.isOwn(socket, near, far)]).toEqual([true, true])
    expect(reads).toBe(1)
    expect(known.isOwn({} as Socket, at(0xa5a3), far)).toBe(false)
    expect(reads).toBe(2)
  })

  test('is false where the table is empty, unknown where there is none', () => {
    const ask = (table: string | undefined, ownUid: number | undefined) =>
      owners(() => table, ownUid).isOwn({} as Socket, near, far)
    expect(ask('', 1000)).toBe(false)
    expect(ask(undefined, 1000)).toBeUndefined()
    expect(ask(TABLE, undefined)).toBeUndefined()
  })

  test('is learnt for all who wait by one read that begins after they have come', async () => {
    const reads: [name: string, read: PromiseWithResolvers<string>][] = []
    const known = new SocketOwners({
      readTables: () => expect.unreachable(),
      readTableSoon: (name) => {
        const read = Promise.withResolvers<string>()
        reads.push([name, read])
        return read.promise
      },
      ownUid: 1000
    })
    const names = () => reads.map(([name]) => name)
    const [first, second, third] = [{}, {}, {}] as [Socket, Socket, Socket]
    const one = known.learn(first, near, far)
    await microtasks(10)
    const others = [known.learn(second, near, far), known.learn(third, at(0xa5a3), far)]
    await microtasks(10)
    expect(names()).toEqual(['tcp'])
    reads[0]?.[1].resolve('')
    await microtasks(10)
    // the second table for who was not in the first, which is read once more for those who came
    expect(names()).toEqual(['tcp', 'tcp', 'tcp6'])
    reads[1]?.[1].resolve(TCP)
    reads[2]?.[1].resolve('')
    await Promise.all([one, ...others])
    expect(known.isOwn(first, near, far)).toBe(false)
    expect(known.isOwn(second, near, far)).toBe(true)
    expect(known.isOwn(third, at(0xa5a3), far)).toBe(false)
    expect(known.learn(second, near, far)).toBeUndefined()
    expect(reads).toHaveLength(3)
  })
})

function at(port: number) {
  return { address: '127.0.0.1', port }
}
