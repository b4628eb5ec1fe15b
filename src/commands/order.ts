// What a command is told, and what it answers.

import type { NodeTarget } from './node-client.ts'
import type { Terminal } from './terminal.ts'

export interface Order {
  readonly words: readonly string[]
  /** By their names in camel case. */
  readonly options: Readonly<Record<string, string | boolean | undefined>>
  readonly target: NodeTarget
  /** The result is for a program: one JSON value, or one a line where there may be millions. */
  readonly isJson: boolean
}

/** The exit code; none is 0. What it throws is one sentence for a person. */
export type Run = (order: Order, terminal: Terminal) => Promise<number | undefined>
