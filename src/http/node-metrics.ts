// What is true of this node and its mesh, as gauges and counters: the facts of the status.

import { Counter, Gauge, type Registry } from 'prom-client'
import type { NodeStatus, ServerStatus } from '../flows/status.ts'
import type { HttpParts } from './ports.ts'

export type NodeMetricParts = Pick<
  HttpParts,
  'clock' | 'flows' | 'mesh' | 'meshStatus' | 'node' | 'status' | 'tasks'
>

type Registers = Registry[]

/** Names, what they say, and where in the status the value is. */
const FACTS: readonly (readonly [string, string, (status: NodeStatus) => number])[] = [
  ['images', 'Images that the index names', ({ counts }) => counts.images],
  ['images_bytes', 'Sum of their sizes', ({ counts }) => counts.imageBytes],
  ['images_held', 'Those whose bytes are here', ({ counts }) => counts.heldImages],
  ['images_held_bytes', 'Sum of their sizes', ({ counts }) => counts.heldImageBytes],
  ['images_damaged', 'Images whose bytes here are damaged', ({ counts }) => counts.damagedImages],
  ['images_missing', 'Images whose bytes are gone', ({ counts }) => counts.missingImages],
  ['images_blocked', 'Images whose bytes are blocked', ({ counts }) => counts.blockedImages],
  ['images_review', 'Images that wait for a person', ({ counts }) => counts.reviewImages],
  ['tombstones', 'Deletions that are remembered', ({ counts }) => counts.tombstones],
  ['blobs', 'Distinct blobs here', ({ counts }) => counts.blobs],
  ['blobs_bytes', 'Sum of their sizes', ({ counts }) => counts.blobBytes],
  ['wants', 'Blobs that should be here and are not', ({ counts }) => counts.wants],
  ['wants_bytes', 'Sum of their sizes', ({ counts }) => counts.wantBytes],
  ['trash_blobs', 'Blobs in the trash', ({ counts }) => counts.trashBlobs],
  ['trash_bytes', 'Sum of their sizes', ({ counts }) => counts.trashBytes],
  ['quarantined_files', 'Files that were set aside', ({ quarantinedFiles }) => quarantinedFiles],
  ['disk_size_bytes', 'Size of the disk with the data folder', ({ disk }) => disk.total],
  ['disk_free_bytes', 'Room on it', ({ disk }) => disk.free],
  ['disk_reserved_bytes', 'Room that is kept free', ({ disk }) => disk.reserved],
  ['disk_inodes_free', 'Files that it could still take', ({ disk }) => disk.inodesFree]
]

export function addNodeMetrics(all: NodeMetricParts, registers: Registers): void {
  const parts = { ...all, status: oncePerAnswer(all.status) }
  for (const [name, help, read] of FACTS) {
    new Gauge({
      name: `tumesh_${name}`,
      help,
      registers,
      collect() {
        this.set(read(parts.status()))
      }
    })
  }
  addStates(parts, registers)
  addServers(parts, registers)
  addTraffic(parts, registers)
  const { name, version, peerId } = parts.node
  const labelNames = ['node', 'version', 'peer_id', 'cluster']
  new Gauge({
    name: 'tumesh_node_info',
    help: 'Always 1; the labels say which node this is',
    labelNames,
    registers,
    collect() {
      this.reset()
      this.set({ node: name, version, peer_id: peerId, cluster: parts.node.cluster }, 1)
    }
  })
}

/** All figures are asked for in one go: who answers them looks once. */
function oncePerAnswer<T>(look: () => T): () => T {
  let seen: { readonly value: T } | undefined
  return () => {
    if (seen === undefined) {
      seen = { value: look() }
      queueMicrotask(() => {
        seen = undefined
      })
    }
    return seen.value
  }
}

