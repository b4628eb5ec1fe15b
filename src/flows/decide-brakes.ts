// A person's word on a mass of changes, here or on another server.

import { versionMs } from '../../protocols/version.ts'
import { oneAtATime } from '../base/one-at-a-time.ts'
import type { TaskControl } from '../base/task-board.ts'
import type { Brake } from './brakes.ts'
import { changesSince } from './mass-changes.ts'
import type { FlowParts } from './parts.ts'
import { isTooMuch } from './plan-brakes.ts'
import { ChangeGroups } from './plan-confirmations.ts'
import { type Undone, undoChanges } from './undo-changes.ts'

export type ConfirmedParts = Pick<FlowParts, 'index' | 'blocks' | 'brakes' | 'clock' | 'log'>

/** It was meant: it goes on here, and other servers hear what exactly was confirmed. */
export async function confirmChanges(
  parts: Pick<FlowParts, 'index' | 'blocks' | 'brakes'>,
  { token, fromMs }: Brake
): Promise<void> {
  const groups = new ChangeGroups()
  for await (const change of changesSince(parts, fromMs)) groups.add(change)
  await parts.brakes.confirmChanges(token, groups)
}

/**
 * It was not: all of it comes back, and others hear that this is meant. The brake stays until then,
 * so that a restart in the middle leaves it, and what is left can be undone.
 */
export async function undoBrake(
  parts: FlowParts,
  { token, fromMs }: Brake,
  control: TaskControl
): Promise<Undone & { readonly unblocked: number }> {
  const { brakes, blocks } = parts
  const unblocked = await blocks.removeSince(fromMs)
  const groups = new ChangeGroups()
  const undone = await undoChanges(parts, fromMs, control, ({ writer, version }) =>
    groups.add({ writer, ms: versionMs(version) })
  )
  if (brakes.withToken(token) !== undefined) await brakes.endUndo(token, groups)
  return { ...undone, unblocked }
}

/** Releases the brake here once most of what it stopped for was confirmed elsewhere, or undone. */
export function followConfirmations(parts: ConfirmedParts): void {
  const { brakes, log } = parts
  const look = oneAtATime(() => releaseIfConfirmed(parts))
  brakes.onConfirmed(() => {
    look().catch((error) =>
      log.error({ err: error }, 'what was confirmed on another server could not be looked at')
    )
  })
}

/** What is confirmed may come before that of which it is: to be called again for a while. */
export async function releaseIfConfirmed(parts: ConfirmedParts): Promise<void> {
  const { brakes, clock, log } = parts
  const brake = brakes.engaged('changes')
  if (brake === undefined || !brakes.confirmations.areAny(clock.monotonicMs())) return
  const confirmed = brakes.confirmations.anew()
  let left = 0
  for await (const change of changesSince(parts, brake.fromMs)) {
    if (!confirmed.take(change, clock.monotonicMs())) left++
  }
  if (isTooMuch(left, brake.of)) {
    log.warn({ left }, 'a confirmation on another server is not of all that was stopped here')
  } else if (brakes.withToken(brake.token) !== undefined) {
    await brakes.releaseAsConfirmed(confirmed)
  }
}
