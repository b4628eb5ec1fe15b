// A step that must still follow on disk, as who settles it sees it.

import type { Step } from './ledger.ts'

export interface Intent {
  readonly step: Step
  readonly subject: string
  readonly generation: number
}
