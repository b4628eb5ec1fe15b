// Some minutes of clients and harms at once, and what is wrong afterwards.

import { setTimeout as sleep } from 'node:timers/promises'
import { seededRandom } from '../support/seeded-random.ts'
import { type DeedParts, move, put, read, remove, restore } from './deeds.ts'
import { Fleet, type FleetPlan, type TortureNode } from './fleet.ts'
import { HARMS, type Harm } from './harms.ts'
import { Model } from './model.ts'
import { pictureOf } from './pictures.ts'
import { verdictOf } from './verdict.ts'

export interface TortureOptions {
  readonly minutes: number
  readonly seed: number
  /** Between two harms, on average. */
  readonly harmMs: number
  readonly paths: number
  /** Where anything is wrong the folders stay. */
  readonly keep: boolean
  readonly say: (line: string) => void
}

export interface TortureReport {
  readonly counts: ReadonlyMap<string, number>
  readonly faults: readonly string[]
}

interface TortureParts extends DeedParts {
  readonly fleet: Fleet
}

const CLIENTS = 6
const SAY_MS = 30_000

export async function torture(plan: FleetPlan, options: TortureOptions): Promise<TortureReport> {
  const { seed, say } = options
  const random = seededRandom(seed)
  const counts = new Map<string, number>()
  const faults: string[] = []
  const model = new Model(Array.from({ length: options.paths }, (_, n) => `${n % 7}/${n}.svg`))
  const fleet = new Fleet(plan)
  const parts: TortureParts = {
    fleet,
    model,
    count: (what) => counts.set(what, (counts.get(what) ?? 0) + 1),
    fault: (text) => faults.push(text)
  }
  try {
    await fleet.startAll()
    const endMs = Date.now() + options.minutes * 60_000
    const isOver = () => Date.now() >= endMs || faults.length > 0
    const clients = Array.from({ length: CLIENTS }, (_, n) =>
      client(parts, seededRandom(seed * 100 + n), isOver)
    )
    const telling = tell(counts, say, isOver)
    await harm(parts, options, random, isOver)
    await Promise.all([...clients, telling])
    say('Waiting until all is quiet …')
    faults.push(...(await verdictOf(fleet, model)))
    return { counts, faults }
  } finally {
    const keep = options.keep && faults.length > 0
    if (keep) say(`The folders of the nodes are in ${fleet.folder}`)
    await fleet.cleanUp({ keep })
  }
}

async function client(
  parts: TortureParts,
  random: () => number,
  isOver: () => boolean
): Promise<void> {
  const { fleet, model } = parts
  const oneOf = <T>(all: readonly T[]) => all[Math.floor(random() * all.length)] as T
  while (!isOver()) {
    const node = oneOf(fleet.nodes)
    const [path, other] = [oneOf(model.paths()), oneOf(model.paths())]
    const what = random()
    if (what < 0.5) await read(parts, node, path)
    else {
      const paths = what > 0.95 ? [...new Set([path, other])] : [path]
      if (!model.lock(paths)) continue
      try {
        if (what < 0.8) {
          await put(parts, node, path, pictureOf(Math.floor(random() * 2 ** 40), random()))
        } else if (what < 0.92) await remove(parts, node, path)
        else if (what < 0.95) await restore(parts, node, path)
        else await move(parts, node, path, other)
      } finally {
        model.unlock(paths)
      }
    }
    await sleep(random() * 100)
  }
}

/** Each node suffers one harm at a time. */
async function harm(
  parts: TortureParts,
  { harmMs }: TortureOptions,
  random: () => number,
  isOver: () => boolean
): Promise<void> {
  const { fleet, fault } = parts
  const suffering = new Map<TortureNode, Promise<void>>()
  while (!isOver()) {
    await sleep(-Math.log(1 - random()) * harmMs)
    const node = fleet.nodes[Math.floor(random() * fleet.nodes.length)] as TortureNode
    if (suffering.has(node)) continue
    const done = pickHarm(random)({ ...parts, random }, node)
      .catch((error) => fault(`${node.name}: ${error}`))
      .finally(() => suffering.delete(node))
    suffering.set(node, done)
  }
  await Promise.all(suffering.values())
}

function pickHarm(random: () => number): Harm {
  const total = HARMS.reduce((sum, [weight]) => sum + weight, 0)
  let at = random() * total
  for (const [weight, one] of HARMS) {
    at -= weight
    if (at < 0) return one
  }
  return (HARMS[0] as (typeof HARMS)[number])[1]
}

async function tell(
  counts: ReadonlyMap<string, number>,
  say: (line: string) => void,
  isOver: () => boolean
): Promise<void> {
  for (let atMs = Date.now() + SAY_MS; !isOver(); ) {
    await sleep(200)
    if (Date.now() < atMs) continue
    say(describeCounts(counts))
    atMs += SAY_MS
  }
}

export function describeCounts(counts: ReadonlyMap<string, number>): string {
  return [...counts]
    .map(([what, count]) => `${what}: ${count}`)
    .sort()
    .join(', ')
}
