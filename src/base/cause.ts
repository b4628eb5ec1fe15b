// What is wrong, or worth knowing: for a person in whole sentences, and for programs that say it in
// another language by its code and details.

export interface Cause {
  /** In small letters; a code is never given another meaning. */
  readonly code: string
  /** Whole plain sentences: what is so, and what to do. */
  readonly text: string
  readonly details: Readonly<Record<string, string | number>>
}

/**
 * Among the details of an error: its sentence again, as a word and what fills it. Everybody who
 * meets the error reads it, unlike the other details.
 */
export function saidAs(code: string, details: Cause['details'] = {}): { readonly cause: Word } {
  return { cause: { code, details } }
}

export type Word = Omit<Cause, 'text'>

export function causeOf(code: string, text: string, details: Cause['details'] = {}): Cause {
  return { code, text, details }
}
