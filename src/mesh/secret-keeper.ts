// Keeps the secret of this node's mesh, and hands a new one to all members over the connections
// that stand, so that none of them falls out; and to those who come by the one of before, while it
// still opens.

import { SECRET_ID } from '../../protocols/ids.ts'
import { requestSecret } from '../../protocols/secret/request.ts'
import { type SecretOffer, secretProtocol } from '../../protocols/secret/serve.ts'
import { STATUS, StatusError } from '../../protocols/status.ts'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Network } from '../network/network.ts'
import type { AdmittedNetwork } from './admitted-network.ts'
import {
  admissionOf,
  type ClusterFacts,
  clusterText,
  factsAfter,
  offerOf,
  planTaking,
  type Taking
} from './cluster.ts'

const HAND_OVER_MS_MAX = 5_000
const HAND_OVER_TRIES = 2
const SENTENCES = {
  taken: 'the mesh has a secret now: only who has it can join',
  rotated: 'the mesh has another secret; members may still come by the one of before'
} as const
/** A decision from further in the future would stand against every later one. */
const AHEAD_MS_MAX = 10 * 60_000
/** A timer of the platform that is to wait for more than 24 days ends at once. */
const WAIT_MS_MAX = 86_400_000

export interface SecretKeeperParts {
  readonly network: Network
  readonly admitted: AdmittedNetwork
  readonly clock: Clock
  readonly log: Log
  /** Keeps the text for the next start, durably and for this user alone. */
  readonly save: (text: string) => Promise<void>
  /** Hears that another secret holds from now on. */
  readonly onTaken?: () => void
}

/** Ids of peers. */
export interface HandedOver {
  readonly handedTo: readonly string[]
  readonly notReached: readonly string[]
}

export class SecretKeeper {
  readonly #parts: SecretKeeperParts
  readonly #stopped = new AbortController()
  #facts: ClusterFacts
  /** One decision after the other. */
  #taking: Promise<unknown> = Promise.resolve()
  readonly #handing = new Set<Promise<unknown>>()
  /** Members that are known to have the secret, since it is this one or since the start. */
  readonly #haveIt = new Set<string>()
  #cancelEnd = () => {}

