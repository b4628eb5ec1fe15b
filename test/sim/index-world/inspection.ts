// What must be true after every step. Looks only at nodes whose disk has changed since.

import { type Entry, isImage } from '../../../protocols/entry.ts'
import type { Citizen } from './citizen.ts'
import { bucketOf, type NodeView, nameOf, pathKeyOf } from './node-view.ts'
import { isCollectable } from './promises.ts'

interface Inspected {
  readonly citizens: readonly Citizen[]
  readonly faults: string[]
}

export class Inspection {
  readonly #world: Inspected
  /** Whether anything may be put to review. */
  readonly #mayReview: boolean
  readonly #seen = new Map<Citizen, readonly [NodeView, number]>()

  constructor(world: Inspected, mayReview: boolean) {
    this.#world = world
    this.#mayReview = mayReview
  }

  look(): void {
    const changed = new Set(this.#world.citizens.filter((one) => this.#hasChanged(one)))
    if (changed.size === 0) return
    for (const citizen of changed) {
      this.#tell(citizen, citizen.promises.faults(citizen.view))
      this.#tell(citizen, this.#reviewFaults(citizen))
    }
    for (const citizen of changed) this.#tell(citizen, this.#collectionFaults(citizen))
    for (const one of this.#world.citizens) {
      for (const two of this.#world.citizens) {
        if (one === two || !(changed.has(one) || changed.has(two))) continue
        this.#tell(one, proofFaults(one, two))
      }
    }
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

  *#reviewFaults({ view }: Citizen): Generator<string> {
    if (view.hasReviewed && !this.#mayReview) yield 'has put something to review'
  }

  /** What it collected, all members that it knows have, or have collected too. */
  *#collectionFaults(citizen: Citizen): Generator<string> {
    for (const entry of citizen.view.gone.splice(0)) {
      if (isImage(entry)) citizen.promises.takeForReview(entry)
      if (!isCollectable(entry)) continue
      for (const member of this.#world.citizens) {
        const { node, view, promises } = member
        if (member === citizen || !citizen.knowsMember(node.id) || member.hasTwin) continue
        if (view.has(entry) || view.mayHaveForgotten(entry)) continue
        if (promises.hasLost(entry, bucketOf(entry))) continue
        yield `has collected ${nameOf(entry)}, which ${node.place} does not have`
      }
    }
  }
}

/** A watermark is never above what the other one really has. */
function* proofFaults(citizen: Citizen, member: Citizen): Generator<string> {
  const proof = citizen.view.proofs[member.node.id]
  if (proof === undefined || proof.until <= 0 || member.hasTwin || !member.node.isUp) return
  if (proof.database !== member.view.database) return
  for (const entry of citizen.view.entries.values()) {
    if (bucketOf(entry) >= proof.until || hasOrHad(member, entry)) continue
    yield `believes that ${member.node.place} has ${nameOf(entry)}, being below ${proof.until}`
  }
}

function hasOrHad({ view, promises, isOriginal }: Citizen, entry: Entry): boolean {
  if (view.has(entry)) return true
  if (promises.hasLost(entry, bucketOf(entry))) return true
  const isForgotten = view.mayHaveForgotten(entry)
  return isForgotten && (isCollectable(entry) || !isOriginal)
}

/** For a person who reads what differs. */
export function liveOf({ view }: Citizen): string {
  const live = [...view.entries.values()].filter((entry) => !isCollectable(entry))
  return live
    .map((entry) => `${pathKeyOf(entry)} ${Buffer.from(entry.id).toString('hex', 0, 8)}`)
    .sort()
    .join('\n')
}
