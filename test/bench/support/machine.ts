// What processes and the machine have used, from /proc.

import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

const TICKS_PER_SECOND = 100

/** Processor time of a running process and all its threads so far, in seconds. */
export function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
}

export interface Memory {
  readonly nowMb: number
  /** Of it what is not a file that the kernel can drop. */
  readonly anonymousMb: number
  readonly peakMb: number
}

/** Memory of a running process now, and the most so far, in MiB. */
export function memory(pid: number): Memory {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const of = (name: string) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1]) / 1024
  return { nowMb: of('VmRSS'), anonymousMb: of('RssAnon'), peakMb: of('VmHWM') }
}

/** Open sockets of a process. */
export function socketCount(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).filter((fd) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`).startsWith('socket:')
    } catch {
      return false // closed meanwhile
    }
  }).length
}

function busySeconds(): number {
  const [, ...fields] = readFileSync('/proc/stat', 'utf8').split('\n')[0]?.split(/\s+/) ?? []
  const [user, nice, system, , , interrupt, softInterrupt, stolen] = fields.map(Number)
  const all = [user, nice, system, interrupt, softInterrupt, stolen]
  return all.reduce<number>((sum, ticks = 0) => sum + ticks, 0) / TICKS_PER_SECOND
}

export interface Usage {
  readonly seconds: number
  /** Processor seconds of each process, in their order. */
  readonly cpu: readonly number[]
  /** Cores that neither these processes nor this one used, on average. */
  readonly foreignCores: number
}

/** What a task uses. The processes must outlive it. */
export async function measure(pids: readonly number[], task: () => Promise<void>): Promise<Usage> {
  const own = () => process.cpuUsage().user / 1e6 + process.cpuUsage().system / 1e6
  const before = { busy: busySeconds(), own: own(), cpu: pids.map(cpuSeconds) }
  const begun = performance.now()
  await task()
  const seconds = (performance.now() - begun) / 1000
  const cpu = pids.map((pid, n) => cpuSeconds(pid) - (before.cpu[n] ?? 0))
  const known = cpu.reduce((sum, one) => sum + one, own() - before.own)
  return {
    seconds,
    cpu,
    foreignCores: Math.max(0, busySeconds() - before.busy - known) / seconds
  }
}
