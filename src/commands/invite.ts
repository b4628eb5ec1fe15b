// tumesh invite: asks the running node for the line by which others join its mesh.

import { NodeError } from '../base/errors.ts'
import { callOf } from '../base/how-called.ts'
import { callNode, type NodeTarget } from './node-client.ts'

export interface InviteText {
  /** What `join` takes. */
  readonly line: string
  /** What was done, and what to do with the line. */
  readonly notes: string
}

export async function runInvite(node: NodeTarget): Promise<InviteText> {
  const { invite, message } = await callNode(node, 'POST', '/api/invite')
  if (typeof invite !== 'string') {
    throw new NodeError('NOT_AVAILABLE', `What answers at ${node.url} is no Tumesh node.`)
  }
  const use =
    `On the other server: ${callOf('join', 'LINE')}\n` +
    'The line holds the secret of the mesh: who has it gets in.'
  return { line: `${invite}\n`, notes: `${message}\n${use}\n` }
}
