// Images go from a full node to an empty one while one of the two is read without a pause. What is
// left of each is compared with either alone, and with what a third node answers that has the same
// core and nothing else to do: there the system divides the core. Rates say little where others
// want the cores too; how the processor time of the node is divided does.

import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { sizedJpeg } from '../../fixtures/sized-jpeg.ts'
import { postJson, send } from '../../support/http-client.ts'
import { RealMesh } from '../../support/real-mesh.ts'
import { Workbench } from '../../support/real-node.ts'
import { Client, eachOf } from '../support/client.ts'
import { printTable, spread } from '../support/figures.ts'
import { cpuSeconds, measure } from '../support/machine.ts'
import { type Asked, startWrk } from '../support/wrk.ts'
import { Source, warmMemory } from './source.ts'

export interface BesideOptions {
  readonly count: number
  readonly bytes: number
  /** Of an image that is read; there are so many of them. */
  readonly readBytes: number
  readonly readCount: number
  readonly rounds: number
  /** For which the node is read alone. */
  readonly seconds: number
  readonly connections: number
  /** Whether the node that is measured has a core to itself; else all share all cores. */
  readonly pins: boolean
  /** Undefined: both. */
  readonly side?: string | undefined
  /** Who is read; undefined: each of them in turn. */
  readonly read?: string | undefined
}

const SIDES = ['receives', 'sends'] as const
type Side = (typeof SIDES)[number]
/** `one`: by the node that is measured; `other`: by a third one on its core. */
const READERS = ['nobody', 'one', 'other'] as const
type Reader = (typeof READERS)[number]

/** The node that is measured has the first core, the other one and wrk the second. */
const [CORE, OTHER_CORE] = [0, 1]
const LOOK_MS = 50
const ALL_MS_MAX = 900_000
const WARM_SECONDS = 2

interface Outcome {
  readonly images: number
  readonly foreignCores: number
  /** Processor seconds of the node that is measured, and of whoever is read. */
  readonly cpu: { readonly measured: number; readonly asked: number }
  readonly reads?: Asked
  readonly alone?: Asked & { readonly cpuMicroseconds: number }
}

export async function beside(options: BesideOptions): Promise<void> {
  const bench = new Workbench()
  try {
    const all = new Beside(bench, options)
    await all.fill()
    const outcomes = new Map<string, Outcome[]>()
    const sides = SIDES.filter((side) => side === (options.side ?? side))
    const readers = READERS.filter((reader) => reader === (options.read ?? reader))
    for (let round = 0; round < options.rounds; round++) {
      for (const side of sides) {
        for (const reader of readers) {
          const outcome = await all.run(side, reader, round)
          console.error(side, reader, JSON.stringify(outcome))
          const key = `${side} ${reader}`
          outcomes.set(key, [...(outcomes.get(key) ?? []), outcome])
        }
      }
    }
    for (const side of sides) report(side, options, outcomes)
  } finally {
    await bench.cleanUp()
  }
}

class Beside {
  readonly #bench: Workbench
  readonly #options: BesideOptions
  readonly #mesh: RealMesh
  readonly #source: Source
  readonly #paths: string
  readonly #client = new Client({ atOnce: 32 })
  #empties = 0

  constructor(bench: Workbench, options: BesideOptions) {
    this.#bench = bench
    this.#options = options
    this.#mesh = new RealMesh(bench)
    this.#source = new Source(bench.path('source'), options)
    this.#paths = bench.path('paths.txt')
  }

