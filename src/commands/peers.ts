// tumesh peers: the servers of the mesh.

import { NodeError } from '../base/errors.ts'
import { callOf } from '../base/how-called.ts'
import type { AnswerOf } from '../client/plan-request.ts'
import { callNode } from './node-client.ts'
import type { Order } from './order.ts'
import { columns, type Terminal } from './terminal.ts'

type Peer = AnswerOf<'GET /api/peers'>['peers'][number]

export async function runPeers(
  { options: { remove }, target, isJson }: Order,
  { out }: Terminal
): Promise<undefined> {
  const answer = await callNode(target, 'GET /api/peers')
  const { peers } = answer
  if (typeof remove === 'string') {
    const { peer_id: id } = named(peers, remove)
    const removed = await callNode(target, 'DELETE /api/peers/{id}', { path: { id } })
    out(isJson ? `${JSON.stringify(removed)}\n` : `${removed.message}\n`)
  } else if (isJson) out(`${JSON.stringify(answer)}\n`)
  else if (peers.length === 0)
    out(`There are no other servers yet: ${callOf('invite')}, or join.\n`)
  else out(columns(peers.map(rowOf)))
}

/** A name that several have names none of them. */
function named(peers: readonly Peer[], text: string): Peer {
  const found = peers.filter(({ name, peer_id }) => name === text || peer_id === text)
  const [peer] = found
  if (peer !== undefined && found.length === 1) return peer
  const why =
    found.length === 0 ? `There is no server ${text}` : `Several servers are called ${text}`
  throw new NodeError('NOT_FOUND', `${why}. peers lists them; take the peer id.`)
}

function rowOf({ name, peer_id, status, addresses, last_error }: Peer): string[] {
  return [name, status, peer_id, last_error ?? addresses[0] ?? '']
}
