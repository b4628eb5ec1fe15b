// The other servers: list them, meet one, forget one.

import { z } from 'zod'
import { NodeError } from '../../base/errors.ts'
import { forgetMember, listMembers } from '../../flows/members.ts'
import { describeServers } from '../describe-status.ts'
import { messageFor } from '../messages.ts'
import type { HttpParts, MeshPort } from '../ports.ts'
import type { ApiRequest, Route } from '../route.ts'

const peerBody = z.strictObject({ address: z.string().min(1).max(1024) })
const peerParams = z.strictObject({ id: z.string().min(1).max(128) })

export function peerRoutes(parts: HttpParts): Route[] {
  return [
    {
      method: 'GET',
      url: '/api/peers',
      who: 'read',
      tag: 'operations',
      summary: 'All members of the mesh, and which of them are connected',
      answers: { 200: { means: 'The members' } },
      handle: ({ access }) => list(parts, access)
    },
    {
      method: 'POST',
      url: '/api/peers',
      who: 'admin',
      tag: 'operations',
      summary: 'Meet another server of the same cluster and secret, by its multiaddr',
      body: peerBody,
      answers: {
        200: { means: 'It is connected' },
        400: { means: 'The address is this node itself' },
        503: { means: 'It can not be reached; the sentence says why' }
      },
      handle: (request) => meet(parts, request)
    },
    {
      method: 'DELETE',
      url: '/api/peers/:id',
      who: 'admin',
      tag: 'operations',
      summary: 'Forget a member that is gone for good',
      params: peerParams,
      answers: { 200: { means: 'It is forgotten' }, 404: { means: 'There is no such member' } },
      handle: (request) => forget(parts, request)
    }
  ]
}

async function list(parts: HttpParts, access: ApiRequest['access']): Promise<unknown> {
  const connected = describeServers(parts, access)
  const members = (await listMembers(parts.flows.index)).filter(
    ({ id }) => id !== parts.node.peerId
  )
  const others = members
    .filter(({ id }) => !connected.some(({ peer_id }) => peer_id === id))
    .map(({ id, name, addresses }) => ({ name, peer_id: id, addresses, status: 'offline' }))
  return { status: 'success', peers: [...connected, ...others] }
}

function meshOf({ mesh }: HttpParts): MeshPort {
  if (mesh !== undefined) return mesh
  throw new NodeError(
    'NOT_AVAILABLE',
    'This node stands alone. Start it with --cluster NAME --secret-file FILE, the same on every ' +
      'server, to meet others.'
  )
}

async function meet(parts: HttpParts, request: ApiRequest): Promise<unknown> {
  const { address } = request.body as z.output<typeof peerBody>
  const begun = parts.clock.monotonicMs()
  const peer = await meshOf(parts).meet(address, request.signal)
  const ms = Math.round(parts.clock.monotonicMs() - begun)
  return {
    status: 'success',
    message: messageFor(request, `Connected in ${ms} ms.`, `已连接，用时 ${ms} 毫秒。`),
    peer_id: peer.id,
    address: peer.address
  }
}

async function forget(parts: HttpParts, request: ApiRequest): Promise<unknown> {
  const { id } = request.params as z.output<typeof peerParams>
  if (!(await forgetMember(parts.flows.index, id))) {
    throw new NodeError('NOT_FOUND', `There is no member ${id}. GET /api/peers lists them.`, { id })
  }
  return {
    status: 'success',
    message: messageFor(request, `${id} is forgotten.`, `已移除 ${id}。`)
  }
}
