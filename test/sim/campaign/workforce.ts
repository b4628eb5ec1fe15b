// Several processes that do jobs side by side.

import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Job, Result } from './jobs.ts'

const WORKER = fileURLToPath(new URL('worker.ts', import.meta.url))
/** Most of what a world makes is garbage at once: a tenth faster with more room for the young. */
const EXEC_ARGV = ['--max-semi-space-size=64']

/**
 * Does all jobs, at most so many at a time, and calls `onResult` with each as it ends. Rejects if a
 * process dies.
 */
export async function doJobs(
  jobs: Iterable<Job>,
  count: number,
  onResult: (result: Result, job: Job) => void
): Promise<void> {
  const left = jobs[Symbol.iterator]()
  const workers = Array.from({ length: count }, () => fork(WORKER, [], { execArgv: EXEC_ARGV }))
  const work = async (worker: ChildProcess) => {
    for (let next = left.next(); !next.done; next = left.next()) {
      onResult(await resultOf(worker, next.value), next.value)
    }
  }
  try {
    await Promise.all(workers.map(work))
  } finally {
    for (const worker of workers) worker.disconnect()
  }
}

async function resultOf(worker: ChildProcess, job: Job): Promise<Result> {
  const ended = new AbortController()
  const { signal } = ended
  const died = once(worker, 'exit', { signal }).then(() => {
    throw new Error(`a process died over seeds ${job.from}..${job.to}`)
  })
  died.catch(() => {})
  worker.send(job)
  try {
    const [result] = await Promise.race([once(worker, 'message', { signal }), died])
    return result as Result
  } finally {
    ended.abort()
  }
}
