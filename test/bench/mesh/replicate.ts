// A full node and an empty one meet: how fast the empty one has all. Beside Syncthing, in turns.

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { sizedJpeg } from '../../fixtures/sized-jpeg.ts'
import { eventually } from '../../support/eventually.ts'
import { postJson, send } from '../../support/http-client.ts'
import { RealMesh } from '../../support/real-mesh.ts'
import { Workbench } from '../../support/real-node.ts'
import { Client, eachOf } from '../support/client.ts'
import { printTable, quantile, spread } from '../support/figures.ts'
import { measure, memory, type Usage } from '../support/machine.ts'
import { SyncthingPair, syncthingVersion } from '../support/syncthing.ts'

/** Two nodes of one product. Both run all the time that is measured. */
interface Pair {
  readonly pids: readonly number[]
  /** Where the second keeps its files. */
  readonly secondFolder: string
  /** The first has all, the second nothing; they have not met. */
  prepare(source: string, count: number): Promise<void>
  /** They meet; resolves when the second has all. */
  join(count: number): Promise<void>
  stop(): Promise<void>
}

interface Round extends Usage {
  readonly peakMb: readonly number[]
}

export interface ReplicateOptions {
  readonly count: number
  readonly bytes: number
  readonly rounds: number
}

class TumeshPair implements Pair {
  readonly #bench: Workbench
  readonly #mesh: RealMesh

  constructor(bench: Workbench) {
    this.#bench = bench
    this.#mesh = new RealMesh(bench)
  }

  get pids(): readonly number[] {
    return ['a', 'b'].map((name) => this.#mesh.node(name).child.pid as number)
  }

  get secondFolder(): string {
    return this.#bench.path('b', 'images')
  }

  async prepare(source: string, count: number): Promise<void> {
    await this.#mesh.start('a')
    await this.#mesh.start('b', {}, { alone: true })
    const names = readdirSync(source)
    const client = new Client({ atOnce: 32 })
    await eachOf(count, 32, async (n) => {
      const name = names[n] as string
      await client.put(this.#mesh.url('a'), name, readFileSync(join(source, name)))
    })
    client.close()
  }

  async join(count: number): Promise<void> {
    const address = await this.#mesh.addressOf('a')
    const { status, body } = await postJson(`${this.#mesh.url('b')}/api/peers`, { address })
    if (status !== 200) throw new Error(`a and b did not meet: ${JSON.stringify(body)}`)
    const check = async () => {
      const { body } = await send(`${this.#mesh.url('b')}/api/storage-status`)
      if (body.local_files !== count) throw new Error(`b has ${body.local_files} of ${count}`)
    }
    await eventually(check, { withinMs: 600_000 })
  }

  stop(): Promise<void> {
    return this.#bench.killAll()
  }
}

export async function replicate({ count, bytes, rounds }: ReplicateOptions): Promise<void> {
  const version = syncthingVersion()
  if (version === undefined) console.log('syncthing is not on PATH: Tumesh alone is measured\n')
  const makers: Record<string, (bench: Workbench) => Pair> = {
    Tumesh: (bench) => new TumeshPair(bench)
  }
  if (version !== undefined) {
    const pair = (fsync: boolean) => (bench: Workbench) =>
      new SyncthingPair(bench.folder, { fsync })
    makers[`Syncthing ${version}`] = pair(true)
    makers['the same without fsync'] = pair(false)
  }
  const results = new Map<string, Round[]>(Object.keys(makers).map((name) => [name, []]))
  const source = new Workbench()
  // folders go at the very end: after many deletions new files cost more for a while
  const used = [source]
  try {
    mkdirSync(source.path('images'))
    for (let n = 0; n < count; n++) {
      writeFileSync(source.path('images', `${n}.jpg`), sizedJpeg(bytes, `${n}`))
    }
    for (let round = 0; round < rounds; round++) {
      for (const [name, make] of inTurn(Object.entries(makers), round)) {
        const bench = new Workbench()
        used.push(bench)
        const result = await runPair(make(bench), source.path('images'), count)
        results.get(name)?.push(result)
        console.error(`${name}: ${result.seconds.toFixed(2)} s`)
      }
    }
  } finally {
    for (const bench of used) await bench.cleanUp()
  }
  print(results, { count, bytes, rounds })
}

/** The one that begins changes with each round. */
function inTurn<T>(all: readonly T[], round: number): readonly T[] {
  const first = round % all.length
  return [...all.slice(first), ...all.slice(0, first)]
}

async function runPair(pair: Pair, source: string, count: number): Promise<Round> {
  try {
    await pair.prepare(source, count)
    const usage = await measure(pair.pids, () => pair.join(count))
    const peakMb = pair.pids.map((pid) => memory(pid).peakMb)
    await eventually(() => {
      for (const name of readdirSync(source)) {
        const came = readFileSync(join(pair.secondFolder, name))
        if (!came.equals(readFileSync(join(source, name)))) throw new Error(`${name} differs`)
      }
    })
    return { ...usage, peakMb }
  } finally {
    await pair.stop()
  }
}

function print(
  results: ReadonlyMap<string, readonly Round[]>,
  { count, bytes, rounds }: ReplicateOptions
): void {
  const [base = []] = results.values()
  const each = (of: readonly (readonly number[])[]) =>
    [0, 1]
      .map((n) =>
        quantile(
          of.map((one) => one[n] ?? 0),
          0.5
        ).toFixed(1)
      )
      .join(' + ')
  console.log(
    `${count} images of ${bytes} bytes from a full node to an empty one, from their meeting until ` +
      `the empty one has all; ${rounds} rounds: median (least-most)\n`
  )
  printTable([
    [
      'product',
      'seconds',
      'files/s',
      'MB/s',
      'CPU s a + b',
      'peak MiB a + b',
      'foreign cores',
      'Tumesh is so many times as fast'
    ],
    ...[...results].map(([name, all]) => [
      name,
      spread(all.map(({ seconds }) => seconds)),
      spread(all.map(({ seconds }) => count / seconds)),
      spread(all.map(({ seconds }) => (count * bytes) / 1e6 / seconds)),
      each(all.map(({ cpu }) => cpu)),
      each(all.map(({ peakMb }) => peakMb)),
      Math.max(...all.map(({ foreignCores }) => foreignCores)).toFixed(2),
      spread(all.map(({ seconds }, n) => seconds / (base[n]?.seconds ?? Number.NaN)))
    ])
  ])
}