/** One series for each state, of which one is 1: alert rules can name them. */
function addStates({ status, flows, tasks }: NodeMetricParts, registers: Registers): void {
  oneOf(registers, 'health', 'The status of the node', {
    states: ['healthy', 'degraded', 'read_only', 'critical'],
    now: () => status().health
  })
  oneOf(registers, 'disk_state', 'The state of the disk', {
    states: ['ok', 'low', 'full'],
    now: () => status().disk.state
  })
  new Gauge({
    name: 'tumesh_brake_engaged',
    help: '1 while the node waits for a person to confirm',
    labelNames: ['brake'],
    registers,
    collect() {
      for (const brake of ['loss', 'changes'] as const) {
        this.set({ brake }, flows.brakes.engaged(brake) === undefined ? 0 : 1)
      }
    }
  })
  new Gauge({
    name: 'tumesh_tasks_running',
    help: 'Work in the background that somebody began',
    registers,
    collect() {
      this.set(tasks.list().filter((task) => task.status === 'running').length)
    }
  })
}

function oneOf(
  registers: Registers,
  name: string,
  help: string,
  { states, now }: { readonly states: readonly string[]; readonly now: () => string }
): void {
  new Gauge({
    name: `tumesh_${name}`,
    help,
    labelNames: ['state'],
    registers,
    collect() {
      const current = now()
      for (const state of states) this.set({ state }, state === current ? 1 : 0)
    }
  })
}

const SERVER_STATES = ['online', 'syncing', 'offline', 'away', 'refused'] as const

/** What is not known of a server has no series. */
const SERVER_FACTS: readonly (readonly [
  string,
  string,
  (server: ServerStatus, nowMs: number) => number | undefined
])[] = [
  ['missing_files', 'What it lacks, by its last word', ({ missingFiles }) => missingFiles],
  ['missing_bytes', 'Sum of their sizes', ({ missingBytes }) => missingBytes],
  ['faults', 'Streams of it that ended in an error here', ({ faults }) => faults],
  ['latency_seconds', 'Round trip to it', ({ latencyMs }) => seconds(latencyMs)],
  ['clock_offset_seconds', 'Its clock minus ours', ({ clockOffsetMs }) => seconds(clockOffsetMs)],
  [
    'compared_seconds_ago',
    'Since it last said what it has and lacks',
    ({ comparedAtMs }, nowMs) => seconds(comparedAtMs && Math.max(nowMs - comparedAtMs, 0))
  ]
]

function seconds(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : ms / 1000
}

function addServers({ mesh, clock }: NodeMetricParts, registers: Registers): void {
  const servers = () => mesh?.servers() ?? []
  new Gauge({
    name: 'tumesh_servers',
    help: 'Other servers by their state',
    labelNames: ['state'],
    registers,
    collect() {
      const all = servers()
      for (const state of SERVER_STATES) {
        this.set({ state }, all.filter((server) => server.state === state).length)
      }
    }
  })
  for (const [name, help, read] of SERVER_FACTS) {
    new Gauge({
      name: `tumesh_server_${name}`,
      help,
      labelNames: ['server', 'peer_id'],
      registers,
      collect() {
        this.reset()
        for (const server of servers()) {
          const value = read(server, clock.now())
          if (value === undefined) continue
          this.set({ server: server.name, peer_id: server.peerId }, value)
        }
      }
    })
  }
}

function addTraffic({ meshStatus }: NodeMetricParts, registers: Registers): void {
  const facts = {
    peer_received_bytes_total: ['Bytes from other servers', 'bytesReceived'],
    peer_sent_bytes_total: ['Bytes to other servers', 'bytesSent'],
    peer_received_saved_bytes_total: [
      'Bytes that did not have to come from other servers, because they were packed',
      'bytesSavedReceiving'
    ],
    peer_sent_saved_bytes_total: [
      'Bytes that did not have to go to other servers, because they were packed',
      'bytesSavedSending'
    ],
    blobs_received_total: ['Blobs from other servers', 'blobsReceived'],
    blobs_sent_total: ['Blobs to other servers', 'blobsSent']
  } as const
  for (const [name, [help, field]] of Object.entries(facts)) {
    new Counter({
      name: `tumesh_${name}`,
      help,
      registers,
      collect() {
        this.reset()
        this.inc(meshStatus?.traffic()[field] ?? 0)
      }
    })
  }
}
