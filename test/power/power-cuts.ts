// A node under clients, on a disk whose power is cut again and again; each time another node starts
// on what the disk has kept, and everything that a client was told before must be there.

import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { CutDisk, type FileSystem, FragileDisk } from '../support/fragile-disk.ts'
import { type RealNode, spawnNode } from '../support/real-node.ts'
import { seededRandom } from '../support/seeded-random.ts'
import { type DeedParts, move, put, read, remove, restore, type Site } from '../torture/deeds.ts'
import { Model } from '../torture/model.ts'
import { type Picture, pictureOf } from '../torture/pictures.ts'
import { faultsOfCut } from './faults-of-cut.ts'

export interface PowerOptions {
  readonly cuts: number
  readonly fileSystem: FileSystem
  readonly seed: number
  readonly clients: number
  readonly paths: number
  /** Between two cuts, at most. */
  readonly waitMs: number
  /** Aborted: no more cuts. */
  readonly signal: AbortSignal
  readonly say: (line: string) => void
}

export interface PowerReport {
  readonly counts: ReadonlyMap<string, number>
  readonly faults: readonly string[]
}

const NAME = 'data'
const START_MS_MAX = 120_000
/** How often the node is killed as well: its start is a time like any other for the next cut. */
const KILL_SHARE = 0.3
/** So that things leave the trash, too. */
const ENV = { TUMESH_FILE_STORAGE_TRASH_SIZE: '20MB' }
const FLAGS = ['--log-level', 'error']

class World {
  readonly folder = realpathSync(mkdtempSync(join(tmpdir(), 'tumesh-power-')))
  readonly counts = new Map<string, number>()
  readonly faults: string[] = []
  readonly model: Model
  readonly options: PowerOptions
  readonly random: () => number
  readonly parts: DeedParts
  #disk: FragileDisk | undefined
  #node: RealNode | undefined

  constructor(options: PowerOptions) {
    this.options = options
    this.random = seededRandom(options.seed)
    this.model = new Model(Array.from({ length: options.paths }, (_, n) => `${n % 7}/${n}.svg`))
    const { model } = this
    const count = (what: string) => this.count(what)
    this.parts = { fleet: { headers: {} }, model, count, fault: (text) => this.faults.push(text) }
  }

  get disk(): FragileDisk {
    if (this.#disk === undefined) throw new Error('there is no disk yet')
    return this.#disk
  }

  /** Clients find the node under the address that it has now; undefined while it starts. */
  get site(): Site | undefined {
    return this.#node?.url ? { name: NAME, url: this.#node.url } : undefined
  }

  count(what: string, by = 1): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + by)
  }

  async begin(): Promise<void> {
    const { fileSystem } = this.options
    this.#disk = await FragileDisk.make(join(this.folder, 'disk'), { fileSystem })
    await this.#start()
  }

  async killNode(): Promise<void> {
    await this.#node?.end('SIGKILL')
    this.count('kill -9')
    await this.#start()
  }

  async cleanUp(): Promise<void> {
    await this.#node?.end('SIGKILL')
    await this.#disk?.remove()
    rmSync(this.folder, { recursive: true, force: true })
  }

  async #start(): Promise<void> {
    const { folder } = this.disk
    this.#node = spawnNode({ folder, name: NAME, env: ENV, flags: FLAGS })
    await this.#node.started(START_MS_MAX)
  }
}

export async function powerCuts(options: PowerOptions): Promise<PowerReport> {
  const world = new World(options)
  const { counts, faults } = world
  let isOver = false
  try {
    await world.begin()
    const clients = Array.from({ length: options.clients }, (_, n) =>
      client(world, seededRandom(options.seed * 1000 + n), () => isOver)
    )
    try {
      for (let n = 1; n <= options.cuts && faults.length === 0; n++) {
        if (options.signal.aborted) break
        await oneCut(world, n)
        if (n % 10 === 0) options.say(`${n} cuts, ${faults.length} faults`)
      }
    } finally {
      isOver = true
      await Promise.all(clients)
    }
    return { counts, faults }
  } finally {
    isOver = true
    await world.cleanUp()
  }
}

/** While the last kill is being recovered from, or at any other moment. */
async function oneCut(world: World, n: number): Promise<void> {
  const { random, model, folder, options } = world
  const killing = random() < KILL_SHARE ? world.killNode() : undefined
  await sleep(random() * options.waitMs)
  const image = join(folder, `cut-${n}.img`)
  const shadow = model.shadow()
  const { lost, kept } = await world.disk.cut(image, options.seed * 1000 + n)
  shadow.end()
  world.count('power cut')
  world.count('unflushed writes lost', lost)
  world.count('unflushed writes kept', kept)
  await killing
  if (killing !== undefined) await settle(world)
  const disk = await CutDisk.mount(image, join(folder, `cut-${n}`), options.fileSystem)
  try {
    const faults = await faultsOfCut(disk.folder, NAME, shadow.model, { env: ENV, flags: FLAGS })
    world.faults.push(...faults.map((fault) => `cut ${n}: ${fault}`))
  } finally {
    await disk.unmount()
    rmSync(image)
  }
}

/** After a kill the node knows what became of the operations that nobody was answered. */
async function settle({ model, site, faults }: World): Promise<void> {
  for (const path of model.doubtful()) {
    if (site === undefined || !model.lock([path])) continue
    try {
      const { status, headers } = await fetch(`${site.url}/images/${path}`, { method: 'HEAD' })
      if (status !== 200 && status !== 404 && status !== 410) continue
      const holds = status === 200 ? JSON.parse(headers.get('etag') as string) : 'deleted'
      if (model.allows(path, holds)) model.settles(path, holds)
      else faults.push(`after kill -9 ${path} is ${holds}, not ${model.describe(path)}`)
    } finally {
      model.unlock([path])
    }
  }
}

/** Not so large that the disk is full most of the time. */
function somePicture(random: () => number): Picture {
  return pictureOf(Math.floor(random() * 2 ** 40), random() * 0.8)
}

async function client(world: World, random: () => number, isOver: () => boolean): Promise<void> {
  const { model, parts } = world
  const onePath = () => model.paths()[Math.floor(random() * model.paths().length)] as string
  while (!isOver()) {
    const [path, other] = [onePath(), onePath()]
    const what = random()
    const { site } = world
    if (site === undefined) await sleep(50)
    else if (what < 0.1) await read(parts, site, path)
    else {
      const paths = what > 0.93 ? [...new Set([path, other])] : [path]
      if (!model.lock(paths)) continue
      try {
        if (what < 0.7) {
          await put(parts, site, path, somePicture(random))
        } else if (what < 0.85) await remove(parts, site, path)
        else if (what < 0.93) await restore(parts, site, path)
        else await move(parts, site, path, other)
      } finally {
        model.unlock(paths)
      }
    }
    // now and then many at once, so that they share a flush of the whole file system
    await sleep(random() < 0.5 ? 0 : random() * 100)
  }
}
