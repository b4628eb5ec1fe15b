// tumesh invite: asks the running node for the line by which others join its mesh.

import { callOf } from '../base/how-called.ts'
import { parseDuration } from '../base/units.ts'
import { callNode } from './node-client.ts'
import type { Order } from './order.ts'
import { type Terminal, UsageError } from './terminal.ts'

/** The line alone goes to stdout, so that it can be piped to another server. */
export async function runInvite(
  { options, target, isJson }: Order,
  { out, err }: Pick<Terminal, 'out' | 'err'>
): Promise<undefined> {
  const { expires, uses: count, permanent, qr, revoke } = options
  const uses = count === undefined ? undefined : readUses(String(count))
  const wish = {
    ...(expires !== undefined && { expires_in: readExpiry(String(expires)) }),
    ...(uses !== undefined && { uses }),
    ...(permanent === true && { permanent: true })
  }
  if (revoke === true) {
    const answer = await callNode(target, 'DELETE /api/invite')
    if (isJson) out(`${JSON.stringify(answer)}\n`)
    else err(`${answer.message}\n`)
    return
  }
  const answer = await callNode(target, 'POST /api/invite', { body: wish })
  if (isJson) {
    out(`${JSON.stringify(answer)}\n`)
    return
  }
  const { invite, message, expires_at } = answer
  out(`${invite}\n`)
  const use = `On the other server: ${callOf('join', 'LINE')}\n${holds(expires_at, uses)}`
  err(`${qr === true ? `${await qrOf(invite)}\n` : ''}${message}\n${use}\n`)
}

/** In seconds. */
function readExpiry(text: string): number {
  const ms = parseDuration(text)
  if (ms !== undefined && ms >= 1000) return Math.ceil(ms / 1000)
  throw new UsageError('--expires takes a time such as 90m, 2h or 7d.')
}

function readUses(text: string): number {
  if (/^[1-9]\d{0,4}$/.test(text)) return Number(text)
  throw new UsageError('--uses takes a number such as 1.')
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
