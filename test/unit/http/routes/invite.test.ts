import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Invitation } from '../../../../src/http/ports.ts'
import { inviteRoutes } from '../../../../src/http/routes/invite.ts'
import { fakeMesh } from '../../../support/fake-mesh.ts'
import { type MemoryNode, openMemoryNode } from '../../../support/memory-node.ts'
import { serveRoutes } from '../../../support/serve-routes.ts'

let node: MemoryNode
beforeEach(async () => {
  node = await openMemoryNode()
})
afterEach(() => node.close())

const made = { line: 'tumesh-invite:x', made: true, handedTo: [], notReached: [], expiresMs: 0 }

function post(invitation: Invitation | undefined, headers = {}) {
  const mesh = invitation && fakeMesh({ invite: async () => invitation })
  const server = serveRoutes(inviteRoutes({ ...node.http, mesh }))
  return server.inject({ method: 'POST', url: '/api/invite', headers })
}

test('gives the line and who has the new secret', async () => {
  const answer = await post({ ...made, handedTo: ['b', 'c'], notReached: ['d'] })
  expect(answer.statusCode).toBe(200)
  expect(answer.json()).toEqual({
    status: 'success',
    message:
      'This mesh had no secret and has one now; b and c have it. d was not reachable: let it join with this line too.',
    invite: 'tumesh-invite:x',
    command: 'npm run join -- tumesh-invite:x',
    expires_at: '1970-01-01T00:00:00.000Z',
    made: true,
    handed_to: ['b', 'c'],
    not_reached: ['d']
  })
})

test.each<[Partial<Invitation>, string]>([
  [{}, 'This mesh had no secret and has one now.'],
  [{ handedTo: ['b'] }, 'This mesh had no secret and has one now; b has it.'],
  [
    { handedTo: ['b', 'c', 'd'], notReached: ['e', 'f'] },
    'This mesh had no secret and has one now; b, c and d have it. e and f were not reachable: let them join with this line too.'
  ],
  [{ made: false }, 'Whoever joins this line becomes a member of the mesh.']
])('%j', async (change, message) => {
  expect((await post({ ...made, ...change })).json().message).toBe(message)
})

test('tells it in Chinese', async () => {
  const invitation = { ...made, handedTo: ['b', 'c'], notReached: ['d'] }
  const answer = await post(invitation, { 'accept-language': 'zh' })
  expect(answer.json().message).toBe(
    '此网络原来没有密钥，现已生成，已交给 b、c。未能联系到 d：请让其也用这一行加入。'
  )
})

test('is not possible where synchronisation is off', async () => {
  const answer = await post(undefined)
  expect([answer.statusCode, answer.json().code]).toEqual([503, 'NOT_AVAILABLE'])
})
