// What must be true after every step. Looks only at nodes whose disk has changed since.

import { type Entry, isImage, isTombstone } from '../../../protocols/entry.ts'
import { bucketOf } from '../../../protocols/time-tree-shape.ts'
import type { Citizen } from './citizen.ts'
import { type NodeView, nameOf, pathKeyOf, type ViewWatcher } from './node-view.ts'
import type { Writes } from './promises.ts'

interface Inspected {
  readonly citizens: readonly Citizen[]
  readonly faults: string[]
  readonly writes: Pick<Writes, 'see' | 'excuse' | 'writeAnew' | 'faultAt'>
}

export class Inspection {
  readonly #world: Inspected
  /** Whether anything may be put to review. */
  readonly #mayReview: boolean
  /** Of each node the highest that somebody saw, whatever folder it has now. */
  readonly #horizons = new Map<Citizen, number>()
  readonly #seen = new Map<Citizen, readonly [NodeView, number]>()
  /** What each knew of others when all was last looked at: it may have said more a moment later. */
  readonly #acquaintances = new Map<Citizen, Acquaintances>()

  constructor(world: Inspected, mayReview: boolean) {
    this.#world = world
    this.#mayReview = mayReview
  }

  look(): void {
    for (const one of this.#world.citizens) {
      this.#horizons.set(one, Math.max(this.#horizons.get(one) ?? 0, one.view.horizon))
    }
    const changed = new Set(this.#world.citizens.filter((one) => this.#hasChanged(one)))
    for (const one of changed) this.#acquaintances.set(one, acquaintancesOf(one.view))
    if (changed.size === 0) return
    for (const citizen of changed) this.#tell(citizen, this.#departureFaults(citizen))
    for (const citizen of changed) this.#tell(citizen, citizen.promises.faults(citizen.view))
    for (const one of this.#world.citizens) {
      for (const two of this.#world.citizens) {
        if (one === two || !(changed.has(one) || changed.has(two))) continue
        this.#tell(one, watermarkFaults(one, two, this.#mayReview))
      }
    }
  }

  /** Hears of what happens on the disk of a node. */
  watcherOf(citizen: Citizen): ViewWatcher {
    return {
      // what was known on the disk that it had before says nothing any more
      onRead: (view) => this.#acquaintances.set(citizen, acquaintancesOf(view)),
      onGone: (entry) => this.#forgets(citizen, entry),
      onReplaced: (before, entry) => this.#replaces(citizen, before, entry)
    }
  }

  /** A node forgets an entry: what is asked of it must be true at this very moment. */
  #forgets(citizen: Citizen, entry: Entry): void {
    if (!isTombstone(entry)) return
    this.#tell(citizen, this.#collectionFaults(citizen, entry))
  }

  /** What a node wrote anew for strangers is a write of that moment: they had never met before. */
  #replaces(citizen: Citizen, before: Entry, entry: Entry): void {
    if (entry.writer !== citizen.node.id || !isImage(before) || !isImage(entry)) return
    if (entry.createdMs !== before.createdMs) return
    const { citizens, writes } = this.#world
    const id = citizen.whoTurnedAway(before)
    const strangers = citizens.filter(({ node }) => node.id === id)
    if (strangers.some((one) => this.#areStrangers(citizen, before, one))) writes.writeAnew(entry)
    const fault = writes.faultAt(entry)
    if (fault !== undefined) this.#tell(citizen, [`has written anew: ${fault}`])
  }

  /**
   * Whether deletions of a node say nothing about this image of another one: they know no index
   * that is known to both, and the author of the image is not known to the first.
   */
  #areStrangers(citizen: Citizen, { writer }: Entry, stranger: Citizen): boolean {
    const [own, others] = [citizen, stranger].map(
      (one) => this.#acquaintances.get(one) ?? acquaintancesOf(one.view)
    ) as [Acquaintances, Acquaintances]
    if (writer === stranger.node.id || others.members.has(writer)) return false
    if (others.removed.has(writer)) return false
    return own.databases.isDisjointFrom(others.databases)
  }

