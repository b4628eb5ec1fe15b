// wrk: a client that asks for paths of a list at random, from the core that it is given.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'

const RANDOM = new URL('../http/random.lua', import.meta.url).pathname

export interface Asking {
  readonly url: string
  /** A file with a path a line, after the ETag that the client has. */
  readonly paths: string
  readonly seed: number
  readonly connections: number
  /** Any, where it is given none. */
  readonly core: number | undefined
  /** At most. */
  readonly seconds: number
}

export interface Asked {
  readonly requests: number
  readonly perSecond: number
  readonly p50: number
  readonly p99: number
  readonly failed: number
}

export interface Wrk {
  readonly pid: number
  /** Resolves when its time is over. */
  readonly done: Promise<Asked>
  /** Ends it before. */
  stop(): Promise<Asked>
}

export function startWrk({ url, paths, seed, connections, core, seconds }: Asking): Wrk {
  const place = core === undefined ? '0-1023' : String(core)
  const wrk = ['wrk', '-t1', `-c${connections}`, `-d${seconds}s`, '--latency', '-s', RANDOM, url]
  const env = { ...process.env, BENCH_PATHS: paths, BENCH_SEED: String(seed) }
  // taskset becomes wrk, so that the signal reaches it
  const child = spawn('taskset', ['-c', place, ...wrk], { env })
  const ended = once(child, 'close')
  const done = Promise.all([text(child.stdout), text(child.stderr), ended]).then(
    ([said, complaint]) => {
      const line = said.split('\n').find((one) => one.startsWith('{'))
      if (line === undefined) throw new Error(`wrk: ${said}${complaint}`)
      const { requests, us, p50, p99, failed } = JSON.parse(line)
      return {
        requests,
        perSecond: requests / (us / 1e6),
        p50: p50 / 1000,
        p99: p99 / 1000,
        failed
      }
    }
  )
  done.catch(() => {}) // whoever waits for it hears it
  return {
    pid: child.pid as number,
    done,
    stop() {
      child.kill('SIGINT')
      return done
    }
  }
}
