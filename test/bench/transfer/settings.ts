// The same transfer with a setting and without it, in turns: what a virus scanner before each image
// costs, and what packing on the way gains where the line is what all wait for.

import { sizedJpeg } from '../../fixtures/sized-jpeg.ts'
import { clamdMissing, RealClamd } from '../../support/clamd.ts'
import { temporaryFolder, testBytes } from '../../support/data-folder.ts'
import { bytesAt, send } from '../../support/http-client.ts'
import { RealMesh } from '../../support/real-mesh.ts'
import { Workbench } from '../../support/real-node.ts'
import { Client, eachOf } from '../support/client.ts'
import { printTable, spread } from '../support/figures.ts'
import { measure } from '../support/machine.ts'
import { meet, untilHeld } from './pair.ts'
import type { ImageSet } from './source.ts'

interface Variant {
  readonly name: string
  /** Of the full node, and of the one that takes it all. */
  readonly env: readonly [Readonly<Record<string, string>>, Readonly<Record<string, string>>]
  readonly extension: string
  readonly body: (n: number) => Buffer
  /** What the full node may send a second. */
  readonly line?: string | undefined
}

export interface SettingsOptions extends ImageSet {
  readonly rounds: number
}

const FILLING_AT_ONCE = 32

/** On a line of so many bytes a second. */
export async function packed(options: SettingsOptions, line: string): Promise<void> {
  const kinds = { svg: (n: number) => svg(options.bytes, n), jpg: (n: number) => jpeg(options, n) }
  const variants = Object.entries(kinds).flatMap(([extension, body]) =>
    ['never', 'always'].map((compress): Variant => {
      const env = { TUMESH_TRAFFIC_COMPRESS: compress }
      return { name: `${extension}, ${compress}`, env: [env, env], extension, body, line }
    })
  )
  await inTurns(options, variants)
}

export async function scanned(options: SettingsOptions): Promise<void> {
  const missing = clamdMissing()
  if (missing !== undefined) return console.log(missing)
  const folder = temporaryFolder()
  const clamd = new RealClamd(folder.path)
  await clamd.start()
  try {
    const body = (n: number) => jpeg(options, n)
    const scan = { TUMESH_SCAN_CLAMD: clamd.socket }
    await inTurns(options, [
      { name: 'no scanner', env: [{}, {}], extension: 'jpg', body },
      { name: 'clamd', env: [{}, scan], extension: 'jpg', body }
    ])
  } finally {
    await clamd.stop()
    folder.remove()
  }
}

/** Half of it can be saved. */
function svg(bytes: number, seed: number): Buffer {
  const noise = Buffer.from(testBytes(Math.ceil(bytes / 2), seed)).toString('hex')
  return Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg"><!--${noise}--></svg>`)
}

const jpeg = ({ bytes }: ImageSet, n: number) => sizedJpeg(bytes, `${n}`)

async function inTurns(options: SettingsOptions, variants: readonly Variant[]): Promise<void> {
  const all = new Map<string, Outcome[]>(variants.map(({ name }) => [name, []]))
  for (let round = 0; round < options.rounds; round++) {
    for (const variant of variants) all.get(variant.name)?.push(await run(options, variant))
  }
  console.log(`\n${options.count} images of ${options.bytes} bytes; ${options.rounds} rounds\n`)
  printTable([
    ['with', 'seconds', 'MB saved', 'CPU us an image, full', 'the other', 'foreign cores'],
    ...[...all].map(([name, outcomes]) => {
      const of = (pick: (one: Outcome) => number) => spread(outcomes.map(pick))
      return [
        name,
        of(({ seconds }) => seconds),
        of(({ savedBytes }) => savedBytes / 1e6),
        of(({ cpu }) => ((cpu[0] as number) * 1e6) / options.count),
        of(({ cpu }) => ((cpu[1] as number) * 1e6) / options.count),
        of(({ foreignCores }) => foreignCores)
      ]
    })
  ])
}

interface Outcome {
  readonly seconds: number
  readonly savedBytes: number
  readonly cpu: readonly number[]
  readonly foreignCores: number
}

async function run({ count }: SettingsOptions, variant: Variant): Promise<Outcome> {
  const bench = new Workbench()
  try {
    const mesh = new RealMesh(bench)
    await mesh.start('full', { env: variant.env[0] }, { alone: true })
    const client = new Client({ atOnce: FILLING_AT_ONCE })
    await eachOf(count, FILLING_AT_ONCE, (n) =>
      client.put(mesh.url('full'), `${n}.${variant.extension}`, variant.body(n))
    )
    client.close()
    if (variant.line !== undefined) {
      const body = JSON.stringify({ send_per_server: variant.line })
      await send(`${mesh.url('full')}/api/limits`, { method: 'PUT', body })
    }
    await mesh.start('empty', { env: variant.env[1] }, { alone: true })
    const pids = ['full', 'empty'].map((name) => mesh.node(name).child.pid as number)
    const usage = await measure(pids, async () => {
      await meet(mesh, 'empty', 'full')
      await untilHeld(mesh.url('empty'), count)
    })
    const text = (await bytesAt(`${mesh.url('full')}/metrics`)).bytes.toString()
    const [, saved] = /^tumesh_peer_sent_saved_bytes_total (\d+)/m.exec(text) ?? []
    return { ...usage, savedBytes: Number(saved) }
  } finally {
    await bench.cleanUp()
  }
}
