// What persons have confirmed on other servers: so many changes of a writer, between two versions.
// Each change is let through once, so a confirmation is used up by what it was given for. Pure.

export interface Change {
  readonly writer: string
  /** Of its version. */
  readonly ms: number
}

export interface ChangeGroup {
  readonly writer: string
  readonly count: number
  readonly fromMs: number
  readonly toMs: number
}

/** One word of a person, with whatever follows from it. */
export interface Confirmation {
  /** Of the brake that was released by it. */
  readonly token: string
  readonly groups: readonly ChangeGroup[]
}

/** Of more writers a person confirms the rest where it stops. */
export const GROUPS_MAX = 16
const COUNT_MAX = 10_000_000
/** A confirmation is good for so long: what it is of may come by a way round. */
const GOOD_MS = 10 * 60_000
/** So far may clocks differ; what is later has not happened, and nobody can confirm it. */
const AHEAD_MS_MAX = 10 * 60_000
const NODES_MAX = 256
const CHARACTERS_MAX = 128

/** Changes by their writers. */
export class ChangeGroups {
  readonly #groups = new Map<string, ChangeGroup>()

  add({ writer, ms }: Change): void {
    const before = this.#groups.get(writer)
    if (before === undefined && this.#groups.size >= GROUPS_MAX) return
    const { count = 0, fromMs = ms, toMs = ms } = before ?? {}
    const range = { fromMs: Math.min(fromMs, ms), toMs: Math.max(toMs, ms) }
    this.#groups.set(writer, { writer, count: count + 1, ...range })
  }

  has(writer: string): boolean {
    return this.#groups.has(writer)
  }

  list(): readonly ChangeGroup[] {
    return [...this.#groups.values()]
  }
}

interface Heard {
  readonly token: string
  /** Peer that told it. */
  readonly from: string
  readonly untilMs: number
  readonly groups: (ChangeGroup & { left: number })[]
  /** It has released a brake here: what it grows by is not counted at all. */
  isTrusted: boolean
}

/** Those of all servers; times are of this machine's steady clock. */
export class Confirmations {
  readonly #heard = new Map<string, Heard>()

  /** The last one of a server counts; one that has grown lets through what it has grown by. */
  hear(node: string, from: string, { token, groups }: Confirmation, nowMs: number): void {
    const before = this.#heard.get(node)
    const same = before?.token === token ? before : undefined
    const usedOf = (writer: string) => {
      const one = same?.groups.find((group) => group.writer === writer)
      return one === undefined ? 0 : one.count - one.left
    }
    this.#heard.delete(node)
    this.#heard.set(node, {
      ...{ token, from, untilMs: nowMs + GOOD_MS, isTrusted: same?.isTrusted ?? false },
      groups: groups.map((one) => ({ ...one, left: Math.max(0, one.count - usedOf(one.writer)) }))
    })
    const [oldest] = this.#heard.keys()
    if (this.#heard.size > NODES_MAX && oldest !== undefined) this.#heard.delete(oldest)
  }

  /** Whether a change is one of those that need not be counted: each may be asked for once. */
  take({ writer, ms }: Change, nowMs: number): boolean {
    for (const { untilMs, groups, isTrusted } of this.#heard.values()) {
      if (!isTrusted || untilMs <= nowMs) continue
      const group = groups.find(
        (one) => one.writer === writer && one.left > 0 && one.fromMs <= ms && ms <= one.toMs
      )
      if (group === undefined) continue
      group.left--
      return true
    }
    return false
  }

  /** A copy to try whether all that was confirmed is enough: trusted, and with nothing used up. */
  anew(): Confirmations {
    const copy = new Confirmations()
    for (const [node, { groups, ...about }] of this.#heard) {
      const all = groups.map((one) => ({ ...one, left: one.count }))
      copy.#heard.set(node, { ...about, groups: all, isTrusted: true })
    }
    return copy
  }

  /** Such a copy was enough: what it used is used up, and trusted from now on. Who gave it. */
  accept(copy: Confirmations): readonly { readonly by: string; readonly from: string }[] {
    const givers: { by: string; from: string }[] = []
    for (const [by, { token, groups }] of copy.#heard) {
      const own = this.#heard.get(by)
      if (own?.token !== token || groups.every(({ left, count }) => left === count)) continue
      givers.push({ by, from: own.from })
      own.isTrusted = true
      for (const one of own.groups) {
        const same = groups.find(({ writer }) => writer === one.writer)
        one.left = Math.min(one.left, same?.left ?? one.left)
      }
    }
    return givers
  }

  /** Whether there is one that may still be good for something. */
  areAny(nowMs: number): boolean {
    return [...this.#heard.values()].some(({ untilMs }) => nowMs < untilMs)
  }
}

export function confirmationText({ token, groups }: Confirmation): Uint8Array {
  return Buffer.from(JSON.stringify({ token, groups }))
}

/** Undefined if it is none. What is confirmed of the future is left out. */
export function readConfirmation(
  value: Uint8Array | undefined,
  nowMs: number
): Confirmation | undefined {
  try {
    const { token, groups } = JSON.parse(Buffer.from(value ?? []).toString())
    if (!isName(token) || !Array.isArray(groups)) return undefined
    const known = groups.slice(0, GROUPS_MAX).flatMap((one) => readGroup(one, nowMs))
    return { token, groups: known }
  } catch {
    return undefined
  }
}

function readGroup(one: Partial<ChangeGroup> | null, nowMs: number): ChangeGroup[] {
  const { writer, count, fromMs, toMs } = one ?? {}
  if (!isName(writer) || !isCount(count) || !isTime(fromMs) || !isTime(toMs)) return []
  return fromMs <= toMs && toMs <= nowMs + AHEAD_MS_MAX ? [{ writer, count, fromMs, toMs }] : []
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= CHARACTERS_MAX
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0 && (value as number) <= COUNT_MAX
}

function isTime(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}
