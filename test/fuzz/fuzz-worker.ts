// A thread that fuzzes until its time is over. What it is at lies in memory that the main thread
// sees, so that an input that never comes back is known all the same.

import { setImmediate as nextTurn } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { parentPort, workerData } from 'node:worker_threads'
import { HEAD_BYTES, INPUT_BYTES_MAX, type Work } from './fuzz-shared.ts'
import { FuzzedTarget } from './fuzz-target.ts'
import { TARGETS } from './targets.ts'

/** Inputs between two looks at the clock. */
const SLICE = 64
const ROUND_MS = 400
/** After so many rounds all is closed, and what memory is left then is looked at. */
const ROUNDS_OPEN = 5
/** What engines keep for themselves comes and goes by some megabytes. */
const GROWTH_BYTES_MAX = 48 * 2 ** 20
/** Work of so long for a few kilobytes is no accident of the machine, if it repeats. */
const SLOW_MS = 250
const FINDINGS_MAX = 20

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

async function work({ targets, seconds, seed, shared }: Work): Promise<void> {
  const head = new Int32Array(shared, 0, HEAD_BYTES / 4)
  const room = Buffer.from(shared, HEAD_BYTES)
  const onInput = (target: string, input: Buffer) => {
    Atomics.add(head, 0, 1)
    head[1] = Math.min(input.length, INPUT_BYTES_MAX)
    input.copy(room, 0, 0, INPUT_BYTES_MAX)
    room.fill(0, INPUT_BYTES_MAX).write(target, INPUT_BYTES_MAX)
  }
  const all = TARGETS.filter(({ name }) => targets.includes(name))
  const fuzzed = all.map((target) => new FuzzedTarget(target, { seed, slowMs: SLOW_MS, onInput }))
  const open = new Set(fuzzed)
  const used: number[] = []
  const endMs = performance.now() + seconds * 1000
  let rounds = 0
  for (let findings = 0; performance.now() < endMs && open.size > 0; ) {
    for (const one of open) {
      const roundEndMs = Math.min(endMs, performance.now() + ROUND_MS)
      while (performance.now() < roundEndMs) {
        const finding = await one.run(SLICE)
        // what closes later, as the streams of zlib do, closes when the thread comes to a turn
        await nextTurn()
        if (finding === undefined) continue
        parentPort?.postMessage({ finding })
        if (++findings >= FINDINGS_MAX) open.delete(one)
        break
      }
    }
    if (++rounds % ROUNDS_OPEN !== 0) continue
    for (const one of fuzzed) await one.close()
    collect()
    const { heapUsed, external } = process.memoryUsage()
    used.push(heapUsed + external)
  }
  for (const one of fuzzed) await one.close()
  const figures = fuzzed.map(({ target, inputs, slowestMs }) => ({
    ...{ target: target.name, inputs, slowestMs: Math.round(slowestMs) }
  }))
  parentPort?.postMessage({ figures, growth: growthOf(used) })
}

/** The least of the last rounds against the least of the first, without the warming up. */
function growthOf(used: readonly number[]): { bytes: number; isTooMuch: boolean } {
  const settled = used.slice(Math.floor(used.length / 4))
  const part = Math.ceil(settled.length / 3)
  if (settled.length < 3) return { bytes: 0, isTooMuch: false }
  const bytes = Math.min(...settled.slice(-part)) - Math.min(...settled.slice(0, part))
  return { bytes, isTooMuch: bytes > GROWTH_BYTES_MAX }
}

await work(workerData as Work)
