// Lanes as those who ask for blobs open them: to this thread, and to the one for bulk bytes.

import type { LaneOpener } from '../blob-sync/blob-peers.ts'
import type { IntakeThread } from '../flows/intake-thread.ts'
import type { Lanes } from '../network/lanes.ts'

/** Undefined without lanes; without a thread there are no direct lines. */
export function openerOf(
  lanes: Lanes | undefined,
  intake: IntakeThread | undefined
): LaneOpener | undefined {
  if (lanes === undefined) return undefined
  return {
    open: (peerId, onClose, signal) => lanes.open(peerId, onClose, signal),
    ...(intake !== undefined && {
      async openDirect(peerId, { onClose, onMoved }, signal) {
        const lane = await lanes.openBy(
          peerId,
          (dialling, either) => intake.dial(dialling, onMoved, either),
          signal
        )
        lane.onClose(onClose)
        return lane
      }
    })
  }
}
