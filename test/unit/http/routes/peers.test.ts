import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { NodeError } from '../../../../src/base/errors.ts'
import type { MeshPort, Met } from '../../../../src/http/ports.ts'
import { peerRoutes } from '../../../../src/http/routes/peers.ts'
import { fakeMesh, fakeServer } from '../../../support/fake-mesh.ts'
import { type MemoryNode, openMemoryNode } from '../../../support/memory-node.ts'
import { serveRoutes } from '../../../support/serve-routes.ts'

const CHINESE = { 'accept-language': 'zh-CN' }
const met: Met = {
  id: 'peer-b',
  name: 'b',
  address: '/ip4/10.0.0.2/tcp/4001/p2p/peer-b',
  clockOffsetMs: -210,
  wantsFiles: 12,
  wantsBytes: 3_400_000
}

let node: MemoryNode
beforeEach(async () => {
  node = await openMemoryNode()
})
afterEach(() => node.close())

function send(
  method: 'POST' | 'DELETE',
  url: string,
  mesh: Partial<MeshPort> | undefined,
  { body, headers = {} }: { body?: object; headers?: Record<string, string> } = {}
) {
  const parts = { ...node.http, mesh: mesh && fakeMesh(mesh) }
  const content = body === undefined ? {} : { body }
  return serveRoutes(peerRoutes(parts)).inject({ method, url, headers, ...content })
}

/** A mesh that takes 31 ms to connect, and 900 more until the answer. */
function meeting(change: Partial<Met> = {}): Partial<MeshPort> {
  const { clock } = node
  let connectedAtMs: number | undefined
  return {
    servers: () => (connectedAtMs === undefined ? [] : [fakeServer({ connectedAtMs })]),
    meet: async () => {
      clock.advance(31)
      connectedAtMs = clock.now()
      clock.advance(900)
      return { ...met, ...change }
    }
  }
}

const address = 'http://10.0.0.2:8000'
const post = (mesh: Partial<MeshPort> | undefined, headers = {}, body: object = { address }) =>
  send('POST', '/api/peers', mesh, { body, headers })

describe('to meet a server', () => {
  test('tells how long it took, how the clocks go, and what is to be fetched', async () => {
    const answer = await post(meeting())
    expect(answer.statusCode).toBe(200)
    expect(answer.json()).toEqual({
      status: 'success',
      message: 'Connected in 31 ms, clocks 0.2 s apart, 12 images (3.4 MB) to fetch.',
      peer_id: 'peer-b',
      name: 'b',
      address: '/ip4/10.0.0.2/tcp/4001/p2p/peer-b',
      already_connected: false,
      took_ms: 31,
      clock_offset_ms: -210,
      missing_files: 12,
      missing_bytes: 3_400_000
    })
  })

  test.each([
    [
      { wantsFiles: 1, wantsBytes: 10 },
      'Connected in 31 ms, clocks 0.2 s apart, 1 image (10 B) to fetch.'
    ],
    [{ wantsFiles: 0 }, 'Connected in 31 ms, clocks 0.2 s apart, nothing to fetch.'],
    [{ clockOffsetMs: undefined, wantsFiles: 0 }, 'Connected in 31 ms, nothing to fetch.']
  ])('%j', async (change, message) => {
    expect((await post(meeting(change))).json().message).toBe(message)
  })

  test('tells it in Chinese', async () => {
    expect((await post(meeting(), CHINESE)).json().message).toBe(
      '已连接，用时 31 毫秒，时钟相差 0.2 秒，待取回 12 张图片（3.4 MB）。'
    )
    expect((await post(meeting({ wantsFiles: 0 }), CHINESE)).json().message).toContain(
      '没有要取回的图片'
    )
  })

  test('that is connected already says so', async () => {
    const connectedAtMs = node.clock.now() - 1
    const mesh = { servers: () => [fakeServer({ connectedAtMs })], meet: async () => met }
    expect((await post(mesh)).json()).toMatchObject({
      message: 'Already connected, clocks 0.2 s apart, 12 images (3.4 MB) to fetch.',
      already_connected: true,
      took_ms: 0
    })
    expect((await post(mesh, CHINESE)).json().message).toContain('早已连接')
  })

  test('that dialled itself is told with the address at which it listens', async () => {
    const addresses = ['/ip4/10.0.0.9/tcp/4001', '/ip4/10.0.0.2/tcp/4001', '/ip4/10.0.0.2/tcp/4002']
    const server = fakeServer({ connectedAtMs: 0, addresses })
    const addressFor = async (address: string) => {
      const mesh = { servers: () => [server], meet: async () => ({ ...met, address }) }
      return (await post(mesh)).json().address
    }
    expect(await addressFor('/ip4/10.0.0.2/tcp/51234')).toBe('/ip4/10.0.0.2/tcp/4001')
    expect(await addressFor('/ip4/10.0.0.2/tcp/4002')).toBe('/ip4/10.0.0.2/tcp/4002')
    expect(await addressFor('/ip4/192.0.2.1/tcp/51234')).toBe('/ip4/192.0.2.1/tcp/51234')
  })

  test('that has gone again is told with what is known', async () => {
    const gone = { meet: async () => ({ ...met, name: undefined, clockOffsetMs: undefined }) }
    expect((await post(gone)).json()).toMatchObject({
      name: null,
      clock_offset_ms: null,
      took_ms: 0
    })
  })

  test('gives the sentence of what went wrong', async () => {
    const mesh = {
      meet: () => Promise.reject(new NodeError('PEER_UNREACHABLE', 'Nothing listens there.'))
    }
    const answer = await post(mesh)
    expect(answer.statusCode).toBe(503)
    expect(answer.json()).toEqual({ code: 'PEER_UNREACHABLE', detail: 'Nothing listens there.' })
  })

  test('takes a text of bounded length, and nothing beside it', async () => {
    const statusOf = async (body: object) => (await post(meeting(), {}, body)).statusCode
    expect(await statusOf({ address: 'x'.repeat(7000) })).toBe(200)
    expect(await statusOf({ address: 'x'.repeat(8000) })).toBe(422)
    expect(await statusOf({ address: '' })).toBe(422)
    expect(await statusOf({ address, more: 1 })).toBe(422)
  })

  test('is not possible where synchronisation is off', async () => {
    const answer = await post(undefined)
    expect(answer.statusCode).toBe(503)
    expect(answer.json()).toMatchObject({
      code: 'NOT_AVAILABLE',
      detail: expect.stringContaining('file_sync.enabled')
    })
  })
})

describe('to remove a member', () => {
  const remove = (mesh: Partial<MeshPort> | undefined, headers = {}) =>
    send('DELETE', '/api/peers/peer-b', mesh, { headers })

  test('says how to take it back', async () => {
    const removed: string[] = []
    const mesh = {
      remove: async (id: string) => {
        removed.push(id)
        return true
      }
    }
    const answer = await remove(mesh)
    expect(answer.statusCode).toBe(200)
    expect(answer.json().message).toBe(
      'peer-b is removed and admitted no more. To take it back, join its address from here.'
    )
    expect((await remove(mesh, CHINESE)).json().message).toContain('已移除 peer-b')
    expect(removed).toEqual(['peer-b', 'peer-b'])
  })

  test.each([[{ remove: async () => false }], [undefined]])('who is none: 404', async (mesh) => {
    const answer = await remove(mesh)
    expect(answer.statusCode).toBe(404)
    expect(answer.json()).toMatchObject({ code: 'NOT_FOUND' })
  })
})
