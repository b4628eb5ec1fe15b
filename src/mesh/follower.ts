// Lets images/ follow what other nodes have written.

import type { FlowParts } from '../flows/parts.ts'

/** What other nodes wrote is shown, hidden and moved here too: the open intents say what. */
export function createFollower({ settler, log }: FlowParts): {
  follow(): void
  idle(): Promise<void>
} {
  let running: Promise<void> | undefined
  let again = false
  const run = async () => {
    while (again) {
      again = false
      await settler.settleAll()
    }
  }
  const follow = () => {
    again = true
    running ??= run()
      .catch((error) => log.error({ err: error }, 'not all of images/ could be brought up to date'))
      .finally(() => {
        running = undefined
        if (again) follow() // asked after the last look
      })
  }
  return {
    follow,
    async idle() {
      while (running !== undefined) await running
    }
  }
}
