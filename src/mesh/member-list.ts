// Whom this node stays connected with.

import { listMembers } from '../flows/members.ts'
import type { FlowParts } from '../flows/parts.ts'
import type { Remembered } from '../network/plan-redial.ts'

/** Whom to be connected with: the nodes given by hand, and all members but this node. */
export function createMemberList(
  { index, log }: FlowParts,
  ownId: string,
  bootstrap: readonly string[]
) {
  const given = bootstrap.map((address) => ({ id: undefined, addresses: [address] }))
  let members: readonly Remembered[] = []
  return {
    remembered: () => [...given, ...members],
    async refresh() {
      try {
        const all = await listMembers(index)
        members = all.filter(({ id, addresses }) => id !== ownId && addresses.length > 0)
      } catch (error) {
        log.warn({ err: error }, 'the members could not be read')
      }
    }
  }
}
