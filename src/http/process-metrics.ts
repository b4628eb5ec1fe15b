// What the process uses, under the names on which client libraries of Prometheus agree.

import { performance } from 'node:perf_hooks'
import { Counter, Gauge, type Registry } from 'prom-client'
import type { Clock } from '../base/clock.ts'

const MICROSECONDS = 1e-6

export function addProcessMetrics(clock: Clock, registers: Registry[]): void {
  addTime(clock, registers)
  gauge(registers, 'process_resident_memory_bytes', 'Memory in RAM', () =>
    process.memoryUsage.rss()
  )
  const memory = {
    nodejs_heap_size_total_bytes: 'heapTotal',
    nodejs_heap_size_used_bytes: 'heapUsed',
    nodejs_external_memory_bytes: 'external'
  } as const
  for (const [name, field] of Object.entries(memory)) {
    gauge(registers, name, `Memory of the process: ${field}`, () => process.memoryUsage()[field])
  }
  const idle = performance.eventLoopUtilization()
  gauge(
    registers,
    'nodejs_eventloop_utilization',
    'Share of the time since the start in which the event loop was busy',
    () => performance.eventLoopUtilization(idle).utilization
  )
}

function addTime(clock: Clock, registers: Registry[]): void {
  const startSeconds = clock.now() / 1000
  gauge(registers, 'process_start_time_seconds', 'When the node started', () => startSeconds)
  for (const part of ['user', 'system'] as const) {
    new Counter({
      name: `process_cpu_${part}_seconds_total`,
      help: `CPU time of the process: ${part}`,
      registers,
      collect() {
        this.reset()
        this.inc(process.cpuUsage()[part] * MICROSECONDS)
      }
    })
  }
}

function gauge(registers: Registry[], name: string, help: string, read: () => number): void {
  new Gauge({
    name,
    help,
    registers,
    collect() {
      this.set(read())
    }
  })
}
