// Two nodes of one product, of which the second gets what the first has.

import { eventually } from '../../support/eventually.ts'
import { postJson, send } from '../../support/http-client.ts'
import { RealMesh } from '../../support/real-mesh.ts'
import { Workbench } from '../../support/real-node.ts'
import { Client, eachOf } from '../support/client.ts'
import { RsyncPair, rsyncVersion } from '../support/rsync.ts'
import { SyncthingPair, syncthingVersion } from '../support/syncthing.ts'
import type { Source } from './source.ts'

export interface Pair {
  readonly pids: readonly number[]
  /** Where the second keeps its files. */
  readonly secondFolder: string
  /** The first has all, the second nothing; they have not met. */
  prepare(source: Source): Promise<void>
  /** They meet; resolves when the second has all. */
  join(count: number): Promise<void>
  /** Ends the second one. */
  stopSecond(): Promise<void>
  /** The first gets the images from `first` on, and has looked at them. */
  add(source: Source, first: number, count: number): Promise<void>
  /** Starts the second one again; resolves when it has all. */
  comeBack(count: number): Promise<void>
  stop(): Promise<void>
}

const FILLING_AT_ONCE = 32
const LOOK_MS = 50
const ALL_MS_MAX = 900_000

export class TumeshPair implements Pair {
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

  async prepare(source: Source): Promise<void> {
    await this.#mesh.start('a')
    await this.#mesh.start('b', {}, { alone: true })
    await this.add(source, 0, source.set.count)
  }

  async add(source: Source, first: number, count: number): Promise<void> {
    const atOnce = source.set.bytes > 10_000_000 ? 2 : FILLING_AT_ONCE
    const client = new Client({ atOnce })
    await eachOf(count, atOnce, (n) =>
      client.put(this.#mesh.url('a'), source.name(first + n), source.body(first + n))
    )
    client.close()
  }

  async join(count: number): Promise<void> {
    await meet(this.#mesh, 'b', 'a')
    await untilHeld(this.#mesh.url('b'), count)
  }

  async stopSecond(): Promise<void> {
    await this.#mesh.node('b').end('SIGTERM')
  }

  async comeBack(count: number): Promise<void> {
    await this.#mesh.start('b')
    await untilHeld(this.#mesh.url('b'), count)
  }

  stop(): Promise<void> {
    return this.#bench.killAll()
  }
}

/** Two nodes are told to meet. */
export async function meet(mesh: RealMesh, name: string, other: string): Promise<void> {
  const address = await mesh.addressOf(other)
  const { status, body } = await postJson(`${mesh.url(name)}/api/peers`, { address })
  if (status !== 200) throw new Error(`they did not meet: ${JSON.stringify(body)}`)
}

/** Resolves when a node says that it has the bytes of so many images. */
export async function untilHeld(url: string, count: number): Promise<void> {
  const begun = performance.now()
  for (;;) {
    const { body } = await send(`${url}/api/storage-status`)
    if (body.local_files === count) return
    if (performance.now() - begun > ALL_MS_MAX) {
      throw new Error(`it has ${body.local_files} of ${count}`)
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
  }
}

/** The products that take turns, as far as they are installed; `all`: in other settings, too. */
export function products({ all = false } = {}): Map<string, (bench: Workbench) => Pair> {
  const makers = new Map<string, (bench: Workbench) => Pair>()
  makers.set('Tumesh', (bench) => new TumeshPair(bench))
  const [syncthing, rsync] = [syncthingVersion(), rsyncVersion()]
  const pair = (fsync: boolean) => (bench: Workbench) => new SyncthingPair(bench.folder, { fsync })
  if (syncthing !== undefined) {
    makers.set(`Syncthing ${syncthing}`, pair(true))
    if (all) makers.set('the same without fsync', pair(false))
  }
  if (rsync !== undefined) makers.set(`rsync ${rsync}`, (bench) => new RsyncPair(bench.folder))
  return makers
}

/** Rounds in which the products take turns; the one that begins changes. */
export async function takeTurns<T>(
  makers: ReadonlyMap<string, (bench: Workbench) => Pair>,
  rounds: number,
  round: (pair: Pair, bench: Workbench) => Promise<T>
): Promise<ReadonlyMap<string, readonly T[]>> {
  const results = new Map<string, T[]>([...makers.keys()].map((name) => [name, []]))
  // folders go at the very end: after many deletions new files cost more for a while
  const used: Workbench[] = []
  try {
    for (let n = 0; n < rounds; n++) {
      const names = [...makers.keys()]
      const order = [...names.slice(n % names.length), ...names.slice(0, n % names.length)]
      for (const name of order) {
        const bench = new Workbench()
        used.push(bench)
        const pair = makers.get(name)?.(bench) as Pair
        try {
          results.get(name)?.push(await round(pair, bench))
        } finally {
          await pair.stop()
        }
      }
    }
  } finally {
    for (const bench of used) await bench.cleanUp()
  }
  return results
}

/** Tries until it is so, which it is once all files have their names. */
export function eventuallySame(compare: () => void): Promise<void> {
  return eventually(compare, { withinMs: 20_000 })
}
