// Runs targets in a thread, tells of what it finds as it finds it, and sees that no input stays
// for ever.

import { Worker } from 'node:worker_threads'
import { keep } from './corpus.ts'
import { HEAD_BYTES, INPUT_BYTES_MAX, NAME_BYTES, type Work } from './fuzz-shared.ts'
import type { Finding } from './fuzz-target.ts'

export interface Figures {
  readonly target: string
  readonly inputs: number
  readonly slowestMs: number
}

export interface Outcome {
  readonly findings: readonly Finding[]
  readonly figures: readonly Figures[]
  readonly growth: { readonly bytes: number; readonly isTooMuch: boolean }
}

interface Said {
  readonly finding?: Finding
  readonly figures?: readonly Figures[]
  readonly growth?: Outcome['growth']
}

const LOOK_MS = 1000
/** Of one input; far above what a busy machine does to any. */
const STUCK_MS = 60_000

export async function runFuzz(
  options: Omit<Work, 'shared'>,
  onFinding: (finding: Finding) => void = () => {}
): Promise<Outcome> {
  const shared = new SharedArrayBuffer(HEAD_BYTES + INPUT_BYTES_MAX + NAME_BYTES)
  const head = new Int32Array(shared, 0, HEAD_BYTES / 4)
  const worker = new Worker(new URL('./fuzz-worker.ts', import.meta.url), {
    workerData: { ...options, shared } satisfies Work
  })
  const findings: Finding[] = []
  let figures: readonly Figures[] = []
  let growth = { bytes: 0, isTooMuch: false }
  const find = (finding: Finding) => {
    findings.push(finding)
    onFinding(finding)
  }
  worker.on('message', (said: Said) => {
    if (said.finding !== undefined) find(said.finding)
    figures = said.figures ?? figures
    growth = said.growth ?? growth
  })
  let seen = -1
  let sinceMs = performance.now()
  const watch = setInterval(() => {
    const count = Atomics.load(head, 0)
    if (count !== seen) sinceMs = performance.now()
    seen = count
    if (performance.now() - sinceMs < STUCK_MS) return
    find({ ...lastInput(shared), was: `no answer within ${STUCK_MS} ms` })
    void worker.terminate()
  }, LOOK_MS)
  try {
    await new Promise<void>((resolve) => {
      worker.on('error', (error) => {
        find({ ...lastInput(shared), was: `the thread ended: ${error.stack}` })
        resolve()
      })
      worker.on('exit', () => resolve())
    })
  } finally {
    clearInterval(watch)
  }
  return { findings, figures, growth }
}

function lastInput(shared: SharedArrayBuffer): Pick<Finding, 'target' | 'input'> {
  const length = new Int32Array(shared, 0, HEAD_BYTES / 4)[1] ?? 0
  const room = Buffer.from(shared, HEAD_BYTES)
  const name = room.toString('latin1', INPUT_BYTES_MAX).replace(/\0+$/, '')
  return { target: name, input: keep(Buffer.from(room.subarray(0, length))) }
}
