// What a command writes to, and the few forms in which it writes.

import type { Clock } from '../base/clock.ts'
import { NodeError, systemCodeOf } from '../base/errors.ts'

export interface Terminal {
  /** Results, which may be piped on. */
  readonly out: (text: string) => void
  /** What a person reads beside the result. */
  readonly err: (text: string) => void
  /** How far it is, on stderr: a line for a person, or these facts for programs. */
  readonly progress: (line: string, facts: object) => void
  /** Whether a person sees the results at once. */
  readonly isTerminal: boolean
  readonly clock: Clock
  /** Relative names count from here. */
  readonly folder: string
}

/** The words or options of a command are wrong: exit code 2. */
export class UsageError extends Error {}

export interface Failure {
  readonly code: string
  readonly detail: string
}

/** As programs read it: what the node answered where it refused, else the like of that. */
export function failureOf(error: unknown): Failure {
  const detail = error instanceof Error ? error.message : String(error)
  if (error instanceof UsageError) return { code: 'USAGE', detail }
  if (!(error instanceof NodeError)) return { code: systemCodeOf(error) ?? 'INTERNAL', detail }
  return (error.details.answer as Failure | undefined) ?? { code: error.code, detail }
}

/** Columns side by side, the last one as it is. */
export function columns(rows: readonly (readonly string[])[]): string {
  const widths = rows.reduce<number[]>((all, row) => {
    for (const [at, cell] of row.entries()) all[at] = Math.max(all[at] ?? 0, widthOf(cell))
    return all
  }, [])
  const lineOf = (row: readonly string[]) =>
    row
      .map((cell, at) => (at === row.length - 1 ? cell : padded(cell, widths[at] ?? 0)))
      .join('  ')
      .trimEnd()
  return rows.map((row) => `${lineOf(row)}\n`).join('')
}

function padded(cell: string, width: number): string {
  return cell + ' '.repeat(Math.max(0, width - widthOf(cell)))
}

/** Cells of a terminal: the characters of Chinese, Japanese and Korean take two. */
function widthOf(text: string): number {
  const wide = text.match(
    /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/g
  )
  return text.length + (wide?.length ?? 0)
}

/** "3 images", "1 image". */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString('en-US')} ${count === 1 ? one : many}`
}

/** "2 d 3 h", "4 min", "12 s". */
export function lasting(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds))
  if (whole < 60) return `${whole} s`
  if (whole < 3600) return `${Math.floor(whole / 60)} min`
  if (whole < 86_400) return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`
  return `${Math.floor(whole / 86_400)} d ${Math.floor((whole % 86_400) / 3600)} h`
}
