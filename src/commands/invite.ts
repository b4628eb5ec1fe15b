// tumesh invite: asks the running node for the line by which others join its mesh.

import { callOf } from '../base/how-called.ts'
import { callNode, type NodeTarget } from './node-client.ts'

export interface InviteOrder {
  /** Of the node's own default where undefined. */
  readonly validMs?: number | undefined
  readonly uses?: number | undefined
  readonly isPermanent: boolean
  readonly isQr: boolean
  readonly isRevoking: boolean
  /** The answer of the node alone, for programs. */
  readonly isJson: boolean
}

export interface InviteText {
  /** What `join` takes; empty where invites were revoked. */
  readonly line: string
  /** What was done, and what to do with the line. */
  readonly notes: string
}

export async function runInvite(order: InviteOrder, node: NodeTarget): Promise<InviteText> {
  if (order.isRevoking) {
    const answer = await callNode(node, 'DELETE /api/invite')
    if (order.isJson) return { line: `${JSON.stringify(answer)}\n`, notes: '' }
    return { line: '', notes: `${answer.message}\n` }
  }
  const { validMs, uses, isPermanent } = order
  const wish = {
    ...(validMs !== undefined && { expires_in: Math.ceil(validMs / 1000) }),
    ...(uses !== undefined && { uses }),
    ...(isPermanent && { permanent: true })
  }
  const answer = await callNode(node, 'POST /api/invite', { body: wish })
  const { invite, message, expires_at } = answer
  if (order.isJson) return { line: `${JSON.stringify(answer)}\n`, notes: '' }
  const qr = order.isQr ? `${await qrOf(invite)}\n` : ''
  const use = `On the other server: ${callOf('join', 'LINE')}\n${holds(expires_at, uses)}`
  return { line: `${invite}\n`, notes: `${qr}${message}\n${use}\n` }
}

function holds(expiresAt: unknown, uses: number | undefined): string {
  if (typeof expiresAt !== 'string') {
    return 'The line holds the secret of the mesh: who has it gets in until that is exchanged.'
  }
  const often = uses === undefined ? '' : uses === 1 ? ', once' : `, ${uses} times`
  return `Who has the line gets in until ${expiresAt}${often}. This node has to run then.`
}

/** For the camera of a phone that passes it on; two rows of modules are one of characters. */
async function qrOf(text: string): Promise<string> {
  const { renderUnicodeCompact } = await import('uqr')
  try {
    return renderUnicodeCompact(text, { ecc: 'L', border: 2 })
  } catch {
    return 'The line is too long for a QR code.'
  }
}
