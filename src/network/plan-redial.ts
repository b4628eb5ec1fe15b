// When to dial members that are not connected.

/** Somebody to be connected with. */
export interface Remembered {
  /** Undefined where only addresses are known, as of a node given by hand. */
  readonly id: string | undefined
  readonly addresses: readonly string[]
}

export interface Attempts {
  /** In a row. */
  readonly failures: number
  readonly nextMs: number
  /** Which addresses failed: others are worth a dial at once. */
  readonly addresses: string
}

type Due = Pick<Attempts, 'failures' | 'nextMs'>

const FIRST_MS = 1_000
const LONGEST_MS = 60_000
/** After so many failures the wait grows no more. */
const LONGEST_AT = Math.ceil(Math.log2(LONGEST_MS / FIRST_MS))
/** Of the wait, that chance takes away, so that not all dial at once. */
const JITTER = 0.5

/** The same for the same member, whatever its addresses. */
export function keyOf({ id, addresses }: Remembered): string {
  return id ?? addresses.join(' ')
}

/** Milliseconds to wait after so many failures in a row; `fraction` is chance, in [0, 1). */
export function planWait(failures: number, fraction: number): number {
  const longest = Math.min(FIRST_MS * 2 ** Math.min(failures, LONGEST_AT), LONGEST_MS)
  return longest * (1 - JITTER * fraction)
}

/** What the next attempt is counted from: a change of addresses starts anew, and at once. */
export function planAttempt({ addresses }: Remembered, before: Attempts | undefined): Due {
  const same = before !== undefined && before.addresses === addresses.join(' ')
  return same ? before : { failures: 0, nextMs: 0 }
}

/**
 * Of two that are due the one that was tried in vain less often comes first, so that those that
 * are gone for good take nobody's turn, however many; of the others the one that waits longest.
 */
export function compareDue(a: Due, b: Due): number {
  const patience = ({ failures }: Due) => Math.min(failures, LONGEST_AT)
  return patience(a) - patience(b) || a.nextMs - b.nextMs
}
