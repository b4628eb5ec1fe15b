// What others tell in the name of this node, and this node has not written: somebody else has its
// identity. An older copy of its folder shows the same, but then all of it was written before this
// start.

import { type Entry, KIND_RECORD } from '../../protocols/entry.ts'
import { versionMs } from '../../protocols/version.ts'
import { memberRecord, readMember } from '../flows/members.ts'

export interface TwinSign {
  /** Host and port of the other node, where an entry says them. */
  readonly place: string | undefined
}

/** Of entries that were news here: whether somebody wrote one as this node, since it started. */
export function planTwinSign(
  entries: readonly Entry[],
  { ownId, startedMs }: { readonly ownId: string; readonly startedMs: number }
): TwinSign | undefined {
  const strange = entries.filter(
    ({ writer, version }) => writer === ownId && versionMs(version) > startedMs
  )
  if (strange.length === 0) return undefined
  const record = strange.findLast(
    ({ kind, path }) => kind === KIND_RECORD && path === memberRecord(ownId)
  )
  const member = record?.value && readMember(ownId, record.value)
  return { place: placeOf(member?.addresses[0] ?? '') }
}

function placeOf(address: string): string | undefined {
  const [, host, port] = /^\/[a-z0-9]+\/([^/]+)\/tcp\/(\d+)/.exec(address) ?? []
  return host && `${host.includes(':') ? `[${host}]` : host}:${port}`
}
