// How much may pass between this node and others: by what it is for, to and from one server, and
// to and from servers that are not in its own network. Without limits nothing waits.
//
// What is received is limited by what is asked for: it comes as fast as the line can, and the next
// is asked for later; but what takes longer than a second at its limit is read no faster than that.
// What is sent is limited piece by piece, whatever it is for.

import { type Clock, sleep } from '../base/clock.ts'
import { RateBucket } from '../base/rate-bucket.ts'

/** What bytes are received for, the most urgent first. */
export const PURPOSES = ['reads', 'new', 'repair', 'catch_up'] as const
export type Purpose = (typeof PURPOSES)[number]

export const TRAFFIC_LIMITS = [
  'receive_reads',
  'receive_new',
  'receive_repair',
  'receive_catch_up',
  'receive_per_server',
  'receive_remote',
  'send_per_server',
  'send_remote'
] as const
export type TrafficLimit = (typeof TRAFFIC_LIMITS)[number]

/** Bytes a second; undefined: no limit. */
export type TrafficLimits = Readonly<Record<TrafficLimit, number | undefined>>

export const NO_LIMITS = Object.fromEntries(
  TRAFFIC_LIMITS.map((name) => [name, undefined])
) as TrafficLimits

/** A piece of 16 KiB of one of ten streams then takes 2.5 s: with less it would seem to be dead. */
export const LIMIT_MIN = 64 * 1024
/** Who waits looks so often whether the limit is another. */
const WAIT_MS_MAX = 1000
/** Servers whose debts are kept; beyond that those of the one that came first are forgotten. */
const SERVERS_MAX = 1000

interface ServerBuckets {
  readonly received: RateBucket
  readonly sent: RateBucket
}

export class Traffic {
  readonly #clock: Clock
  readonly #servers = new Map<string, ServerBuckets>()
  readonly #received: Readonly<Record<Purpose, RateBucket>>
  readonly #remote: ServerBuckets
  readonly #configured: TrafficLimits
  #limits: TrafficLimits
  #onChange = () => {}
  /** Whether a server is outside of the networks of this machine. */
  isRemote: (peerId: string) => boolean = () => false

  constructor({ clock }: { readonly clock: Clock }, limits: TrafficLimits = NO_LIMITS) {
    this.#clock = clock
    this.#configured = limits
    this.#limits = limits
    const bucket = (name: TrafficLimit) => new RateBucket(clock, limits[name])
    this.#received = {
      reads: bucket('receive_reads'),
      new: bucket('receive_new'),
      repair: bucket('receive_repair'),
      catch_up: bucket('receive_catch_up')
    }
    this.#remote = { received: bucket('receive_remote'), sent: bucket('send_remote') }
  }

  get limits(): TrafficLimits {
    return this.#limits
  }

  /** Whether it is another than at the start. */
  isChanged(name: TrafficLimit): boolean {
    return this.#limits[name] !== this.#configured[name]
  }

  /** From now on, until the node ends. */
  change(some: Partial<TrafficLimits>): void {
    this.#limits = { ...this.#limits, ...some }
    const limits = this.#limits
    for (const purpose of PURPOSES) {
      this.#received[purpose].perSecond = limits[`receive_${purpose}`]
    }
    this.#remote.received.perSecond = limits.receive_remote
    this.#remote.sent.perSecond = limits.send_remote
    for (const { received, sent } of this.#servers.values()) {
      received.perSecond = limits.receive_per_server
      sent.perSecond = limits.send_per_server
    }
    this.#onChange()
  }

  /** One listener hears that what had to wait may not have to any more. */
  onChange(listener: () => void): void {
    this.#onChange = listener
  }

  /** Milliseconds until more may be asked for; 0: now. */
  waitMs(purpose: Purpose): number {
    return this.#received[purpose].waitMs
  }

  /** The same for one server. Readers do not wait for it: it is others that make room for them. */
  waitMsOf(peerId: string): number {
    const { receive_per_server, receive_remote } = this.#limits
    if (receive_per_server === undefined && receive_remote === undefined) return 0
    const remoteMs = this.isRemote(peerId) ? this.#remote.received.waitMs : 0
    return Math.max(this.#of(peerId).received.waitMs, remoteMs)
  }

  /** What may come from a server a second; undefined: as much as can. */
  perSecond(purpose: Purpose, peerId: string): number | undefined {
    const { receive_per_server, receive_remote, ...limits } = this.#limits
    const ofServer = purpose === 'reads' ? undefined : receive_per_server
    const ofRemote = purpose === 'reads' || !this.isRemote(peerId) ? undefined : receive_remote
    const all = [limits[`receive_${purpose}`], ofServer, ofRemote]
    const least = Math.min(...all.map((limit) => limit ?? Number.POSITIVE_INFINITY))
    return least === Number.POSITIVE_INFINITY ? undefined : least
  }

  /** Whether so many bytes take longer than a second at their limit. */
  isSlow(purpose: Purpose, peerId: string, bytes: number): boolean {
    return bytes > (this.perSecond(purpose, peerId) ?? Number.POSITIVE_INFINITY)
  }

  /** Bytes were asked for. */
  asked(purpose: Purpose, peerId: string, bytes: number): void {
    this.#received[purpose].take(bytes)
    const { receive_per_server, receive_remote } = this.#limits
    if (receive_per_server !== undefined) this.#of(peerId).received.take(bytes)
    if (receive_remote !== undefined && this.isRemote(peerId)) this.#remote.received.take(bytes)
  }

  /** Of what was asked for, so many bytes do not come. */
  cameNot(purpose: Purpose, peerId: string, bytes: number): void {
    this.asked(purpose, peerId, -bytes)
  }

  /** Resolves when a reader may ask; at once without a limit. */
  async readersTurn(signal: AbortSignal): Promise<void> {
    await this.#wait(() => this.waitMs('reads'), signal)
  }

  /**
   * Undefined if so many bytes may be sent to a server now, or a promise of that, which rejects
   * when the signal is aborted: then none are taken.
   */
  send(peerId: string, bytes: number, signal?: AbortSignal): Promise<void> | undefined {
    const { send_per_server, send_remote } = this.#limits
    if (send_per_server === undefined && send_remote === undefined) return undefined
    const own = this.#of(peerId).sent
    const all = this.isRemote(peerId) ? [own, this.#remote.sent] : [own]
    return this.#wait(() => Math.max(...all.map(({ waitMs }) => waitMs)), signal).then(() => {
      for (const bucket of all) bucket.take(bytes)
    })
  }

  async #wait(howLong: () => number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted()
    for (let waitMs = howLong(); waitMs > 0; waitMs = howLong()) {
      await sleep(this.#clock, Math.min(waitMs, WAIT_MS_MAX), signal)
    }
  }

  #of(peerId: string): ServerBuckets {
    let buckets = this.#servers.get(peerId)
    if (buckets !== undefined) return buckets
    const [oldest] = this.#servers.keys()
    if (this.#servers.size >= SERVERS_MAX && oldest !== undefined) this.#servers.delete(oldest)
    buckets = {
      received: new RateBucket(this.#clock, this.#limits.receive_per_server),
      sent: new RateBucket(this.#clock, this.#limits.send_per_server)
    }
    this.#servers.set(peerId, buckets)
    return buckets
  }
}
