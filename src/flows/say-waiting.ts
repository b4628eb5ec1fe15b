// In words: which deletions can't be forgotten yet, and because of whom.

import { type Cause, causeOf } from '../base/cause.ts'
import type { Collected } from './collect.ts'
import type { ServerStatus } from './status.ts'

const DAY_MS = 86_400_000
/** Servers that are named; the rest is a number. */
const NAMED_MAX = 3

type Server = Pick<ServerStatus, 'name' | 'peerId' | 'lastSeenMs'>

/** Undefined if none wait. */
export function sayWaiting(
  { waiting, members }: Pick<Collected, 'waiting' | 'members'>,
  servers: readonly Server[],
  nowMs: number
): Cause | undefined {
  if (waiting === 0 || members.length === 0) return undefined
  const named = members.slice(0, NAMED_MAX).map((id) => {
    const server = servers.find(({ peerId }) => peerId === id)
    const days = Math.floor((nowMs - (server?.lastSeenMs ?? nowMs)) / DAY_MS)
    return `${server?.name ?? id}${days > 0 ? ` (away ${days} ${days === 1 ? 'day' : 'days'})` : ''}`
  })
  const more = members.length - named.length
  const whom = [...named, ...(more > 0 ? [`${more} more`] : [])].join(', ')
  const deletions = waiting === 1 ? '1 old deletion is' : `${waiting} old deletions are`
  return causeOf(
    'deletions_wait',
    `${deletions} kept in mind until every server has heard of them: waiting for ${whom}. ` +
      'That costs little. A server that never comes back can be removed on the page, or by DELETE /api/peers/ID.',
    { count: waiting, servers: whom }
  )
}
