// Finds a short history that still shows what a long one showed: leaves out ever smaller parts of
// its steps, then makes what is left simpler.

import type { History, Step } from './history.ts'

export interface Shortened {
  readonly history: History
  readonly runs: number
}

/**
 * `fails` runs a history, and is true if it shows the same. At most `runsMax` of them are tried.
 */
export async function shorten(
  history: History,
  fails: (history: History) => Promise<boolean>,
  runsMax: number
): Promise<Shortened> {
  let best = history
  let runs = 0
  const isBetter = async (candidate: History) => {
    if (runs >= runsMax) return false
    runs++
    if (!(await fails(candidate))) return false
    best = candidate
    return true
  }
  for (let parts = 2; parts <= best.steps.length && runs < runsMax; ) {
    const size = Math.ceil(best.steps.length / parts)
    let found = false
    for (let from = 0; from < best.steps.length; ) {
      const steps = best.steps.filter((_, at) => at < from || at >= from + size)
      if (await isBetter({ ...best, steps })) found = true
      else from += size
    }
    if (!found) {
      if (size === 1) break
      parts = Math.min(parts * 2, best.steps.length)
    }
  }
  for (const simpler of SIMPLER) await isBetter({ ...best, ...simpler })
  for (let at = 0; at < best.steps.length; at++) {
    for (const ms of [0, 10, 1000]) {
      const step = best.steps[at] as Step
      if (step.ms <= ms) break
      if (await isBetter({ ...best, steps: best.steps.with(at, { ...step, ms }) })) break
    }
  }
  return { history: best, runs }
}

/** Worlds in which less is wrong by itself. */
const SIMPLER: readonly Partial<History>[] = [
  { breakage: 0 },
  { dialLoss: 0 },
  { diskMs: 0 },
  { overtake: false },
  { skewMs: [] },
  { walls: [] },
  { delayMs: [0, 0] },
  { acquainted: true },
  { returns: true },
  { nodes: 2 },
  { nodes: 3 },
  { nodes: 4 }
]

/** What a fault says, whoever it is about. */
export function kindOf(fault: string | undefined): string | undefined {
  return fault
    ?.split('\n')[0]
    ?.replace(/\S+ \(.*?\)/g, '…')
    .replace(/n?\d+/g, '…')
}

/** One line for the world and one for each step; `history.ts` says what they mean. */
export function textOf({ steps, ...world }: History): string {
  const lines = steps.map((step) => `  ${JSON.stringify(step)}`)
  const open = JSON.stringify(world).slice(0, -1)
  return `${open}, "steps": [\n${lines.join(',\n')}\n]}`
}
