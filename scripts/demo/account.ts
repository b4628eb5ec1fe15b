// What a person reads: numbered steps, a line with its time for each thing that came true, and one
// line that is rewritten while something goes on.

import { styleText } from 'node:util'

/** As far as this file needs one; `process.stdout` is one. */
type Output = NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number }

/** Without a terminal, how often a line says how far it is. */
const PLAIN_LINE_MS = 2_000
const TIME_CHARACTERS = 7
const TEXT_COLUMN = TIME_CHARACTERS + 7
const COLUMNS = 80
const ERASE_LINE = '\r\u001b[2K'

export class Account {
  readonly #output: Output
  #steps = 0
  #isLive = false
  #saidLiveAt = performance.now()

  constructor(output: Output) {
    this.#output = output
  }

  say(text = ''): void {
    this.#line(text)
  }

  /** The title of the next step. */
  step(title: string): void {
    this.#steps++
    this.#saidLiveAt = performance.now()
    this.#line(this.#style('bold', `${this.#steps}  ${title}`))
  }

  /** Something came true. */
  done(ms: number, text: string): void {
    this.#mark(this.#style('green', '✓'), formatTime(ms), text)
  }

  failed(text: string): void {
    this.#mark(this.#style('red', '✗'), '', text)
  }

  /** How far it is: the same line again on a terminal, now and then a line elsewhere. */
  live(text: string): void {
    const line = `     ${text}`
    if (this.#output.isTTY) {
      const fitting = line.slice(0, (this.#output.columns || COLUMNS) - 1)
      this.#output.write(ERASE_LINE + this.#style('dim', fitting))
      this.#isLive = true
    } else if (performance.now() - this.#saidLiveAt > PLAIN_LINE_MS) {
      this.#saidLiveAt = performance.now()
      this.#line(line)
    }
  }

  #mark(mark: string, time: string, text: string): void {
    const [first, ...more] = wrap(text, COLUMNS - TEXT_COLUMN)
    this.#line(`   ${mark} ${time.padStart(TIME_CHARACTERS)}  ${first}`)
    for (const line of more) this.#line(`${' '.repeat(TEXT_COLUMN)}${line}`)
  }

  #line(text: string): void {
    this.#output.write(`${this.#isLive ? ERASE_LINE : ''}${text}\n`)
    this.#isLive = false
  }

  #style(style: 'bold' | 'dim' | 'green' | 'red', text: string): string {
    // it looks whether the stream is a terminal, and at NO_COLOR
    return styleText(style, text, { stream: this.#output as NodeJS.WriteStream })
  }
}

/** Lines of at most so many characters, where words allow. */
function wrap(text: string, characters: number): string[] {
  const lines = ['']
  for (const word of text.split(' ')) {
    const longer = `${lines.at(-1)} ${word}`.trimStart()
    if (longer.length <= characters) lines[lines.length - 1] = longer
    else lines.push(word)
  }
  return lines
}

/** "41 ms", "1.31 s", "12.3 s". */
export function formatTime(ms: number): string {
  if (ms < 10) return `${ms.toFixed(1)} ms`
  if (ms < 999.5) return `${Math.round(ms)} ms`
  return `${(ms / 1000).toFixed(ms < 9995 ? 2 : 1)} s`
}

/** Milliseconds that a task took. */
export async function timed(task: () => Promise<unknown>): Promise<number> {
  const begin = performance.now()
  await task()
  return performance.now() - begin
}
