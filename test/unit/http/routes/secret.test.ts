import { afterEach, beforeEach, expect, test } from 'vitest'
import type { MeshPort, SecretState } from '../../../../src/http/ports.ts'
import { secretRoutes } from '../../../../src/http/routes/secret.ts'
import { type MemoryNode, openMemoryNode } from '../../../support/memory-node.ts'
import { serveRoutes } from '../../../support/serve-routes.ts'

let node: MemoryNode
beforeEach(async () => {
  node = await openMemoryNode()
})
afterEach(() => node.close())

const alone: SecretState = {
  ...{ origin: 'mesh', decidedMs: 0, formerUntilMs: undefined, servers: [] }
}
const server = (name: string, hasIt: boolean) => ({ id: `id-${name}`, name, hasIt })

test.each<[Partial<SecretState>, string, string]>([
  [{}, 'The mesh has a secret, and no other server yet.', '此网络已有密钥，还没有其他服务器。'],
  [{ servers: [server('b', true)] }, 'b is known to have the secret.', '已持有密钥：b。'],
  [
    { servers: [server('b', false)] },
    'No other server is known to have the secret. b is not, so far. Whoever does not have it joins again with an invite.',
    '尚无其他服务器确认持有密钥。尚未确认：b。没有密钥的服务器需用邀请重新加入。'
  ],
  [
    { origin: 'none' },
    'The mesh has no secret: everybody on the local network may join.',
    '此网络没有密钥：本地网络中的任何节点都可加入。'
  ]
])('who has the secret is told in both languages: %j', async (more, inEnglish, inChinese) => {
  const mesh = { secretState: () => ({ ...alone, ...more }) } as Partial<MeshPort> as MeshPort
  const routes = serveRoutes(secretRoutes({ ...node.http, mesh }))
  const ask = async (language: string) => {
    const headers = { 'accept-language': language }
    return (await routes.inject({ method: 'GET', url: '/api/secret', headers })).json().message
  }
  expect([await ask('en'), await ask('zh')]).toEqual([inEnglish, inChinese])
})