  #hasChanged(citizen: Citizen): boolean {
    if (!citizen.node.isUp) return false
    const { changes } = citizen.node.level
    const [view, seen] = this.#seen.get(citizen) ?? []
    if (view === citizen.view && seen === changes) return false
    this.#seen.set(citizen, [citizen.view, changes])
    return true
  }

  #tell(citizen: Citizen, faults: Iterable<string>): void {
    for (const fault of faults) this.#world.faults.push(`${citizen.node.place} ${fault}`)
  }

  /** What leaves an index is on its review list, or a deletion that all members have. */
  *#departureFaults(citizen: Citizen): Generator<string> {
    const { view, promises } = citizen
    for (const entry of view.gone.splice(0)) {
      // a write that failed may be there all the same, and nobody was told of it
      promises.promise(entry)
      this.#world.writes.see(entry)
      if (isTombstone(entry)) continue
      if (!isImage(entry)) yield `has forgotten ${nameOf(entry)}`
      else if (!view.reviewed.has(entry.path)) yield `has dropped ${nameOf(entry)}`
      else {
        promises.takeForReview(entry)
        this.#world.writes.excuse(entry)
        if (!this.#mayReview) yield `has put ${nameOf(entry)} to review, and nobody was away`
      }
    }
    view.reviewed.clear()
  }

  /**
   * All members that it knows have it, or have collected it too. It matters for the first nodes
   * only that forget it: then it is shown to nobody, and who has come since need not have it.
   */
  *#collectionFaults(citizen: Citizen, entry: Entry): Generator<string> {
    const bucket = bucketOf(entry.version)
    for (const [other, horizon] of this.#horizons) {
      if (other !== citizen && horizon > bucket) return
    }
    for (const member of this.#world.citizens) {
      const { node, view, promises, hasTwin } = member
      if (node.id === citizen.node.id || hasTwin) continue
      if (!citizen.view.names(node.id, view.database)) continue
      if (view.has(entry) || view.mayHaveForgotten(entry)) continue
      if (promises.hasLost(entry, bucket)) continue
      yield `has collected ${nameOf(entry)}, which ${node.place} does not have`
    }
  }
}

interface Acquaintances {
  readonly members: ReadonlySet<string>
  readonly databases: ReadonlySet<string>
  readonly removed: ReadonlySet<string>
}

function acquaintancesOf(view: NodeView): Acquaintances {
  const members = new Set(Object.keys(view.watermarks))
  return { members, databases: view.knownDatabases(), removed: view.removedMembers() }
}

/**
 * A watermark is never above what the other one really has. Deletions that may be forgotten here
 * aside: they are compared no more, and who asked for a proof believes them forgotten only once it
 * hears of its end.
 */
function* watermarkFaults(
  citizen: Citizen,
  member: Citizen,
  isOutdated: boolean
): Generator<string> {
  const watermark = citizen.view.watermarks[member.node.id]
  if (watermark === undefined || watermark.until <= 0 || member.hasTwin || !member.node.isUp) return
  if (watermark.database !== member.view.database) return
  for (const entry of citizen.view.entries.values()) {
    const bucket = bucketOf(entry.version)
    if (bucket >= watermark.until || (isTombstone(entry) && bucket < citizen.view.horizon)) continue
    if (hasOrHad(member, entry, isOutdated)) continue
    yield `believes that ${member.node.place} has ${nameOf(entry)}, being below ${watermark.until}`
  }
}

/** Where nodes have an outdated past, a deletion that one has forgotten may be new to another. */
function hasOrHad({ view, promises }: Citizen, entry: Entry, isOutdated: boolean): boolean {
  if (view.has(entry)) return true
  if (promises.hasLost(entry, bucketOf(entry.version))) return true
  const isForgotten = view.mayHaveForgotten(entry)
  return isForgotten && (isTombstone(entry) || isOutdated)
}

/** For a person who reads what differs. */
export function liveOf({ view }: Citizen): string {
  const live = [...view.entries.values()].filter((entry) => !isTombstone(entry))
  return live
    .map((entry) => `${pathKeyOf(entry)} ${Buffer.from(entry.id).toString('hex', 0, 8)}`)
    .sort()
    .join('\n')
}