  /** The full node, and the one that only answers. */
  async fill(): Promise<void> {
    const { count, readCount } = this.#options
    const names = Array.from({ length: readCount }, (_, n) => `/images/${readName(n)}\n`)
    writeFileSync(this.#paths, names.join(''))
    for (const name of ['full', 'reader']) {
      await this.#mesh.start(name, {}, { alone: true })
      await this.#putRead(name)
    }
    await eachOf(count, 32, (n) =>
      this.#client.put(this.#mesh.url('full'), this.#source.name(n), this.#source.body(n))
    )
  }

  async run(side: Side, reader: Reader, round: number): Promise<Outcome> {
    const empty = `empty-${this.#empties++}`
    await this.#mesh.start(empty, {}, { alone: true })
    await this.#putRead(empty)
    const measured = side === 'receives' ? empty : 'full'
    this.#pin(measured, CORE)
    this.#pin('reader', CORE)
    const other = side === 'receives' ? 'full' : empty
    this.#pin(other, OTHER_CORE)
    const asked = reader === 'other' ? 'reader' : measured
    const alone = reader === 'nobody' ? undefined : await this.#readAlone(asked, round)
    warmMemory(this.#bench.folder)
    const wrk = reader === 'nobody' ? undefined : this.#read(asked, round, ALL_MS_MAX / 1000)
    const own = [measured, 'reader', other].map((name) => this.#pid(name))
    const pids = wrk === undefined ? own : [...own, wrk.pid]
    const usage = await measure(pids, () => this.#meet(empty))
    const [ofMeasured = Number.NaN, ofReader = Number.NaN] = usage.cpu
    const reads = await wrk?.stop()
    this.#source.compare(this.#bench.path(empty, 'images'))
    await this.#mesh.node(empty).end('SIGTERM')
    const { count } = this.#options
    return {
      images: count / usage.seconds,
      cpu: { measured: ofMeasured, asked: reader === 'other' ? ofReader : ofMeasured },
      foreignCores: usage.foreignCores,
      ...(alone !== undefined && reads !== undefined && { alone, reads })
    }
  }

  async #readAlone(name: string, round: number) {
    await this.#read(name, round, WARM_SECONDS).done
    const before = cpuSeconds(this.#pid(name))
    const asked = await this.#read(name, round, this.#options.seconds).done
    const cpu = cpuSeconds(this.#pid(name)) - before
    return { ...asked, cpuMicroseconds: (cpu * 1e6) / asked.requests }
  }

  async #putRead(name: string): Promise<void> {
    const { readCount, readBytes } = this.#options
    await eachOf(readCount, 32, (n) =>
      this.#client.put(this.#mesh.url(name), readName(n), sizedJpeg(readBytes, `read ${n}`))
    )
  }

  #pid(name: string): number {
    return this.#mesh.node(name).child.pid as number
  }

  /** All threads that it has, and those that they start. */
  #pin(name: string, core: number): void {
    if (!this.#options.pins) return
    spawnSync('taskset', ['-a', '-p', '-c', String(core), String(this.#pid(name))])
  }

  #read(name: string, round: number, seconds: number) {
    const { connections } = this.#options
    const asking = { url: this.#mesh.url(name), paths: this.#paths, seed: round + 1 }
    const core = this.#options.pins ? OTHER_CORE : undefined
    return startWrk({ ...asking, core, connections, seconds })
  }

  /** Resolves when the empty one has all. */
  async #meet(empty: string): Promise<void> {
    const { count, readCount } = this.#options
    const address = await this.#mesh.addressOf('full')
    const { status, body } = await postJson(`${this.#mesh.url(empty)}/api/peers`, { address })
    if (status !== 200) throw new Error(`the nodes did not meet: ${JSON.stringify(body)}`)
    const begun = performance.now()
    for (;;) {
      const { body } = await send(`${this.#mesh.url(empty)}/api/storage-status`)
      if (body.local_files === count + readCount) return
      if (performance.now() - begun > ALL_MS_MAX) throw new Error(`it has ${body.local_files}`)
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
    }
  }
}

/** The share of the processor time of reads and images that reads had. */
function readShare({ cpu, reads, alone }: Outcome, reader: Reader): number | undefined {
  if (reads === undefined || alone === undefined) return undefined
  if (reader === 'other') return cpu.asked / (cpu.asked + cpu.measured)
  return (reads.requests * alone.cpuMicroseconds) / 1e6 / cpu.measured
}

const readName = (n: number) => `read/${n}.jpg`

function report(
  side: Side,
  { count, bytes, readBytes, rounds }: BesideOptions,
  outcomes: ReadonlyMap<string, readonly Outcome[]>
): void {
  console.log(
    `\na node that ${side} ${count} images of ${bytes} bytes, images of ${readBytes} bytes being ` +
      `read; ${rounds} rounds: median (least-most)\n`
  )
  const base = outcomes.get(`${side} nobody`) ?? []
  const divided = outcomes.get(`${side} other`) ?? []
  printTable([
    [
      ...['read', 'images/s', 'of nobody reading', 'of another one read', 'reads/s'],
      ...['of reads alone', 'of another one read', 'share of time', 'p99 ms', 'foreign cores']
    ],
    ...READERS.map((reader) => {
      const all = outcomes.get(`${side} ${reader}`) ?? []
      const of = (pick: (outcome: Outcome, round: number) => number | undefined) => {
        const values = all.map(pick).filter((value) => value !== undefined)
        return values.length > 0 ? spread(values) : '-'
      }
      return [
        { nobody: 'nothing', one: 'this node', other: 'another one' }[reader],
        of(({ images }) => images),
        of(({ images }, round) => images / (base[round]?.images ?? Number.NaN)),
        of(({ images }, round) => images / (divided[round]?.images ?? Number.NaN)),
        of(({ reads }) => reads?.perSecond),
        of(({ reads, alone }) => reads && alone && reads.perSecond / alone.perSecond),
        of(
          ({ reads }, round) =>
            reads && reads.perSecond / (divided[round]?.reads?.perSecond ?? Number.NaN)
        ),
        of((outcome) => readShare(outcome, reader)),
        of(({ reads }) => reads?.p99),
        of(({ foreignCores }) => foreignCores)
      ]
    })
  ])
}
