// Where tickets are given out and redeemed: beside the lanes, since these have a door of their own.

import { askSideDoor } from '../network/lane-tls.ts'
import type { Lanes } from '../network/lanes.ts'
import type { TicketOffice } from './joining.ts'
import { type TicketParts, Tickets } from './tickets.ts'

/** Undefined without lanes. */
export function openTicketOffice(
  {
    lanes,
    flows
  }: { readonly lanes?: Lanes | undefined; readonly flows: Omit<TicketParts, 'cluster'> },
  cluster: TicketParts['cluster']
): TicketOffice | undefined {
  if (lanes === undefined) return undefined
  const tickets = new Tickets({ ...flows, cluster })
  lanes.sideDoor = tickets
  return { tickets, port: () => lanes.port, ask: askSideDoor }
}
