// What must be true of each path, by what clients were told. Pure.
//
// Operations on one path follow each other, each begun when the one before has ended; so of those
// that were acknowledged the last one counts, on whichever node it was. One whose outcome nobody
// was told may have happened, or may yet: it stays possible.

export type Sha256 = string
/** What a path holds: these bytes, nothing any more, or nothing yet. */
export type Holds = Sha256 | 'deleted' | 'never'

interface PathState {
  certain: Holds
  readonly possible: Set<Holds>
  /** All bytes that anybody ever tried to write there. */
  readonly ever: Set<Sha256>
  /** What the operation that is under way would make of it. */
  readonly coming: Set<Holds>
  busy: boolean
}

export class Model {
  readonly #paths = new Map<string, PathState>()
  readonly #shadows = new Set<Model>()

  constructor(paths: readonly string[]) {
    for (const path of paths) {
      this.#paths.set(path, {
        certain: 'never',
        possible: new Set(),
        ever: new Set(),
        coming: new Set(),
        busy: false
      })
    }
  }

  /**
   * What is true while a picture of the disk is taken: of what was acknowledged before, all; of
   * what is under way, or begun until `end` is called, anything.
   */
  shadow(): { readonly model: Model; end(): void } {
    const model = new Model(this.paths())
    for (const [path, { certain, possible, ever, coming }] of this.#paths) {
      model.#paths.set(path, {
        certain,
        possible: new Set([...possible, ...coming]),
        ever: new Set(ever),
        coming: new Set(),
        busy: false
      })
    }
    this.#shadows.add(model)
    return { model, end: () => this.#shadows.delete(model) }
  }

  paths(): readonly string[] {
    return [...this.#paths.keys()]
  }

  /** False if another operation on one of the paths is under way. */
  lock(paths: readonly string[]): boolean {
    if (paths.some((path) => this.#at(path).busy)) return false
    for (const path of paths) this.#at(path).busy = true
    return true
  }

  unlock(paths: readonly string[]): void {
    for (const path of paths) {
      const state = this.#at(path)
      state.busy = false
      state.coming.clear()
    }
  }

  /** An operation begins: from now on a reader may find one of these. */
  begins(path: string, holds: Iterable<Holds>): void {
    const { ever, coming } = this.#at(path)
    for (const one of holds) {
      coming.add(one)
      if (one !== 'deleted' && one !== 'never') ever.add(one)
    }
    for (const shadow of this.#shadows) shadow.inDoubt(path, coming)
  }

  /** A client was told that this is so now. */
  acknowledged(path: string, holds: Holds): void {
    this.#at(path).certain = holds
  }

  /** Nobody was told whether this is so. */
  inDoubt(path: string, holds: Iterable<Holds>): void {
    for (const one of holds) this.#at(path).possible.add(one)
  }

  /** It was looked at when nothing was under way, and there is nobody else who could change it. */
  settles(path: string, holds: Holds): void {
    const state = this.#at(path)
    state.certain = holds
    state.possible.clear()
  }

  /** Where nobody knows for certain what is there. */
  doubtful(): readonly string[] {
    return this.paths().filter((path) => this.#at(path).possible.size > 0)
  }

  ever(path: string): ReadonlySet<Sha256> {
    return this.#at(path).ever
  }

  /** What a path may hold once all is quiet. */
  allows(path: string, holds: Holds): boolean {
    const { certain, possible } = this.#at(path)
    if (holds === certain || possible.has(holds)) return true
    // a deletion of what never was leaves no more trace than one that was forgotten
    const isAbsent = (one: Holds) => one === 'deleted' || one === 'never'
    return isAbsent(holds) && (isAbsent(certain) || [...possible].some(isAbsent))
  }

  describe(path: string): string {
    const { certain, possible } = this.#at(path)
    const doubts = possible.size === 0 ? '' : `, or ${[...possible].map(short).join(', ')}`
    return short(certain) + doubts
  }

  #at(path: string): PathState {
    const state = this.#paths.get(path)
    if (state === undefined) throw new Error(`no path ${path}`)
    return state
  }
}

function short(holds: Holds): string {
  return holds.slice(0, 8)
}
