// What libp2p counts of itself, as plain numbers under the names that it gives them, which are
// those that its dashboards know. Nothing here listens to a stream: bytes are counted where they
// pass.

import type {
  CalculateMetric,
  Counter,
  CounterGroup,
  Histogram,
  HistogramGroup,
  Metric,
  MetricGroup,
  Metrics,
  Summary,
  SummaryGroup
} from '@libp2p/interface'
import type { Clock } from '../base/clock.ts'
import type { Figure } from '../base/figure.ts'
import type { CounterTable } from './counters.ts'

/** What others do may name a value, such as the protocol of a stream; further ones are left out. */
const VALUES_MAX = 200
/** Names come from libp2p itself, and it has some thirty. */
const NAMES_MAX = 200
/** Each listener of TCP calculates a figure of the same name: their sum is told. */
const SOURCES_MAX = 32

type Values = Readonly<Record<string, number | true | undefined>>

interface Options {
  readonly label?: string
  readonly help?: string
  readonly calculate?: CalculateMetric<number> | CalculateMetric<Record<string, number>>
}

class Tally {
  readonly name: string
  readonly help: string
  readonly grows: boolean
  readonly label: string | undefined
  readonly #values = new Map<string, number>()
  readonly #sources: CalculateMetric<number | Record<string, number>>[] = []

  constructor(name: string, { label, help }: Options, is: { grows: boolean; isGroup: boolean }) {
    this.name = name
    this.help = help ?? name
    this.grows = is.grows
    this.label = is.isGroup ? (label ?? name) : undefined
  }

  calculatedBy(calculate: CalculateMetric<number | Record<string, number>>): void {
    if (this.#sources.length < SOURCES_MAX) this.#sources.push(calculate)
  }

  set(key: string, value: number): void {
    if (this.#values.has(key) || this.#values.size < VALUES_MAX) this.#values.set(key, value)
  }

  add(key: string, value: number): void {
    this.set(key, (this.#values.get(key) ?? 0) + value)
  }

  clear(): void {
    this.#values.clear()
  }

  async figure(): Promise<Figure> {
    if (this.#sources.length > 0) this.#values.clear()
    for (const calculate of this.#sources) {
      const told = await calculate()
      if (typeof told === 'number') this.add('', told)
      else for (const [key, value] of Object.entries(told)) this.add(key, value)
    }
    const { name, help, grows, label } = this
    return { name, help, grows, label, values: new Map(this.#values) }
  }
}

const nothing = () => {}
/** libp2p has none of these now. */
const unmeasured = { observe: nothing, reset: nothing, timer: () => nothing }

export interface Libp2pMetricsParts {
  readonly clock: Pick<Clock, 'monotonicMs'>
  readonly counters: Pick<CounterTable, 'protocols'>
}

export class Libp2pMetrics implements Metrics {
  readonly #tallies = new Map<string, Tally>()
  readonly #clock: Pick<Clock, 'monotonicMs'>
  readonly #counters: Pick<CounterTable, 'protocols'>

  constructor({ clock, counters }: Libp2pMetricsParts) {
    this.#clock = clock
    this.#counters = counters
  }

  async figures(): Promise<readonly Figure[]> {
    const told = await Promise.all([...this.#tallies.values()].map((tally) => tally.figure()))
    return [...told, transferFigure(this.#counters.protocols)]
  }

  /** Bytes are counted by who reads and writes streams: see CounterTable. */
  trackMultiaddrConnection(): void {}
  trackProtocolStream(): void {}

  registerMetric = ((name: string, options: Options = {}): Metric => {
    const tally = this.#tally(name, options, { grows: false, isGroup: false })
    return {
      update: (value) => tally.set('', value),
      increment: (value = 1) => tally.add('', value),
      decrement: (value = 1) => tally.add('', -value),
      reset: () => tally.clear(),
      timer: () => this.#timer(tally, '')
    }
  }) as Metrics['registerMetric']

  registerMetricGroup = ((name: string, options: Options = {}): MetricGroup => {
    const tally = this.#tally(name, options, { grows: false, isGroup: true })
    return {
      update: (values) => each(values, (key, value) => tally.set(key, value)),
      increment: (values) => each(values, (key, value) => tally.add(key, value)),
      decrement: (values) => each(values, (key, value) => tally.add(key, -value)),
      reset: () => tally.clear(),
      timer: (key) => this.#timer(tally, key)
    }
  }) as Metrics['registerMetricGroup']

  registerCounter = ((name: string, options: Options = {}): Counter => {
    const tally = this.#tally(name, options, { grows: true, isGroup: false })
    return { increment: (value = 1) => tally.add('', value), reset: () => tally.clear() }
  }) as Metrics['registerCounter']

  registerCounterGroup = ((name: string, options: Options = {}): CounterGroup => {
    const tally = this.#tally(name, options, { grows: true, isGroup: true })
    return {
      increment: (values) => each(values, (key, value) => tally.add(key, value)),
      reset: () => tally.clear()
    }
  }) as Metrics['registerCounterGroup']

  registerHistogram = ((): Histogram => unmeasured) as Metrics['registerHistogram']
  registerHistogramGroup = ((): HistogramGroup => unmeasured) as Metrics['registerHistogramGroup']
  registerSummary = ((): Summary => unmeasured) as Metrics['registerSummary']
  registerSummaryGroup = ((): SummaryGroup => unmeasured) as Metrics['registerSummaryGroup']

  traceFunction<F>(_name: string, traced: F): F {
    return traced
  }

  createTrace(): undefined {
    return undefined
  }

  /** The same for the same name: Noise asks at each handshake. */
  #tally(name: string, options: Options, is: { grows: boolean; isGroup: boolean }): Tally {
    const tally = this.#tallies.get(name) ?? new Tally(name, options, is)
    if (this.#tallies.size < NAMES_MAX) this.#tallies.set(name, tally)
    if (options.calculate !== undefined) tally.calculatedBy(options.calculate)
    return tally
  }

  #timer(tally: Tally, key: string): () => void {
    const beganMs = this.#clock.monotonicMs()
    return () => tally.set(key, this.#clock.monotonicMs() - beganMs)
  }
}

function each(values: Values, act: (key: string, value: number) => void): void {
  for (const [key, value] of Object.entries(values)) {
    if (value !== undefined) act(key, value === true ? 1 : value)
  }
}

/** Bytes of streams, without what encryption and framing add. */
function transferFigure(values: ReadonlyMap<string, number>): Figure {
  return {
    name: 'libp2p_data_transfer_bytes_total',
    help: 'Bytes of streams by protocol, without those of lanes',
    grows: true,
    label: 'protocol',
    values
  }
}
