// What is fuzzed: something that takes bytes from outside, and what it may do with them.

export interface Target {
  readonly name: string
  /** What samples are, so that changes leave most of their structure. */
  readonly shape: 'bytes' | 'text' | 'json' | 'message' | 'frames'
  /** What stands in inputs of this kind. */
  readonly words?: readonly string[]
  readonly bytesMax?: number
  open(): Opened | Promise<Opened>
}

export interface Opened {
  /** Throws where the target does what it must not. */
  run(input: Buffer): unknown
  close?(): Promise<void> | void
  /** Inputs that may run side by side; 1 without. */
  readonly parallel?: number
  /** After so many inputs it is closed and opened anew: one that keeps what it is given. */
  readonly inputsMax?: number
}

type Kind = abstract new (...args: never[]) => Error

/** Passes where `work` does, or fails in one of the ways it may. */
export function only(kinds: readonly Kind[], work: () => unknown): unknown {
  const judge = (error: unknown) => {
    if (!kinds.some((kind) => error instanceof kind)) throw error
  }
  try {
    const result = work()
    return result instanceof Promise ? result.then(undefined, judge) : result
  } catch (error) {
    return judge(error)
  }
}

/** What must hold. */
export function must(holds: boolean, what: string): void {
  if (!holds) throw new Error(`broken: ${what}`)
}