  constructor(parts: SecretKeeperParts, facts: ClusterFacts) {
    this.#parts = parts
    this.#facts = facts
    parts.admitted.handle({
      id: SECRET_ID,
      streamsMax: secretProtocol.limits.streamsMax,
      serve: (stream, { id }) =>
        secretProtocol.serve(stream, { take: (offer, from) => this.#offered(offer, from) }, id)
    })
    parts.admitted.onPeer(({ id, isFormer }, event) => {
      if (event === 'down' || this.#facts.secret === undefined) return
      if (isFormer) this.#track(this.#handTo(id))
      else this.#haveIt.add(id)
    })
    this.#awaitEnd()
  }

  get facts(): ClusterFacts {
    return this.#facts
  }

  /** Whether a member is known to have the secret. */
  hasIt(peerId: string): boolean {
    return this.#haveIt.has(peerId)
  }

  /** Takes a secret over, if its decision counts more than the one that holds here. */
  take(offer: SecretOffer): Promise<Taking> {
    const taking = this.#taking.then(() => this.#take(offer))
    this.#taking = taking.catch(() => {})
    return taking
  }

  /** Hands the secret to all members that are connected, but those that have it. */
  async handOver(haveIt: readonly string[] = []): Promise<HandedOver> {
    const { admitted, network } = this.#parts
    const ids = admitted.peers().map(({ id }) => id)
    const targets = ids.filter((id) => !haveIt.includes(id))
    // Who is connected but of another mesh came in while anybody could. At once: with a secret,
    // whoever says hello over a connection that stands is taken for a member.
    for (const { id } of network.peers()) {
      if (!admitted.has(id) && !haveIt.includes(id)) void network.hangUp(id)
    }
    const taken = await Promise.all(targets.map((id) => this.#handTo(id)))
    return {
      handedTo: targets.filter((_, at) => taken[at]),
      notReached: targets.filter((_, at) => !taken[at])
    }
  }

  async stop(): Promise<void> {
    this.#stopped.abort(new Error('the node is stopping'))
    this.#cancelEnd()
    await this.#taking
    await Promise.all(this.#handing)
  }

  async #take(offer: SecretOffer): Promise<Taking> {
    const { clock, log, onTaken } = this.#parts
    const taking = planTaking(this.#facts, offer)
    if (taking !== 'take') return taking
    const facts = factsAfter(this.#facts, offer, clock.now())
    await this.#keep(facts)
    this.#haveIt.clear()
    onTaken?.()
    const { name: cluster, former } = facts
    const until = former && new Date(former.untilMs).toISOString()
    log.info({ cluster, until }, SENTENCES[former === undefined ? 'taken' : 'rotated'])
    return taking
  }

  async #keep(facts: ClusterFacts): Promise<void> {
    await this.#parts.save(clusterText(facts))
    this.#facts = facts
    await this.#parts.network.admit(admissionOf(facts))
    this.#awaitEnd()
  }

  /** The secret of before opens until then. */
  #awaitEnd(): void {
    const { clock, log } = this.#parts
    const { former } = this.#facts
    this.#cancelEnd()
    if (former === undefined) return
    const leftMs = former.untilMs - clock.now()
    const end = async () => {
      if (this.#facts.former !== former || this.#stopped.signal.aborted) return
      if (leftMs > WAIT_MS_MAX) return this.#awaitEnd()
      await this.#keep({ ...this.#facts, former: undefined })
      log.info('the secret of before lets nobody in any more')
    }
    this.#cancelEnd = clock.after(Math.min(Math.max(0, leftMs), WAIT_MS_MAX), () => {
      this.#taking = this.#taking
        .then(end)
        .catch((error) => log.error({ err: error }, 'the secret of before still opens'))
    })
  }

  async #offered(offer: SecretOffer, from: string): Promise<void> {
    if (offer.decidedMs > this.#parts.clock.now() + AHEAD_MS_MAX) {
      throw new StatusError(STATUS.REFUSED, 'the secret was decided on by a clock far ahead')
    }
    const taking = await this.take(offer)
    if (taking === 'refuse') {
      throw new StatusError(STATUS.REFUSED, 'this node has a secret that was set by hand')
    }
    if (taking === 'keep') {
      // who holds an older decision is told the newer one, and not that his is taken
      this.#track(this.#handTo(from))
      throw new StatusError(STATUS.REFUSED, 'this node has a secret that was decided on later')
    }
    this.#haveIt.add(from)
    if (taking === 'take') this.#track(this.handOver([from]))
  }

  async #handTo(peerId: string): Promise<boolean> {
    const { admitted, clock, log } = this.#parts
    for (let tries = 0; tries < HAND_OVER_TRIES && admitted.has(peerId); tries++) {
      const offer = offerOf(this.#facts)
      if (offer === undefined) return false
      const late = new AbortController()
      const cancel = clock.after(HAND_OVER_MS_MAX, () => late.abort(new Error('no answer')))
      const signal = AbortSignal.any([late.signal, this.#stopped.signal])
      try {
        const stream = await admitted.open(peerId, SECRET_ID, signal)
        await requestSecret(stream, offer, signal)
        if (offer.decidedMs === this.#facts.decidedMs) this.#haveIt.add(peerId)
        return true
      } catch (error) {
        log.warn({ peer: peerId, err: error }, 'a member did not take the secret of the mesh')
        if (error instanceof StatusError || this.#stopped.signal.aborted) return false
      } finally {
        cancel()
      }
    }
    return false
  }

  #track(work: Promise<unknown>): void {
    const tracked = work
      .catch((error) => this.#parts.log.error({ err: error }, 'the secret was not handed on'))
      .finally(() => this.#handing.delete(tracked))
    this.#handing.add(tracked)
  }
}
