// What the process is doing, by name: for the line in the log that says what held everything up.

/** Names of what has ended that are remembered. */
const ENDED_MAX = 50

export class Activity {
  readonly #nowMs: () => number
  readonly #running = new Map<object, string>()
  readonly #ended: { readonly name: string; readonly atMs: number }[] = []

  /** `nowMs`: a monotonic clock. */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
  }

  /** Notes that something begins; what is returned notes its end. */
  begin(name: string): () => void {
    const key = {}
    this.#running.set(key, name)
    return () => {
      if (!this.#running.delete(key)) return
      this.#ended.push({ name, atMs: this.#nowMs() })
      if (this.#ended.length > ENDED_MAX) this.#ended.shift()
    }
  }

  /** Each name once, with how often it ran at some time since then. */
  since(ms: number): string[] {
    const counts = new Map<string, number>()
    const ended = this.#ended.filter(({ atMs }) => atMs >= ms).map(({ name }) => name)
    for (const name of [...this.#running.values(), ...ended]) {
      counts.set(name, (counts.get(name) ?? 0) + 1)
    }
    return [...counts].map(([name, count]) => (count === 1 ? name : `${name} (${count})`))
  }
}
