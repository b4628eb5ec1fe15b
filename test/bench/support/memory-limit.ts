// A control group that holds a process and all it brings to memory - its own, the pages of files
// that it reads and writes, what the kernel keeps for it - below a limit, as a container does.
// Needs Linux and the right to make one: root, most of the time.

import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const REMOVALS_MAX = 50
const REMOVAL_MS = 100
const V1 = '/sys/fs/cgroup/memory'
const V2 = '/sys/fs/cgroup'

export interface MemoryLimit {
  /** Runs a program within the limit: see RealNodeOptions. */
  readonly runner: readonly string[]
  /** Bytes that were taken at most, how often the limit was reached, and processes it has ended. */
  report(): { readonly peakBytes: number; readonly reached: number; readonly killed: number }
  /** Nothing may run in it any more. */
  remove(): Promise<void>
}

/** Throws where control groups can't be made. */
export function makeMemoryLimit(bytes: number): MemoryLimit {
  const isFirst = existsSync(join(V1, 'memory.limit_in_bytes'))
  const root = isFirst ? V1 : V2
  const group = join(root, isFirst ? ownGroup() : '', `tumesh-bench-${process.pid}`)
  mkdirSync(group)
  const files = isFirst
    ? { limit: 'memory.limit_in_bytes', peak: 'memory.max_usage_in_bytes' }
    : { limit: 'memory.max', peak: 'memory.peak' }
  writeFileSync(join(group, files.limit), String(bytes))
  if (!isFirst) writeFileSync(join(group, 'memory.swap.max'), '0')
  const read = (name: string) => readFileSync(join(group, name), 'utf8')
  const field = (name: string, key: string) =>
    Number(new RegExp(`^${key} (\\d+)$`, 'm').exec(read(name))?.[1] ?? 0)
  return {
    runner: ['sh', '-c', `echo $$ > ${join(group, 'cgroup.procs')} && exec "$@"`, 'sh'],
    report: () => ({
      peakBytes: Number(read(files.peak)),
      reached: isFirst ? Number(read('memory.failcnt')) : field('memory.events', 'max'),
      killed: field(isFirst ? 'memory.oom_control' : 'memory.events', 'oom_kill')
    }),
    async remove() {
      // a process that has just ended may still count
      for (let n = 0; existsSync(group); n++) {
        try {
          rmdirSync(group)
        } catch (error) {
          if (n === REMOVALS_MAX) throw error
          await sleep(REMOVAL_MS)
        }
      }
    }
  }
}

/** That of this process: whoever limits it limits what it starts, too. */
function ownGroup(): string {
  const line = /^\d+:(?:[\w=,]+,)?memory(?:,[\w=,]+)?:(.*)$/m
  return line.exec(readFileSync('/proc/self/cgroup', 'utf8'))?.[1] ?? ''
}
