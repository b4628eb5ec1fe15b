// Figures that parts of the node tell in their own words, under their own names.

import { Counter, Gauge, type Registry } from 'prom-client'
import type { Figure } from '../base/figure.ts'

/** What may stand in a name or a label. */
const WORD = /^[a-zA-Z_][a-zA-Z0-9_]*$/

export class PartMetrics {
  readonly #registers: Registry[]
  readonly #read: () => Promise<readonly Figure[]>
  readonly #latest = new Map<string, Figure>()

  constructor(registers: Registry[], read: () => Promise<readonly Figure[]>) {
    this.#registers = registers
    this.#read = read
  }

  /** To be called before the registry is read: what is new gets a series. */
  async refresh(): Promise<void> {
    for (const figure of await this.#read()) {
      const isKnown = this.#latest.has(figure.name)
      if (!isKnown && !WORD.test(figure.name)) continue
      this.#latest.set(figure.name, figure)
      if (!isKnown) this.#add(figure)
    }
  }

  #add({ name, help, grows, label }: Figure): void {
    const latest = () => this.#latest.get(name)?.values ?? new Map<string, number>()
    const word = label === undefined || WORD.test(label) ? label : 'value'
    const labelNames = word === undefined ? [] : [word]
    const labelsOf = (key: string) => (word === undefined ? {} : { [word]: key })
    const options = { name, help, labelNames, registers: this.#registers }
    if (grows) {
      new Counter({
        ...options,
        collect() {
          this.reset()
          for (const [key, value] of latest()) this.inc(labelsOf(key), value)
        }
      })
    } else {
      new Gauge({
        ...options,
        collect() {
          this.reset()
          for (const [key, value] of latest()) this.set(labelsOf(key), value)
        }
      })
    }
  }
}
