// What changes without being told: how far the node is and how its servers are. Looked at each
// second while somebody watches, and told where it differs.

import type { Feed } from '../flows/feed.ts'
import type { ServerStatus } from '../flows/status.ts'
import { missingFiles } from './describe-status.ts'
import type { HttpParts } from './ports.ts'

const PULSE_MS = 1000

type PulseParts = Pick<
  HttpParts,
  'clock' | 'flows' | 'log' | 'mesh' | 'meshStatus' | 'status' | 'tasks'
>

export class Pulse {
  readonly #parts: PulseParts
  readonly #feed: Feed
  #isBeating = false
  #progress = ''
  /** By peer id, what was told of each last. */
  #servers: ReadonlyMap<string, string> = new Map()

  constructor(parts: PulseParts) {
    this.#parts = parts
    this.#feed = parts.flows.feed
  }

  /** Goes on until nobody watches any more. */
  begin(): void {
    if (this.#isBeating) return
    // what went on unseen is no news
    this.#servers = this.#serversNow()
    this.#isBeating = true
    this.#beat()
  }

  #beat(): void {
    const { clock, log } = this.#parts
    try {
      this.#tellProgress()
      this.#tellServers()
    } catch (error) {
      // as for a moment while the index is opened anew: the next beat tells it
      log.warn({ err: error }, 'how the node is could not be looked at')
    }
    clock.after(PULSE_MS, () => {
      this.#isBeating = this.#feed.watchers > 0
      if (this.#isBeating) this.#beat()
    })
  }

  #tellProgress(): void {
    const { status, meshStatus, tasks } = this.#parts
    const { counts, health } = status()
    const traffic = meshStatus?.traffic()
    const facts = {
      status: health,
      total_files: counts.images,
      local_files: counts.heldImages,
      missing_files: missingFiles(counts),
      sync_queue_size: counts.wants,
      pending_bytes: counts.wantBytes,
      files_received: traffic?.blobsReceived ?? 0,
      rate: Math.round(traffic?.receiveRate ?? 0),
      running_tasks: tasks.list().filter((task) => task.status === 'running').length
    }
    const text = JSON.stringify(facts)
    if (text === this.#progress) return
    this.#progress = text
    this.#feed.tell('progress', facts)
  }

  #tellServers(): void {
    const now = this.#serversNow()
    for (const [peerId, text] of now) {
      if (this.#servers.get(peerId) !== text) this.#feed.tell('peer', JSON.parse(text))
    }
    for (const [peerId, text] of this.#servers) {
      if (!now.has(peerId)) this.#feed.tell('peer', { ...JSON.parse(text), status: 'removed' })
    }
    this.#servers = now
  }

  #serversNow(): Map<string, string> {
    const servers = this.#parts.mesh?.servers() ?? []
    return new Map(servers.map((server) => [server.peerId, textOf(server)]))
  }
}

function textOf({ name, peerId, state, lastError, lastCause }: ServerStatus): string {
  const why = { last_error: lastError ?? null, last_cause: lastCause ?? null }
  return JSON.stringify({ name, peer_id: peerId, status: state, ...why })
}
